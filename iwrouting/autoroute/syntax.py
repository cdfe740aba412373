"""Counts what looks like code, stack traces and SQL, whatever the language. Bounded: every pattern is, and the text."""

from __future__ import annotations

import re

from iwrouting.autoroute import rules

FENCE = ("```", "~~~")
LINE = re.compile(rf"\s*(?:{'|'.join(rules.CODE_LINES)})")
ROW_OF_STRING = {string: number for number, row in enumerate(rules.CODE_STRINGS) for string in row}
STRINGS = re.compile("|".join(map(re.escape, ROW_OF_STRING)))
PATTERNS = tuple((sign, re.compile(pattern, re.MULTILINE), most) for sign, pattern, most in rules.CODE_PATTERNS)
TRACES = tuple((sign, re.compile(pattern, re.MULTILINE), most) for sign, pattern, most in rules.TRACE_PATTERNS)
LATEX = re.compile(rules.LATEX)
MATH = re.compile(rules.MATH_PATTERN)
MATH_MAX = 8
SQL = tuple(re.compile(pattern) for pattern in rules.SQL_PATTERNS)


def count(text: str) -> dict[str, int]:
    """The features of syntax of `text`, which the caller has cut to a bounded length."""
    fences, lines, code_lines = _lines(text)
    return {
        "lines": lines,
        "fences": fences,
        "code_lines": code_lines,
        "code_signals": _signals(text),
        "trace_signals": sum(_occurrences(pattern, text, most) for sign, pattern, most in TRACES if sign in text),
        "sql_signals": _sql(text),
        "math_signals": _occurrences(MATH, text, MATH_MAX) if len(text) <= rules.FAST_CHARS else 0,
    }


def _lines(text: str) -> tuple[int, int, int]:
    """Fenced blocks, lines that aren't empty, lines shaped like code (one of them: a fence that names a language)."""
    fences = lines = code = 0
    for whole in text.split("\n", rules.SCAN_LINES)[: rules.SCAN_LINES]:
        line = whole[: rules.LINE_CHARS].rstrip()
        if not line:
            continue
        lines += 1
        if line.lstrip().startswith(FENCE):
            fences += 1
            code += line[-1] not in "`~"
        elif line.endswith(rules.CODE_LINE_ENDS) or LINE.match(line):
            code += not ("\\" in line and LATEX.search(line))
    return (fences + 1) // 2, lines, code


def _signals(text: str) -> int:
    strings = len({ROW_OF_STRING[each] for each in STRINGS.findall(text)})
    return strings + sum(_occurrences(pattern, text, most) for sign, pattern, most in PATTERNS if sign in text)


def _occurrences(pattern: re.Pattern[str], text: str, most: int) -> int:
    found = 0
    for _ in pattern.finditer(text):
        found += 1
        if found == most:
            break
    return found


def _sql(text: str) -> int:
    lowered = text.lower()
    if not any(word in lowered for word in rules.SQL_WORDS):
        return 0
    row = " ".join(lowered.split())
    return sum(pattern.search(row) is not None for pattern in SQL)
