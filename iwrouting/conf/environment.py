"""The environment layer of the resolver, and secrets by reference.

The routing variables are read once at start: from the process's environment, then from `.env`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from functools import cache

from dotenv import dotenv_values

from iwrouting.conf.settings import Settings, SettingsError, env_file, settings
from iwrouting.types import EnvironmentFacts

ROUTING_VARIABLE = re.compile(r"OPENAI_MODEL_[A-Z0-9_]{1,64}|OPENAI_EMBEDDING_MODEL")
"""The only names an alias may read: anything wider would let an alias show a secret as its model."""

MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
"""What a provider's model id may look like."""

SECRET_VARIABLE = re.compile(r"OPENAI_API_KEY|IW_UPSTREAM_[A-Z0-9_]{1,64}")
"""The only variables that `env:` may name (design.md 9.5)."""

SECRET_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@cache
def variables() -> Mapping[str, str]:
    """Every variable that this process sees: `.env` first, the real environment over it."""
    values = {name: value for name, value in dotenv_values(env_file()).items() if value is not None}
    return {**values, **os.environ}


def read_environment() -> EnvironmentFacts:
    """The routing variables now in force. Raises SettingsError for a value that can't be a model id."""
    values = {name: value.strip() for name, value in variables().items() if ROUTING_VARIABLE.fullmatch(name)}
    bad = sorted(name for name, value in values.items() if value and not MODEL_ID.fullmatch(value))
    if bad:
        raise SettingsError(
            [f"{name}: must be a model id such as gpt-4.1 (letters, digits and ._:/@+-)" for name in bad]
        )
    return EnvironmentFacts(id=environment_id(values), values=values)


def where_set(name: str) -> str:
    """Where a variable that this process sees has its value: its environment, or the file `.env` by its path."""
    return "the environment" if name in os.environ else str(env_file())


def environment_id(values: Mapping[str, str]) -> str:
    """The id of one set of routing variables: the same values always give the same id."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def environment_secret_ref() -> str:
    """Which variable holds the key of the upstream that the environment defines (design.md 5, Loops)."""
    ours = variables().get("IW_UPSTREAM_API_KEY", "").strip()
    return "env:IW_UPSTREAM_API_KEY" if ours else "env:OPENAI_API_KEY"


def secret_ref_fault(reference: str) -> str:
    """Why a reference is not allowed, or an empty string. Reads nothing."""
    scheme, _, name = reference.partition(":")
    if scheme == "env" and SECRET_VARIABLE.fullmatch(name):
        return ""
    if scheme == "file" and SECRET_FILE.fullmatch(name):
        return ""
    return "must be env:OPENAI_API_KEY, env:IW_UPSTREAM_<NAME>, or file:<name> of a file in IW_SECRETS_DIR"


def read_secret(reference: str, conf: Settings | None = None) -> str | None:
    """The secret behind `env:NAME` or `file:NAME`; None where it is missing, not allowed, or fits in no header."""
    if secret_ref_fault(reference):
        return None
    scheme, _, name = reference.partition(":")
    text = variables().get(name, "") if scheme == "env" else _secret_file(name, conf or settings())
    secret = text.strip()
    return secret if secret and secret.isprintable() else None


def _secret_file(name: str, conf: Settings) -> str:
    if conf.secrets_dir is None:
        return ""
    try:
        folder = conf.secrets_dir.resolve()
        path = (folder / name).resolve()
        return path.read_text(encoding="utf-8") if path.parent == folder and path.is_file() else ""
    except (OSError, RuntimeError, UnicodeDecodeError):  # RuntimeError: links in a circle
        return ""
