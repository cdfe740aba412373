"""Reads Prometheus' text format strictly, as its documentation has it (version 0.0.4)."""

from __future__ import annotations

import re

from iwrouting.api.metrics.view import WITHOUT_CALLS

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\\\|\\n)*)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)")
SAMPLE = re.compile(
    rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|NaN|\+Inf|-Inf)"
)
ONE_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Series = tuple[str, frozenset[tuple[str, str]]]


def parse(text: str) -> dict[Series, float]:
    """Every sample by name and labels. AssertionError for what the format does not allow."""
    assert text.endswith("\n")
    samples: dict[Series, float] = {}
    told: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        if found := HELP.fullmatch(line):
            assert found[1] not in told, f"{found[1]} is told twice"
            current = found[1]
        elif found := TYPE.fullmatch(line):
            assert found[1] == current, f"the type of {found[1]} stands apart from its help"
            told[current] = found[2]
            assert (found[2] == "counter") is current.endswith("_total")
        elif line != WITHOUT_CALLS.rstrip():  # any other comment would be a mistake
            found = SAMPLE.fullmatch(line)
            assert found, f"no line of the format: {line!r}"
            assert family_of(found[1], told.get(current, "")) == current, f"{found[1]} stands apart from its type"
            key = found[1], frozenset((name, plain(value)) for name, value in ONE_LABEL.findall(found[2] or ""))
            assert key not in samples, f"{key} is there twice"
            samples[key] = float(found[3])
    assert {family_of(name, told.get(base(name), "")) for name, _ in samples} == set(told)
    for name in (name for name, kind in told.items() if kind == "histogram"):
        check_histogram(name, samples)
    return samples


def base(name: str) -> str:
    """The name of a histogram of which this may be a sample."""
    return re.sub("_(bucket|sum|count)$", "", name)


def family_of(name: str, kind: str) -> str:
    """The name under which a sample is told."""
    return base(name) if kind == "histogram" else name


def check_histogram(name: str, samples: dict[Series, float]) -> None:
    """Buckets rise with their bounds, the last is `+Inf` and the count, and there is a sum."""
    found: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
    for (sample, labels), value in samples.items():
        if sample == f"{name}_bucket":
            [bound] = [float(text) for label, text in labels if label == "le"]
            found.setdefault(frozenset(each for each in labels if each[0] != "le"), []).append((bound, value))
    sums = {labels for sample, labels in samples if sample == f"{name}_sum"}
    counts = {labels: value for (sample, labels), value in samples.items() if sample == f"{name}_count"}
    assert set(found) == sums == set(counts)
    for labels, buckets in found.items():
        assert buckets == sorted(buckets), f"the buckets of {name} do not rise"
        assert [value for _, value in buckets] == sorted(value for _, value in buckets), f"{name} counts twice"
        assert buckets[-1] == (float("inf"), counts[labels])


def plain(text: str) -> str:
    """A label's value without its escapes."""
    return re.sub(r'\\[\\"n]', lambda match: ESCAPED[match[0]], text)


def series(name: str, **labels: str) -> Series:
    """The key of a sample."""
    return name, frozenset(labels.items())
