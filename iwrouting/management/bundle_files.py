"""Bundles and plan files on disk, for commands."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import CommandError

from iwrouting.planning import Plan, StalePlan
from iwrouting.planning.bundles import Bundle, BundlePlan, BundleRefused, plan_bundle, read_bundle
from iwrouting.planning.bundles.nodes import MAX_BYTES

Made = TypeVar("Made")
STDIN = "-"
PLAN_VERSION = 1


def read_bundle_file(name: str) -> Bundle:
    """The bundle of a file, or of standard input for `-`. Raises CommandError with a line for each fault."""
    data = read_given(name)
    return _told(lambda: read_bundle(data, called(name)))


def read_given(name: str) -> bytes:
    """The bytes of a file, or of standard input for `-`; of a long one enough to tell. Raises CommandError."""
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1) if name == STDIN else _read(Path(name))
    except OSError as error:
        raise CommandError(f"{name} can't be read: {error.strerror or error}.") from None


def called(name: str) -> str:
    """What faults call a file that was named."""
    return "standard input" if name == STDIN else Path(name).name


def plan_bundle_file(bundle: Bundle, *, prune: bool) -> BundlePlan:
    """The plan of a bundle. Raises CommandError with a line for each fault."""
    return _told(lambda: plan_bundle(bundle, prune=prune))


def write_plan_file(name: str, plan: Plan, *, prune: bool) -> None:
    """Write down which revision a plan stands on and what it does, by its digest. Raises CommandError."""
    stated = {"version": PLAN_VERSION, "base": plan.base, "digest": plan.digest, "prune": prune}
    write_file(name, json.dumps(stated, indent=1) + "\n")


def check_plan_file(name: str, plan: Plan, *, prune: bool) -> None:
    """Raise StalePlan or CommandError unless a plan is the one that was written down."""
    stated = _plan_file(name)
    if stated["base"] != plan.base:
        raise StalePlan(f"Config changed since this plan (revision {stated['base']} -> {plan.base}). Plan again.")
    if stated["prune"] != prune:
        said = "with --prune: give it here too" if stated["prune"] else "without --prune: leave it out here too"
        raise CommandError(f"{name} was made {said}, or plan again.")
    if stated["digest"] != plan.digest:
        raise CommandError(f"{name} is the plan of another bundle than this one: plan again.")


def write_file(name: str, text: str) -> None:
    """Write a file whole or not at all; a pipe or a device such as /dev/stdout, as it comes. Raises CommandError."""
    path = Path(name)
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path.resolve(), text)
    except OSError as error:
        raise CommandError(f"{name} can't be written: {error.strerror or error}.") from None


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _plan_file(name: str) -> Mapping[str, Any]:
    try:
        stated = json.loads(_read(Path(name)))
    except OSError as error:
        raise CommandError(f"{name} can't be read: {error.strerror or error}.") from None
    except ValueError:
        stated = None
    wanted = {"version": int, "base": int, "digest": str, "prune": bool}
    if not isinstance(stated, dict) or any(not isinstance(stated.get(key), kind) for key, kind in wanted.items()):
        raise CommandError(f"{name} is no plan file: make one by config_plan --output.")
    if stated["version"] != PLAN_VERSION:
        raise CommandError(f"{name} has version {stated['version']}; this release reads {PLAN_VERSION}: plan again.")
    return stated


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _told(work: Callable[[], Made]) -> Made:
    try:
        return work()
    except BundleRefused as error:
        raise CommandError("\n".join(fault.told() for fault in error.faults)) from None
