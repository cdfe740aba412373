"""The live matrix written down: the same matrix always gives the same bytes, and `routing_check` reads each form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from iwrouting.planning.bundles.writing import as_yaml
from iwrouting.planning.matrix.live import Matrix, Row, Served
from iwrouting.planning.matrix.words import EN_DASH, Form
from iwrouting.types import Kind
from iwrouting.types.faults import ALL_PROJECTS_NAME

VERSION = 1
SPECIAL = re.compile(r"([\\`<\[])")
TITLE = f"""\
# InfinityWindow {EN_DASH} Model & Routing Matrix

Written by `manage.py matrix_export` from the matrix of iwrouting. `manage.py routing_check FILE` reads it back and
names every difference to what is live: edit both, or neither.
"""
YAML_HEADER = """\
# The matrix of iwrouting, made by `manage.py matrix_export --format yaml`; `manage.py routing_check FILE` compares it
# with what is live. default: the alias's default; of a list, any model will do. design: what the profile design has.
"""
YAML_SERVED = """\
# What overrides and environment make of them, where a default does not serve: ALIAS for PROJECT, or for all projects.
"""
ENV_HEADER = "# What serves each alias {whom}, made by `manage.py matrix_export --format env`.\n"
KINDS = ((Kind.CHAT_MODE, "Chat mode"), (Kind.ROLE, "Role alias"), (Kind.EMBEDDING, "Embeddings"))


def write_matrix(matrix: Matrix, form: Form) -> str:
    """The document. `env` leaves out what an environment can't say; `unsaid` names it."""
    return {Form.MARKDOWN: _markdown, Form.YAML: _yaml, Form.ENV: _env}[form](matrix)


def unsaid(matrix: Matrix) -> list[str]:
    """What the form `env` can't say, a line for each alias."""
    found = []
    for variable, models in _by_variable(matrix).items():
        first = next(iter(models.values()))
        for alias, model in models.items():
            if not variable:
                found.append(f"{alias} reads no variable: {model or 'nothing'} serves it")
            elif model != first:
                found.append(f"{alias} reads {variable} as well, and {model or 'nothing'} serves it")
    return found


def _markdown(matrix: Matrix) -> str:
    parts = [TITLE, "## 2. Global Model Config (Env Variables)\n", *_variables(matrix), "## 3. Defaults\n"]
    parts += [*_defaults(matrix), *_effective(matrix), "## 6. Backend Helpers\n", *_tables(matrix)]
    return "\n".join(parts)


def _variables(matrix: Matrix) -> Iterator[str]:
    for number, (kind, title) in enumerate(KINDS, start=1):
        yield f"### 2.{number} {title}{' envs' if kind is not Kind.EMBEDDING else ''}\n"
        rows = _of(matrix, kind)
        yield _listed(f"- {_subject(row)}{_purpose(row)}" for row in rows)


def _defaults(matrix: Matrix) -> Iterator[str]:
    for number, (kind, title) in enumerate(KINDS, start=1):
        yield f"### 3.{number} {title}{' defaults' if kind is not Kind.EMBEDDING else ''}\n"
        rows = [row for row in _of(matrix, kind) if row.default]
        if kind is not Kind.CHAT_MODE and all(row.design in ("", row.default) for row in rows):
            yield _listed(f"- {_subject(row)} → `{row.default}`" for row in rows)
            continue
        runtime = [f"  - {_subject(row)} → `{row.default}`" for row in rows]
        design = [f"  - {_subject(row)} → `{row.design}`" for row in rows if row.design]
        yield _listed(["- **Runtime (what is live)**:", *runtime] if runtime else [])
        if design:
            yield _listed(["- **Design targets (the built-in profile `design`)**:", *design])


def _effective(matrix: Matrix) -> Iterator[str]:
    yield "### 3.4 What overrides and environment make of them\n"
    if matrix.served:
        yield _listed(f"- `{each.alias}` for {_whom(each)}: `{each.model}` ({_why(each)})" for each in matrix.served)
    else:
        yield "Nothing: each default serves.\n"


def _tables(matrix: Matrix) -> Iterator[str]:
    rows = _of(matrix, Kind.ROLE)
    variables = [(row.facts.name, row.facts.variable) for row in rows if row.facts.variable]
    yield _table("_ROLE_ENV_VARS", variables)
    yield _table("_ROLE_DEFAULT_MODELS", [(row.facts.name, row.default) for row in rows if row.default])


def _table(name: str, entries: Sequence[tuple[str, str]]) -> str:
    body = "".join(f'    "{key}": "{value}",\n' for key, value in entries)
    return f"```python\n{name} = {{\n{body}}}\n```\n"


def _listed(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines) or "None.\n"


def _of(matrix: Matrix, kind: Kind) -> list[Row]:
    return [row for row in matrix.rows if row.facts.kind is kind]


def _subject(row: Row) -> str:
    if not row.facts.variable:
        return f"`{row.facts.name}` (no variable)"
    return f"`{row.facts.variable}`" + ("" if row.is_usual else f" (alias `{row.facts.name}`)")


def _purpose(row: Row) -> str:
    """What an alias is for, on one line and as text, whatever an editor wrote."""
    text = " ".join("".join(each if each.isprintable() else " " for each in row.facts.purpose).split())
    escaped = SPECIAL.sub(r"\\\1", text)
    return f" {EN_DASH} {escaped}" if text else ""


def _whom(served: Served) -> str:
    return ALL_PROJECTS_NAME if served.project is None else f"`{served.project}`"


def _why(served: Served) -> str:
    return served.source.value.replace("_", " ")


def _yaml(matrix: Matrix) -> str:
    aliases = {"aliases": {row.facts.name: dict(_fields(row)) for row in matrix.rows}}
    effective = {
        f"{each.alias} for {each.project or ALL_PROJECTS_NAME}": {"model": each.model, "source": each.source.value}
        for each in matrix.served
    }
    head = as_yaml({"matrix": VERSION})
    return YAML_HEADER + head + as_yaml(aliases) + YAML_SERVED + as_yaml({"effective": effective})


def _fields(row: Row) -> Iterator[tuple[str, str]]:
    facts = row.facts
    yield "kind", facts.kind.value
    for name, value in (
        ("variable", facts.variable),
        ("default", row.default),
        ("design", row.design),
        ("tier", facts.tier),
        ("purpose", facts.purpose),
    ):
        if value:
            yield name, value


def _env(matrix: Matrix) -> str:
    whom = f"for the project {matrix.project}" if matrix.project else f"for {ALL_PROJECTS_NAME}"
    lines = [ENV_HEADER.format(whom=whom)]
    for variable, models in _by_variable(matrix).items():
        model = next(iter(models.values()))
        if variable and model:
            lines.append(f"{variable}={model}\n")
    return "".join(lines)


def _by_variable(matrix: Matrix) -> dict[str, dict[str, str]]:
    """Of each variable the aliases that read it, with the models that serve them."""
    served = {each.alias: each.model for each in matrix.served if each.project == matrix.project}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in matrix.rows:
        found[row.facts.variable][row.facts.name] = served.get(row.facts.name, row.default)
    return found
