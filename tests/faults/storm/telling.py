"""What storms came to, as a table: `make faults` prints it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from tests.faults.storm.seen import Happened, Seen

WORDS = ("missing", "duplicate", "open")


def told(found: Sequence[Seen]) -> str:
    """All of it, one database after another."""
    names = list(dict.fromkeys(seen.database for seen in found))
    return "\n".join(line for name in names for line in _database([seen for seen in found if seen.database == name]))


def _database(found: Sequence[Seen]) -> Iterator[str]:
    calls = [call for seen in found for call in seen.calls]
    counts: Counter[str] = Counter()
    for seen in found:
        counts += seen.counts
    yield ""
    yield f"{found[0].database}: seeds {found[0].seed} to {found[-1].seed}, {len(calls)} calls"
    yield from _faults(found)
    statuses = Counter("no answer" if call.status == 0 else str(call.status) for call in calls)
    yield "answers: " + ", ".join(f"{status} {count}" for status, count in sorted(statuses.items()))
    away = Counter(call.code for call in calls if call.status == 503)
    yield "503: " + (", ".join(f"{code} {count}" for code, count in sorted(away.items())) or "none")
    yield "audit: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    if found[0].sessions:
        yield f"sessions at once: {max(seen.sessions for seen in found)}"
    wrong = [fault for seen in found for fault in seen.wrong]
    sums = {word: sum(fault.startswith(f"{word}:") for fault in wrong) for word in WORDS}
    yield ", ".join(f"{word} {count}" for word, count in sums.items()) + f", wrong in all {len(wrong)}"
    yield from (f"  {fault}" for fault in wrong[:50])


def _faults(found: Sequence[Seen]) -> Iterator[str]:
    happened: dict[str, list[Happened]] = defaultdict(list)
    for seen in found:
        for fault in (*seen.database_faults, *seen.process_faults):
            happened[fault.name].append(fault)
    yield f"{'fault':<26}{'times':>6}{'longest':>9}{'recovered: median':>19}{'slowest':>9}"
    for name, times in sorted(happened.items()):
        back = [time for seen in found for time in seen.recoveries(name)]
        line = f"{name:<26}{len(times):>6}{max(each.ended - each.began for each in times):>7.1f} s"
        yield line + (f"{median(back):>17.2f} s{max(back):>7.2f} s" if back else f"{'-':>19}{'-':>9}")
