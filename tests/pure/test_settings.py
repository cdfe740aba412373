"""Settings: each bad value is one line `NAME: reason` without the value, all at once; `.env` counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from iwrouting.conf.alerts import RULES, MailServer, read_mail_server
from iwrouting.conf.settings import ROOT, Settings, SettingsError, env_file, load, settings
from tests.pure.conftest import SetVariables

LONG_KEY = "k" * 32


def lines_of(set_variables: SetVariables, dotenv: str = "", **values: str) -> list[str]:
    set_variables(dotenv=dotenv, **values)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value) == "\n".join(caught.value.lines)
    return caught.value.lines


def loaded(set_variables: SetVariables, dotenv: str = "", **values: str) -> Settings:
    set_variables(dotenv=dotenv, **{"IW_ENV": "development", **values})
    return load()


WHOLE = "input should be a valid integer, unable to parse string as an integer"
NUMBER = "input should be a valid number, unable to parse string as a number"
YES_OR_NO = "input should be a valid boolean, unable to interpret input"
MAIL_URL = "must be smtps://user:password@host:465, smtp://user:password@host:587?tls or smtp://host:25"
HOOK_URL = "must be a URL such as https://hooks.example.org/services/T0, without user and fragment"
HTTPS = "must begin with https: http is taken for hosts of a private network alone"
CLEAR = "would send a password in the clear: use smtps://, or add ?tls"
NO_URL = "enter a URL such as https://api.openai.com/v1."


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("IW_ENV", "prod", "input should be 'development' or 'production'"),
        ("IW_HTTPS", "maybe", YES_OR_NO),
        ("IW_ALLOW_PRIVATE_UPSTREAMS", "2", YES_OR_NO),
        ("IW_LOG_LEVEL", "loud", "input should be 'debug', 'info', 'warning' or 'error'"),
        ("IW_UNKNOWN_PROJECT", "ignore", "input should be 'warn' or 'refuse'"),
        ("IW_UPSTREAM_BASE_URL", "api.provider.example", NO_URL),
        ("IW_UPSTREAM_BASE_URL", "https://[hush", NO_URL),
        ("IW_UPSTREAM_BASE_URL", "https://[hush]/v1", NO_URL),
        ("IW_UPSTREAM_BASE_URL", "https://hush:hush@ex\u2100mple.com", NO_URL),
        ("IW_UPSTREAM_BASE_URL", "https://a:99999/v1", "the URL's port must be a number from 1 to 65535."),
        ("IW_UPSTREAM_BASE_URL", "https://hush@a/v1", "the URL must hold no user, password, query or fragment."),
        ("OPENAI_BASE_URL", "ftp://provider.example", NO_URL),
        ("IW_UPSTREAM_NAME", "Our Provider", "string should match pattern '^[a-z0-9]?[a-z0-9._-]*$'"),
        ("IW_UPSTREAM_NAME", "a" * 65, "string should have at most 64 characters"),
        ("IW_EMAIL_URL", "mail.example.org", MAIL_URL),
        ("IW_EMAIL_URL", "smtp://a:hush@mail.example.org:587?ssl", MAIL_URL),
        ("IW_EMAIL_URL", "smtp://a:hush@mail.example.org:99999", "is no URL"),
        (
            "IW_EMAIL_URL",
            "smtp://a:hush@mail.example.org",
            CLEAR,
        ),
        ("IW_EMAIL_FROM", "nobody", "string should match pattern '^[^\\s,;]+@[^\\s,;]+$'"),
        ("IW_ALERT_EMAIL", "ada", "must be mail addresses, separated by commas"),
        ("IW_ALERT_EMAIL", "ada@example.org", "needs a server to hand mail in at: set IW_EMAIL_URL"),
        ("IW_ALERT_WEBHOOK_URL", "http://hooks.example.org/hush", HTTPS),
        ("IW_ALERT_WEBHOOK_URL", "https://hush@hooks.example.org/", HOOK_URL),
        ("IW_ALERT_WEBHOOK_URL", "ftp://hooks.example.org/hush", HOOK_URL),
        ("IW_ALERT_OFF", "disk_low,nothing", f"there is no rule 'nothing'; there are {', '.join(RULES)}"),
        ("IW_ALERT_EVERY_S", "1", "input should be greater than or equal to 60"),
        ("IW_MAX_BODY_MB", "eight", WHOLE),
        ("IW_MAX_BODY_MB", "8.5", WHOLE),
        ("IW_MAX_BODY_MB", "0", "input should be greater than or equal to 1"),
        ("IW_MAX_BODY_MB", "513", "input should be less than or equal to 512"),
        ("IW_DEADLINE_S", "long", NUMBER),
        ("IW_DEADLINE_S", "0", "input should be greater than 0"),
        ("IW_CONNECT_TIMEOUT_S", "-1", "input should be greater than 0"),
        ("IW_FIRST_BYTE_TIMEOUT_S", "inf", "input should be less than or equal to 86400"),
        ("IW_IDLE_TIMEOUT_S", "1e9", "input should be less than or equal to 86400"),
        ("IW_STREAM_HOLD_S", "soon", NUMBER),
        ("IW_DRAIN_S", "86401", "input should be less than or equal to 86400"),
        ("IW_AUDIT_WAIT_S", "0", "input should be greater than 0"),
        ("IW_RETRY_BACKOFF_MS", "60001", "input should be less than or equal to 60000"),
        ("IW_RETRY_AFTER_MAX_S", "-1", "input should be greater than or equal to 0"),
        ("IW_LIFECYCLE_WARNING_DAYS", "3651", "input should be less than or equal to 3650"),
        ("IW_AUDIT_QUEUE", "0", "input should be greater than or equal to 1"),
        ("MAX_EMBED_TOKENS_PER_BATCH", "300001", "input should be less than or equal to 300000"),
        ("MAX_EMBED_ITEMS_PER_BATCH", "2049", "input should be less than or equal to 2048"),
        ("MAX_CONTEXT_TOKENS_PER_CALL", "0", "input should be greater than or equal to 1"),
        ("AUTOPILOT_MAX_TOKENS_PER_RUN", "many", WHOLE),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_settings__bad_value__is_one_line_without_the_value(
    set_variables: SetVariables, name: str, value: str, reason: str, in_file: bool
) -> None:
    others = {} if name == "IW_ENV" else {"IW_ENV": "development"}
    file, values = (f"{name}='{value}'\n", others) if in_file else ("", {**others, name: value})
    lines = lines_of(set_variables, file, **values)
    assert lines == [f"{name}: {reason}"]
    assert "hush" not in lines[0]


def test_settings__nan__is_refused(set_variables: SetVariables) -> None:
    [line] = lines_of(set_variables, IW_ENV="development", IW_DEADLINE_S="nan")
    assert line.startswith("IW_DEADLINE_S: ")


def test_settings__several_bad_values__are_all_told_at_once(set_variables: SetVariables) -> None:
    assert lines_of(
        set_variables,
        "IW_MAX_BODY_MB=huge\n",
        IW_ENV="production",
        IW_SECRET_KEY="short",
        IW_LOG_LEVEL="loud",
        OPENAI_BASE_URL="nowhere",
        IW_DEADLINE_S="0",
    ) == [
        "IW_DEADLINE_S: input should be greater than 0",
        "IW_LOG_LEVEL: input should be 'debug', 'info', 'warning' or 'error'",
        f"IW_MAX_BODY_MB: {WHOLE}",
        "IW_SECRET_KEY: must be set to at least 32 random characters in production",
        f"OPENAI_BASE_URL: {NO_URL}",
    ]


@pytest.mark.parametrize("values", [{}, {"IW_ENV": ""}, {"IW_ENV": "production"}])
@pytest.mark.parametrize("key", [None, "", "k" * 31, " " * 40, f"{'k' * 31} "])
def test_settings__production__demands_a_long_secret_key(
    set_variables: SetVariables, values: dict[str, str], key: str | None
) -> None:
    keys = {} if key is None else {"IW_SECRET_KEY": key}
    reason = "IW_SECRET_KEY: must be set to at least 32 random characters in production"
    assert lines_of(set_variables, **values, **keys) == [reason]


def test_settings__production_with_a_key__is_the_default(set_variables: SetVariables) -> None:
    set_variables(IW_SECRET_KEY=LONG_KEY)
    found = load()
    assert (found.env, found.development, found.secret_key, found.https) == ("production", False, LONG_KEY, False)


def test_settings__development__demands_nothing(set_variables: SetVariables) -> None:
    found = loaded(set_variables)
    assert (found.development, found.secret_key, found.upstream_base_url) == (True, "", "https://api.openai.com/v1")
    assert (found.allow_private_upstreams, found.secrets_dir, found.unknown_project) == (False, None, "warn")
    assert (found.max_embed_tokens_per_batch, found.max_embed_items_per_batch, found.max_body_mb) == (50_000, 256, 8)


def test_settings__dotenv__is_read_and_the_environment_wins(set_variables: SetVariables) -> None:
    file = "# words\nIW_ENV=development\nIW_MAX_BODY_MB=16\nexport IW_DEADLINE_S='30'\nIW_LOG_LEVEL=debug\n"
    set_variables(dotenv=file, IW_LOG_LEVEL="error")
    found = load()
    assert (found.env, found.max_body_mb, found.deadline_s, found.log_level) == ("development", 16, 30.0, "error")


def test_settings__blank_value__counts_as_unset(set_variables: SetVariables) -> None:
    found = loaded(set_variables, "IW_MAX_BODY_MB=\n", IW_LOG_LEVEL="", IW_DEADLINE_S="", OPENAI_BASE_URL="")
    assert (found.max_body_mb, found.log_level, found.deadline_s) == (8, "info", 600)
    assert found.upstream_base_url == "https://api.openai.com/v1"


def test_settings__unknown_variables__do_no_harm(set_variables: SetVariables) -> None:
    assert loaded(set_variables, "IW_NEXT_YEAR=1\nOTHER=2\n", IW_NEXT_YEAR="1").development


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("https://a.example/v1/", "https://b.example", "https://a.example/v1"),
        (None, "https://b.example/v1", "https://b.example/v1"),
        ("", " https://b.example/v1 ", "https://b.example/v1"),
        (None, "http://127.0.0.1:8001/v1", "http://127.0.0.1:8001/v1"),
        ("http://sandbox:8001", None, "http://sandbox:8001"),
    ],
)
def test_settings__base_url__ours_wins_and_may_be_local(
    set_variables: SetVariables, ours: str | None, theirs: str | None, expected: str
) -> None:
    values = {"IW_UPSTREAM_BASE_URL": ours, "OPENAI_BASE_URL": theirs}
    given = {name: value for name, value in values.items() if value is not None}
    assert loaded(set_variables, **given).upstream_base_url == expected


def test_settings__base_url_in_dotenv__is_named_where_it_stands(set_variables: SetVariables) -> None:
    assert lines_of(set_variables, "OPENAI_BASE_URL=x\n", IW_ENV="development") == [f"OPENAI_BASE_URL: {NO_URL}"]


def test_settings__lists__are_split_at_commas(set_variables: SetVariables) -> None:
    found = loaded(set_variables, IW_ALLOWED_HOSTS="a.example, b.example,, ,", IW_TRUSTED_ORIGINS="https://a.example")
    assert found.allowed_hosts == ("a.example", "b.example")
    assert found.trusted_origins == ("https://a.example",)


def test_settings__once_read__are_frozen_and_kept(set_variables: SetVariables) -> None:
    set_variables(IW_ENV="development", IW_MAX_BODY_MB="3")
    found = settings()
    with pytest.raises(ValidationError):
        found.max_body_mb = 9
    os.environ["IW_MAX_BODY_MB"] = "4"
    assert settings() is found
    assert load().max_body_mb == 4


def test_settings__printed__show_no_secret(set_variables: SetVariables) -> None:
    found = loaded(set_variables, IW_SECRET_KEY=LONG_KEY, DATABASE_URL="postgres://u:hush-hush@db/iw")
    assert LONG_KEY not in repr(found)
    assert "hush-hush" not in f"{found!r} {found}"


def test_settings__dotenv_that_is_no_text__is_one_line(set_variables: SetVariables, tmp_path: Path) -> None:
    set_variables(IW_ENV="development")
    (tmp_path / ".env").write_bytes(b"IW_LOG_LEVEL=\xff\xfe\n")
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.lines == ["IW_ENV_FILE: the file can't be read as UTF-8 text"]


def test_env_file__without_a_variable__is_that_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IW_ENV_FILE", raising=False)
    assert env_file() == ROOT / ".env"
    monkeypatch.setenv("IW_ENV_FILE", "")
    assert env_file() == ROOT / ".env"


def test_command__with_bad_settings__prints_the_lines_and_no_traceback(set_variables: SetVariables) -> None:
    set_variables(IW_ENV="production", IW_SECRET_KEY="hush-hush", IW_MAX_BODY_MB="huge")
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        f"IW_MAX_BODY_MB: {WHOLE}\nIW_SECRET_KEY: must be set to at least 32 random characters in production\n"
    )


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", MailServer("localhost", 25)),
        ("smtp://a:b%2Fc%40d@localhost:2525", MailServer("localhost", 2525, "a", "b/c@d")),
        ("smtp://a:b@mail.example.org?tls", MailServer("mail.example.org", 587, "a", "b", starttls=True)),
        ("smtps://a:b@mail.example.org", MailServer("mail.example.org", 465, "a", "b", tls=True)),
    ],
)
def test_mail_server__is_what_its_url_says(url: str, server: MailServer) -> None:
    assert read_mail_server(url) == server
    assert "password" not in repr(server)


@pytest.mark.parametrize("url", ["https://hooks.example.org/a?sig=1", "http://10.0.0.7/a", "http://alertmanager:9093/"])
def test_webhook__https_or_inside__is_taken(set_variables: SetVariables, url: str) -> None:
    conf = loaded(set_variables, IW_ALERT_WEBHOOK_URL=url)
    assert conf.alert_webhook_url == url
    assert url not in repr(conf)
