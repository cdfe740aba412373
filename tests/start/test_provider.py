"""With a provider's key no sandbox is started, wherever the key stands, and the start says who is called."""

from __future__ import annotations

import pytest

from tests.start.folder import Folder

SECRET = "sk-proj-of-a-real-provider"


def write_env_file(folder: Folder) -> None:
    (folder.path / ".env").write_text(f"OPENAI_API_KEY={SECRET}\n")


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_key_stands_for_the_real_provider(prepared: Folder, where: str) -> None:
    if where == ".env":
        write_env_file(prepared)
        running = prepared.up()
    else:
        running = prepared.up(OPENAI_API_KEY=SECRET)
    assert not prepared.process("iwrouting.sandbox")
    assert "upstream 'environment': https://api.openai.com/v1" in running.err
    assert "sandbox" not in (running.out + running.err).lower()
    assert SECRET not in running.out + running.err


def test_a_blank_key_counts_as_none_whatever_the_base_url(prepared: Folder) -> None:
    write_env_file(prepared)
    running = prepared.up(OPENAI_API_KEY=" ", OPENAI_BASE_URL="https://elsewhere.example.org/v1")
    assert prepared.process("iwrouting.sandbox")
    assert "SANDBOX" in running.out
    assert "upstream 'sandbox': http://127.0.0.1:" in running.err
