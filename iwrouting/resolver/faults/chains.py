"""Structural faults of aliases: defaults and chains that can't work."""

from __future__ import annotations

from collections.abc import Iterator

from iwrouting.resolver.faults.places import path
from iwrouting.resolver.names import nearest
from iwrouting.types import AliasFacts, Configuration, Kind
from iwrouting.types.faults import MAX_CHAIN, Fault, ObjectType, unusable


def chain_faults(config: Configuration) -> Iterator[Fault]:
    """The faults of every alias by itself and of its rungs' names."""
    for alias in config.aliases.values():
        fault = unusable(alias)
        if fault is not None:
            yield fault
        if alias.kind is not Kind.EMBEDDING:
            yield from _shape(alias)
            yield from _rungs(config, alias)


def _fault(alias: AliasFacts, code: str, message: str, subject: str = "") -> Fault:
    return Fault(code, ObjectType.ALIAS, alias.name, message, "chain", subject)


def _shape(alias: AliasFacts) -> Iterator[Fault]:
    name, chain = alias.name, alias.chain
    if name in chain:
        way = " -> ".join((name, *chain[: chain.index(name) + 1]))
        yield _fault(alias, "chain_cycle", f"The chain of {name} names {name} itself ({way}): a cycle. Remove it.")
    for rung in dict.fromkeys(chain):
        if rung != name and chain.count(rung) > 1:
            text = f"The chain of {name} names {rung} twice ({path(alias)}). Remove one."
            yield _fault(alias, "chain_repeats", text, rung)
    if (more := len(chain) - MAX_CHAIN) > 0:
        text = f"The chain of {name} has {len(chain)} rungs ({path(alias)}): at most {MAX_CHAIN} follow the primary. "
        yield _fault(alias, "chain_too_long", f"{text}Remove {more}.")


def _rungs(config: Configuration, alias: AliasFacts) -> Iterator[Fault]:
    for rung in dict.fromkeys(alias.chain):
        found = config.aliases.get(rung)
        if found is not None and found.kind is Kind.EMBEDDING:
            text = f"{rung} is an embedding alias and can't answer a chat ({path(alias)}). Remove it."
            yield _fault(alias, "wrong_kind", text, rung)
        elif found is None and rung not in config.models:
            yield _fault(alias, "rung_unknown", _unknown(config, alias, rung), rung)


def _unknown(config: Configuration, alias: AliasFacts, rung: str) -> str:
    near = nearest(rung.rpartition(":")[2], config.aliases) or nearest(rung, config.models)
    hint = f"Did you mean {near}?" if near else "Add the model, or name another rung."
    return f"{rung} is neither an alias nor a model of the catalogue ({path(alias)}). {hint}"
