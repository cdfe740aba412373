"""What a run has left, at random: never overshot, and every call settled once."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from iwrouting.audit import Reserve, Settle, Verdict
from iwrouting.audit.writing.budget import Account, Books

KEY = ("atlas", "run-1")
sizes = st.integers(0, 60)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 200),
    st.lists(st.tuples(st.sampled_from("rs"), st.integers(0, 9), sizes, sizes), max_size=40),
)
def test_books__random_claims__never_overshoot_and_settle_once(
    limit: int, steps: list[tuple[str, int, int, int]]
) -> None:
    books = Books({KEY: Account(1, None, 0)})
    account = books.accounts[KEY]
    open_calls: dict[str, int] = {}
    ended: dict[str, int] = {}
    for kind, number, one, other in steps:
        ident = f"{number:032x}"
        if kind == "r" and ident not in ended:
            least, wanted = sorted((one, other))
            verdict = books.book(Reserve(KEY, ident, least, wanted, limit, datetime.now(UTC)))
            if verdict.granted is not None:
                assert open_calls.setdefault(ident, verdict.granted) == verdict.granted
        elif kind == "s":
            taken = min(one, open_calls.get(ident, 0))
            books.book(Settle(KEY, ident, taken))
            if ident in open_calls:
                ended[ident] = taken
                del open_calls[ident]
        assert account.used == sum(ended.values())
        assert account.reserved == sum(open_calls.values())
        assert account.used + account.reserved <= limit


def test_books__an_operators_limit__stands_in_the_place_of_the_projects() -> None:
    books = Books({KEY: Account(1, 50, 20, reserved=10)})
    ask = Reserve(KEY, "a" * 32, least=5, wanted=90, limit=10, expires_at=datetime.now(UTC))
    assert books.book(ask) == Verdict(20, limit=50, used=20, reserved=10)
