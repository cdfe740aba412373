"""The owner's document as it stands: what is read of it, and each line of it edited."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from iwrouting import catalogue
from iwrouting.planning.matrix import Asked, Difference, Level, MatrixRefused, compare, read_matrix
from iwrouting.planning.matrix.words import Statement, What
from iwrouting.types import Configuration, EnvironmentFacts
from tests.harness.samples import sample
from tests.pure.matrix.worlds import BUILTIN, NOW

OWNER = Path(__file__).resolve().parents[2] / "matrix" / "owner.md"
SHA256 = "8e9c3c754e703ada9a783e04736028cb6a792cbd07472e9558782e27347b4498"
TEXT = OWNER.read_text(encoding="utf-8")
LINES = TEXT.split("\n")
WRITTEN = read_matrix(TEXT.encode())
NEW = "new-1"
SPAN = re.compile(r"""(?<=[`":])([a-z0-9][a-z0-9.-]*[0-9][a-z0-9.-]*|o3-deep-research)(?=[`"])""")


def fresh(profile: str) -> Configuration:
    """What a fresh installation has, with the defaults of a profile."""
    aliases = {
        name: replace(entry.facts, default_model=entry.model(profile)) for name, entry in catalogue.matrix().items()
    }
    return Configuration(
        revision=1,
        aliases=aliases,
        overrides={},
        projects={},
        models={},
        upstreams={},
        keys={},
        environment=EnvironmentFacts("e1", {}),
        catalogue_version="test",
        default_upstream="environment",
    )


def found(text: str, profile: str = "runtime") -> tuple[Difference, ...]:
    return compare(read_matrix(text.encode()), Asked(fresh(profile), NOW, BUILTIN, profile))


def drift(text: str, profile: str = "runtime") -> list[Difference]:
    return [each for each in found(text, profile) if each.level is Level.DRIFT]


def edited(line: int, old: str, new: str) -> str:
    """The document with another text in one line."""
    assert old in LINES[line - 1]
    return "\n".join([*LINES[: line - 1], LINES[line - 1].replace(old, new), *LINES[line:]])


def said(what: What) -> list[Statement]:
    return [each for each in WRITTEN.statements if each.what is what]


def test_the_document__is_the_owners__byte_for_byte() -> None:
    assert hashlib.sha256(OWNER.read_bytes()).hexdigest() == SHA256


def test_every_section__is_read() -> None:
    """Sections by their lines: the status, 2.1, 2.2, 2.3, 3.1 (both), 3.2, 3.3, 5, 6 (both), 7."""
    sections = (3, 33, 46, 62, 77, 85, 94, 108, 146, 283, 301, 345)
    counts = Counter(max(begin for begin in sections if begin <= each.line) for each in WRITTEN.statements)
    assert counts == dict(zip(sections, (6, 6, 11, 2, 12, 12, 22, 2, 11, 11, 11, 1), strict=True))
    assert [each.line for each in WRITTEN.not_read] == [22, 127]
    assert len({each.alias for each in said(What.DEFAULT)}) == len({each.alias for each in said(What.VARIABLE)}) == 18


def test_alternatives_and_profiles__are_read_as_they_stand() -> None:
    defaults = {(each.alias, each.profile, each.line): each.values for each in said(What.DEFAULT)}
    assert defaults["code", "design", 90] == ("gpt-5.1", "gpt-5.1-codex")
    assert defaults["worker_test", "", 100] == ("gpt-4.1-mini", "gpt-5-mini")
    assert defaults["auto", "runtime", 77] == defaults["auto", "runtime", 3] == ("gpt-4.1",)
    assert defaults["embedding", "", 63] == ("text-embedding-3-small",)


@pytest.mark.parametrize("profile", catalogue.PROFILES)
def test_a_fresh_installation__is_as_the_document_says(profile: str) -> None:
    assert found(TEXT, profile) == ()


def test_another_model_in_any_line__is_found_once__with_that_line() -> None:
    """A line says one thing of one profile, or of both: then the first finds it."""
    lines = sorted({each.line for each in said(What.DEFAULT)} - {3})
    assert len(lines) == 37
    for line in lines:
        [old, *more] = SPAN.findall(LINES[line - 1])
        text = edited(line, old, NEW)
        profile = "design" if 85 <= line <= 90 else "runtime"
        if profile == "design" and line != 90:
            assert [each.level for each in found(text)] == [Level.NOTE]
        [difference] = drift(text, profile)
        assert line in difference.lines, (line, more)
        assert NEW in difference.written


def test_another_model_in_the_status__is_found_once() -> None:
    for pair in re.findall(r"`[a-z]+:[a-z0-9.-]+`", LINES[2]):
        [difference] = drift(edited(3, pair, f"{pair.partition(':')[0]}:{NEW}`"))
        assert (difference.code, difference.lines[0]) == ("contradiction", 3)


def test_another_variable_in_any_line__is_found_once__with_that_line() -> None:
    """Where the document says elsewhere which alias reads the variable, it contradicts itself; else no alias does."""
    lines = sorted({each.line for each in said(What.VARIABLE)})
    assert len(lines) == 64
    for line in lines:
        [variable] = re.findall(r"OPENAI_[A-Z_]+", LINES[line - 1])
        wrong = "OPENAI_MODEL_WRONG"
        [difference] = drift(edited(line, variable, wrong))
        expected = "contradiction" if line > 108 else "missing_alias"
        assert (difference.code, line in difference.lines) == (expected, True)


@sample(60)
@given(st.data())
def test_one_letter_less_or_other__is_never_passed_over_in_silence(data: st.DataObject) -> None:
    """It is refused, found, told as not read, or changes nothing that is said; of two models one may be misspelt."""
    number = data.draw(st.sampled_from(sorted({each.line for each in WRITTEN.statements})))
    line = LINES[number - 1]
    at = data.draw(st.integers(0, len(line) - 1))
    other = line[:at] + data.draw(st.sampled_from(("", "x", "`"))) + line[at + 1 :]
    text = "\n".join([*LINES[: number - 1], other, *LINES[number:]])
    try:
        written = read_matrix(text.encode())
    except MatrixRefused:
        event("refused")
        return
    told = [each for each in written.not_read if each not in WRITTEN.not_read]
    same = written.statements == WRITTEN.statements
    event("found" if found(text) else "told" if told else "the same" if same else "another of several")
    assert found(text) or told or same or (number in (90, 100) and at > line.index("or `") - 4)


def test_section_3_against_6__is_a_contradiction_with_both_lines() -> None:
    [difference] = drift(edited(98, "gpt-5.1", "gpt-5.2"))
    assert (difference.code, difference.alias, difference.lines) == ("contradiction", "manager", (98, 305))
    assert (difference.written, difference.live) == ("gpt-5.2; gpt-5.1", "gpt-5.1")
    assert difference.fix == "make lines 98, 305 say the same"
    assert drift(edited(307, "gpt-4.1-mini", "gpt-5-mini"))[0].code == "other_default"


def test_a_table_with_an_alias_more_or_less__is_found() -> None:
    text = edited(292, '"intent": "OPENAI_MODEL_INTENT",', '"ghost": "OPENAI_MODEL_GHOST",')
    [ghost] = drift(text)
    assert (ghost.code, ghost.alias, ghost.lines) == ("missing_alias", "ghost", (292,))
    gone = "\n".join(line for line in LINES if "INTENT" not in line and '"intent"' not in line)
    [intent] = drift(gone)
    assert (intent.code, intent.alias, intent.lines) == ("unwritten_alias", "intent", ())
