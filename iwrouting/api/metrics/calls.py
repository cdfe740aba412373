"""The metrics of calls: what all workers of this `serve` have counted, added up. Needs no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate

from iwrouting.api.metrics.text import Family, Number
from iwrouting.meters import Meters, Metric, names


def families(meters: Meters, host: str, metrics: Collection[Metric] = names.METRICS) -> list[Family]:
    """Their families. `host` and `pid` are those of the `serve`: a worker that is replaced changes no series."""
    owner = {"host": host, "pid": str(meters.owner)}
    counted = meters.board.read()
    found = {metric.name: Family(metric.name, metric.kind, metric.help) for metric in metrics}
    known = {metric.name: metric for metric in metrics}
    for name, *values in sorted(counted):
        metric, numbers = known.get(name), counted[(name, *values)]
        if metric is None or len(values) != len(metric.labels) or len(numbers) != metric.width:
            continue
        if any(numbers) or any(value != names.OTHER for value in values):
            labels = {label: value for label, value in zip(metric.labels, values, strict=True) if value}
            _add(found[name], metric, owner | labels, numbers)
    return list(found.values())


def _add(family: Family, metric: Metric, labels: Mapping[str, str], numbers: Sequence[int]) -> None:
    if metric.kind != "histogram":
        family.add(_told(numbers[0], metric.per), **labels)
        return
    bounds = [*(str(_told(bound, metric.per)) for bound in metric.bounds), "+Inf"]
    *buckets, total = numbers
    reached = list(accumulate(buckets))
    for bound, count in zip(bounds, reached, strict=True):
        family.add(count, suffix="_bucket", **labels, le=bound)
    family.add(_told(total, metric.per), suffix="_sum", **labels)
    family.add(reached[-1], suffix="_count", **labels)


def _told(number: int, per: int) -> Number:
    return number if per == 1 else number / per
