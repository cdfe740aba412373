"""Where `audit_verify --resume` keeps how far it came: a file for its owner alone, replaced as a whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from iwrouting.audit.tamper.findings import Finding, Tally
from iwrouting.audit.tamper.following import Place
from iwrouting.audit.tamper.verifying import Checkpoint, Position

VERSION = 1


class BadState(Exception):
    """The file can't be used; the text says why and what to do."""


def read_state(path: Path, scope: Mapping[str, Any]) -> Checkpoint | None:
    """From where to go on; None where there is no such file yet. Raises BadState."""
    try:
        told = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError) as error:
        raise BadState(f"{path} can't be read: {error}. Remove it to begin anew") from error
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise BadState(f"{path} is no state of audit_verify of this release. Name another file, or remove it")
    if told["scope"] != scope:
        raise BadState(f"{path} is of a run with other options ({told['scope']}). Give those, or name another file")
    return _checkpoint(told)


def _checkpoint(told: Mapping[str, Any]) -> Checkpoint:
    place = told["place"]
    tally = Tally(**told["tally"])
    tally.findings = [Finding(**each) for each in told["tally"]["findings"]]
    tally.pending = [Finding(**each) for each in told["tally"]["pending"]]
    return Checkpoint(Position(told["writer"], None if place is None else Place(*place)), tally)


def write_state(path: Path, scope: Mapping[str, Any], checkpoint: Checkpoint) -> None:
    """Keep it. Raises OSError."""
    writer, place = checkpoint.position
    told = {"version": VERSION, "scope": scope, "writer": writer, "place": place and [*place]}
    own = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(own, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps({**told, "tally": asdict(checkpoint.tally)}, option=orjson.OPT_INDENT_2))
    own.replace(path)
