"""A written matrix against the live one: each difference once, with its lines and where it is mended. Pure.

docs/matrix.md has the rules. A document that says nothing of a thing is not wrong about it, but it has to name each
alias, its variable and its default, unless it is a file of the environment, which can only name what serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from iwrouting.catalogue import PROFILES, MatrixAlias
from iwrouting.planning.bundles.faults import instead
from iwrouting.planning.matrix.differences import SERVES, Code, Difference
from iwrouting.planning.matrix.live import Served, serving, with_own
from iwrouting.planning.matrix.words import Form, Statement, What, Written
from iwrouting.types import AliasFacts, Configuration, Source

NOTHING = "nothing"
BUILTIN_FIX = "nothing to mend: a fresh installation begins with it, and it serves where no database was ever seen"


@dataclass(frozen=True, slots=True)
class Asked:
    """Under what a document is compared: the profile whose defaults are to be live, and for whom (None: for all)."""

    config: Configuration
    now: datetime
    builtin: Mapping[str, MatrixAlias]
    profile: str
    project: str | None = None


def compare(written: Written, asked: Asked) -> tuple[Difference, ...]:
    """Every difference, drift before notes, in the order of the document's lines."""
    by_alias: dict[str, list[Statement]] = {}
    found: list[Difference] = []
    for statement in _by_readers(written.statements, asked.config):
        by_alias.setdefault(statement.alias or statement.variable, []).append(statement)
    for name, said in by_alias.items():
        alias = asked.config.aliases.get(name)
        found += [_missing(name, said, asked)] if alias is None else _Alias(alias, said, written, asked).differences()
    found += [
        _unwritten(each, written, asked) for each in asked.config.aliases.values() if _lacks(each, by_alias, written)
    ]
    found += _strays(written, asked)
    return tuple(sorted(found, key=lambda each: (each.level, each.lines or (1 << 30,), each.alias, each.project or "")))


def _by_readers(statements: Iterable[Statement], config: Configuration) -> Iterator[Statement]:
    """Statements on a variable, once for each live alias that reads it."""
    for statement in statements:
        readers = [alias.name for alias in config.aliases.values() if alias.variable == statement.variable]
        if statement.alias or not readers:
            yield statement
        else:
            yield from (replace(statement, alias=name) for name in readers)


def _lacks(alias: AliasFacts, by_alias: Mapping[str, list[Statement]], written: Written) -> bool:
    return alias.name not in by_alias and not (written.form is Form.ENV and not alias.variable)


def _missing(name: str, said: list[Statement], asked: Asked) -> Difference:
    by_variable = not said[0].alias
    live = "no alias reads it" if by_variable else f"no such alias. {instead(name, asked.config.aliases)}"
    fix = told_lines(_lines(said)) + ("; or admin: Aliases, add" if asked.config.database else "")
    return Difference(Code.MISSING_ALIAS, name, _lines(said), name, live, fix)


def _unwritten(alias: AliasFacts, written: Written, asked: Asked) -> Difference:
    live = f"{alias.variable or 'no variable'}, {alias.default_model.strip() or NOTHING}"
    fix = _add_fix(written) + (f"; or admin: Aliases, {alias.name}" if asked.config.database else "")
    return Difference(Code.UNWRITTEN_ALIAS, alias.name, (), NOTHING, live, fix)


def _strays(written: Written, asked: Asked) -> Iterator[Difference]:
    """Variables that are set for nobody: no alias reads them, and no line of the document names them."""
    known = {alias.variable for alias in asked.config.aliases.values()} | {each.variable for each in written.statements}
    for name, value in sorted(asked.config.environment.values.items()):
        if value.strip() and name not in known:
            live, fix = f"{name} is set, and no alias reads it", f"unset {name}"
            yield Difference(Code.VARIABLE_NOT_READ, "", (), NOTHING, live, fix, is_note=True)


class _Alias:
    """One alias that is written and live."""

    def __init__(self, alias: AliasFacts, said: list[Statement], written: Written, asked: Asked) -> None:
        self.alias = alias
        self.written = written
        self.asked = asked
        self.said = {what: [each for each in said if each.what is what] for what in What}
        self.whole = written.form is not Form.ENV

    def differences(self) -> Iterator[Difference]:
        """Everything that differs, each once."""
        yield from self._plain(What.KIND, Code.OTHER_KIND, self.alias.kind.value)
        yield from self._plain(What.VARIABLE, Code.OTHER_VARIABLE, self.alias.variable)
        yield from self._contradictory_defaults()
        default = list(self._default())
        yield from default
        for project in self._projects():
            yield from self._effective(project)
        yield from self._builtin(default)

    def _plain(self, what: What, code: Code, live: str) -> Iterator[Difference]:
        """A thing that has one value."""
        said = self.said[what]
        if not said and what is What.VARIABLE and self.whole and live:
            yield self._difference(Code.UNWRITTEN_VARIABLE, (), NOTHING, live, _add_fix(self.written))
        if len({each.values for each in said}) > 1:
            yield self._contradiction(said, live)
        if said and all(live not in each.values for each in said):
            yield self._difference(code, said, told_values(said), live or NOTHING, self._fix(said))

    def _contradictory_defaults(self) -> Iterator[Difference]:
        told: set[int] = set()
        for profile in PROFILES:
            said = self._defaults(profile)
            if said and not _allowed(said) and not set(_lines(said)) <= told:
                told |= set(_lines(said))
                yield self._contradiction(said, self.alias.default_model.strip())
        for project in dict.fromkeys(each.project for each in self.said[What.EFFECTIVE]):
            said = self._stated(project)
            if not _allowed(said):
                yield self._contradiction(said, serving(self.asked.config, self.alias, project, self.asked.now).model)

    def _default(self) -> Iterator[Difference]:
        live = self.alias.default_model.strip()
        said = self._defaults(self.asked.profile)
        if not said and self.whole and live:
            yield self._difference(Code.UNWRITTEN_DEFAULT, (), NOTHING, live, _add_fix(self.written))
        elif said and live not in (_allowed(said) or _any(said)):
            wrong = [each for each in said if live not in each.values]
            yield self._difference(Code.OTHER_DEFAULT, wrong, told_values(wrong), live or NOTHING, self._fix(wrong))

    def _effective(self, project: str | None) -> Iterator[Difference]:
        found = serving(self.asked.config, self.alias, project, self.asked.now)
        stated = self._stated(project) or self._stated(None)
        if not stated and found.source is Source.DEFAULT:
            return
        said = stated or self._defaults(self.asked.profile)
        if said and found.model not in (_allowed(said) or _any(said)):
            live = f"{found.model or NOTHING} ({found.source.value.replace('_', ' ')})"
            fix = f"{_undo(found)}; or {told_lines(_lines(said))}"
            told = self._difference(SERVES[found.source], said, told_values(said), live, fix)
            yield replace(told, project=project, is_note=not self.whole and project != self.asked.project)

    def _builtin(self, told: list[Difference]) -> Iterator[Difference]:
        """Where the built-in matrix has another default than the document, unless that is told of what is live."""
        entry = self.asked.builtin.get(self.alias.name)
        seen = {(each.live, line) for each in told for line in each.lines}
        for profile in PROFILES if entry is not None else ():
            model = entry.model(profile) if entry is not None else ""
            said = self._stated_defaults(profile)
            wrong = [each for each in said if model not in each.values and (model, each.line) not in seen]
            if wrong and model not in (_allowed(said) or _any(said)):
                seen |= {(model, each.line) for each in wrong}
                live = f"{model} (built-in profile {profile})"
                found = self._difference(Code.BUILTIN_DIFFERS, wrong, told_values(wrong), live, BUILTIN_FIX)
                yield replace(found, is_note=True)

    def _projects(self) -> list[str | None]:
        if self.asked.project is not None:
            return [self.asked.project]
        own = with_own(self.asked.config, self.alias.name, self.asked.now)
        said = [each.project for each in self.said[What.EFFECTIVE]]
        return [*dict.fromkeys([None, *own, *said])]

    def _stated(self, project: str | None) -> list[Statement]:
        return [each for each in self.said[What.EFFECTIVE] if each.project == project]

    def _stated_defaults(self, profile: str) -> list[Statement]:
        return [each for each in self.said[What.DEFAULT] if each.profile in ("", profile)]

    def _defaults(self, profile: str) -> list[Statement]:
        """The defaults of a profile; of an alias without a target, those that it has anyway."""
        return self._stated_defaults(profile) or self._stated_defaults(PROFILES[0])

    def _contradiction(self, said: list[Statement], live: str) -> Difference:
        fix = f"make {told_lines(_lines(said))} say the same"
        return self._difference(Code.CONTRADICTION, said, told_values(said), live or NOTHING, fix)

    def _difference(self, code: Code, said: Iterable[Statement], text: str, live: str, fix: str) -> Difference:
        return Difference(code, self.alias.name, _lines(said), text, live, fix)

    def _fix(self, said: list[Statement]) -> str:
        """The row, where there is one, or the lines."""
        row = f"admin: Aliases, {self.alias.name}; or " if self.asked.config.database else ""
        return f"{row}{told_lines(_lines(said))}"


def _add_fix(written: Written) -> str:
    return f"write it down as matrix_export --format {written.form} does"


def _undo(found: Served) -> str:
    """Where what serves is changed."""
    if found.source is Source.ENVIRONMENT:
        return f"unset {found.ref}"
    if found.source is Source.DEFAULT:
        return f"admin: Aliases, {found.alias}"
    return f"admin: Overrides, {found.ref.removeprefix('override:')}"


def _allowed(said: Iterable[Statement]) -> set[str]:
    """What all of the statements let pass."""
    return set.intersection(*(set(each.values) for each in said)) if said else set()


def _any(said: Iterable[Statement]) -> set[str]:
    return {value for each in said for value in each.values}


def _lines(said: Iterable[Statement]) -> tuple[int, ...]:
    return tuple(sorted({each.line for each in said}))


def told_lines(lines: tuple[int, ...]) -> str:
    """The lines of a document in words."""
    return f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}"


def told_values(said: Iterable[Statement]) -> str:
    """What statements say, each value once: alternatives with `or`, other lines' values after a semicolon."""
    return "; ".join(dict.fromkeys(" or ".join(value or NOTHING for value in each.values) for each in said))
