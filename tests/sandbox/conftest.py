"""One sandbox process for all tests of this folder, its plan cleared before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.sandbox.process import KEY, SandboxProcess


@pytest.fixture(scope="session")
def process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as running:
        yield running


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.clear()
    return process


@pytest.fixture
def client(sandbox: SandboxProcess) -> Iterator[OpenAI]:
    with OpenAI(base_url=sandbox.base_url, api_key=KEY, max_retries=0, timeout=10) as opened:
        yield opened
