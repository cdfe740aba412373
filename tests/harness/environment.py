"""The environment that the tests run in: nothing of the developer's, and no way out of the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

DROPPED_PREFIXES = (
    "ANTHROPIC_",
    "AUTOPILOT_",
    "AZURE_",
    "DJANGO_",
    "IW_",
    "MAX_CONTEXT_",
    "MAX_EMBED_",
    "OPENAI_",
    "OTEL_",
    "PG",
    "PYTEST_",
    "SENTRY_",
)
DROPPED = {
    "DATABASE_URL",
    "TIKTOKEN_CACHE_DIR",
    "DATA_GYM_CACHE_DIR",
    # A run starts some hundred processes: without bytecode each would compile the whole package.
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "PYTHONWARNINGS",
}
NOWHERE = "http://127.0.0.1:9"
"""The discard port: a client that obeys proxies fails here at once, instead of leaving the machine."""


def for_tests(work: Path, chromium: Path | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a test run.

    work: the run's own folder, removed at its end. chromium: the browser, where one was asked for.
    """
    source = os.environ if base is None else base
    kept = {name: value for name, value in source.items() if not _dropped(name)}
    return kept | _isolation(work) | ({"IW_TEST_CHROMIUM": str(chromium)} if chromium else {})


def _dropped(name: str) -> bool:
    return name in DROPPED or name.startswith(DROPPED_PREFIXES) or name.lower().endswith("_proxy")


def _isolation(work: Path) -> dict[str, str]:
    no_env_file = work / "empty.env"
    no_env_file.touch()
    temporary = work / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        "IW_ENV": "development",
        "IW_ENV_FILE": str(no_env_file),
        "IW_SECRET_KEY": "of-the-tests-alone-and-of-no-other-use",
        # On a busy machine a commit takes its time, and what a test reads at once must not stand in the journal.
        "IW_AUDIT_COMMIT_S": "2",
        "IW_JOURNAL_DIR": str(work / "journal"),
        "TMPDIR": str(temporary),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "ALL_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "PIP_NO_INDEX": "1",
        "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
    }
