"""`manage.py tokenizers`: what is there, what is damaged, and unpacking it; the service does not start without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from iwrouting.conf import settings
from iwrouting.server.starting import CannotStart, check_start
from iwrouting.tokens import files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("iwrouting.management.commands.tokenizers.tokenizers_dir", lambda: tmp_path / "own")
    return tmp_path / "own"


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == 1
    return {file["encoding"]: file["state"] for file in found["files"]}


def test_tokenizers__before_and_after_prepare__says_what_is_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="--prepare") as missing:
        call_command("tokenizers", format="json")
    assert missing.value.returncode == 3
    assert set(shown(capsys).values()) == {"missing"}
    call_command("tokenizers", "--prepare", format="json")
    assert set(shown(capsys).values()) == {"good"}
    (folder / files.FILES[0].name).write_bytes(b"damaged")
    with pytest.raises(CommandError):
        call_command("tokenizers", format="table")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(line[0], line[1]) for line in lines] == [("o200k_base", "damaged"), ("cl100k_base", "good")]


def test_start__folder_that_can_not_be_made__is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("iwrouting.server.starting.tokenizers_dir", lambda: tmp_path / "file")
    with pytest.raises(CannotStart, match="IW_TOKENIZERS_DIR: the folder") as refused:
        check_start(settings(), "127.0.0.1", 1, 1)
    assert "\n" not in str(refused.value)
