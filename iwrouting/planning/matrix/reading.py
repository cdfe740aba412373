"""Read a written matrix, whichever form it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from iwrouting.planning.matrix.machine import SETTING, read_env, read_yaml
from iwrouting.planning.matrix.markdown import read_markdown
from iwrouting.planning.matrix.words import Form, MatrixFault, MatrixRefused, Written

MAX_BYTES = 2**18
YAML_KEY = re.compile(r"(?:matrix|aliases|effective|version|overrides):(?:\s.*)?")
NO_CONTENT = re.compile(r"\s*(?:#(?!#).*|-{3,}\s*)?")
READERS: Mapping[Form, Callable[[str], Written]] = {
    Form.MARKDOWN: read_markdown,
    Form.YAML: read_yaml,
    Form.ENV: read_env,
}


def read_matrix(data: bytes, form: Form | None = None) -> Written:
    """What a document says; its form is told by its first line that is no comment. Raises MatrixRefused."""
    if len(data) > MAX_BYTES:
        raise MatrixRefused([MatrixFault(1, f"It has {len(data):,} bytes; a matrix has at most {MAX_BYTES:,}.")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MatrixRefused([MatrixFault(line, "It is not UTF-8 text: save it as UTF-8.")]) from None
    found = READERS[form or form_of(text)](text)
    if not found.statements:
        raise MatrixRefused([MatrixFault(1, f"Nothing in it was read as a matrix ({found.form}): {_expected(found)}")])
    return found


def form_of(text: str) -> Form:
    """The form of a document, by its first line that is neither blank nor a comment of an environment or of YAML."""
    lines = (line.rstrip() for line in text.split("\n"))
    first = next((line for line in lines if not NO_CONTENT.fullmatch(line)), "")
    if SETTING.fullmatch(first):
        return Form.ENV
    return Form.YAML if YAML_KEY.fullmatch(first) else Form.MARKDOWN


def _expected(found: Written) -> str:
    return {
        Form.MARKDOWN: "expected lines such as - `OPENAI_MODEL_FAST` → `gpt-4.1-mini`.",
        Form.YAML: "expected aliases under `aliases`.",
        Form.ENV: "expected lines such as OPENAI_MODEL_FAST=gpt-4.1-mini.",
    }[found.form]
