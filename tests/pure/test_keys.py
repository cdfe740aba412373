"""API keys: random, checked by their own digits, stored as a hash (design.md 9.4)."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.models.keys import default_scopes, hash_key, new_key, well_formed

GOOD = "iw_0123456789_00000000000000000000000000000000000000000000000000000000000000008e6f20be"


def test_new_key__has_its_form_and_knows_its_parts() -> None:
    key = new_key()
    assert re.fullmatch(r"iw_[0-9a-f]{10}_[0-9a-f]{64}[0-9a-f]{8}", key.text)
    assert key.text.split("_")[1] == key.key_id
    assert key.sha256 == hashlib.sha256(key.text.encode()).hexdigest()
    assert well_formed(key.text)
    assert key.text not in key.sha256


def test_new_key__many__are_all_different_in_every_part() -> None:
    keys = [new_key() for _ in range(2_000)]
    for part in (
        {key.text for key in keys},
        {key.sha256 for key in keys},
        {key.key_id for key in keys},
        {key.text[14:78] for key in keys},
    ):
        assert len(part) == len(keys)


def test_new_key__secret_part__uses_all_its_bits() -> None:
    bits = [int(new_key().text[14:78], 16) for _ in range(400)]
    for position in range(256):
        assert 100 < sum(number >> position & 1 for number in bits) < 300


def test_well_formed__checksum__is_crc32_and_stays_so() -> None:
    assert well_formed(GOOD)
    assert hash_key(GOOD) == hashlib.sha256(GOOD.encode()).hexdigest()


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("0123456789abcdef_iwx "))
def test_well_formed__one_mistyped_character__is_seen(position: int, character: str) -> None:
    typed = GOOD[:position] + character + GOOD[position + 1 :]
    assert well_formed(typed) == (typed == GOOD)


@given(st.integers(0, len(GOOD) - 2))
def test_well_formed__two_characters_swapped__is_seen(position: int) -> None:
    typed = GOOD[:position] + GOOD[position + 1] + GOOD[position] + GOOD[position + 2 :]
    assert well_formed(typed) == (typed == GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "iw_",
        "sk-sandbox",
        GOOD[:-1],
        GOOD + "0",
        GOOD + "\n",
        " " + GOOD,
        GOOD.upper(),
        GOOD.replace("iw_", "IW_"),
        GOOD[:-1] + "\u0665",
        GOOD.replace("0", "\uff10"),
        "x" * 1_000_000,
    ],
)
def test_well_formed__anything_else__is_not(text: str) -> None:
    assert not well_formed(text)


@given(st.text(max_size=120))
def test_well_formed__any_text__is_answered(text: str) -> None:
    assert well_formed(text) in (True, False)


@pytest.mark.parametrize("text", ["", "Bearer", "ünïcode", "\udcff\udc80", "a\x00b"])
def test_hash_key__any_header_text__has_a_hash(text: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", hash_key(text))


def test_default_scopes__are_call_and_resolve() -> None:
    assert default_scopes() == ["call", "resolve"]
