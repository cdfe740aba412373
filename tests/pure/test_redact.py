"""The redactor: no key leaves the process, whatever its shape and wherever it stands (G6)."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iwrouting.conf import redact as room
from iwrouting.conf.redact import MASK, redact, remember_secret
from iwrouting.models.keys import new_key
from tests.pure.conftest import SetVariables

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SECRETS = [
    "sk-sandbox",
    "sk-proj-abcDEF0123456789_-abcDEF0123456789",
    "sk-svcacct-0123456789abcdef",
    "sk-admin-0123456789abcdef",
    "sk-ant-api03-0123456789abcdef",
    "sk-or-v1-0123456789abcdef",
    "sk-proj-****************************abcd",
    "sess-0123456789abcdef0123456789abcdef",
    "gsk_0123456789abcdefABCDEF0123456789",
    "xai-0123456789abcdefABCDEF0123456789",
    "hf_0123456789abcdefABCDEF0123456789",
    "AIza0123456789abcdefABCDEF0123456789_-x",
    "AKIA0123456789ABCDEF",
    JWT,
    "iw_0123456789_" + "a" * 72,
    "iw_0123456789_aaaaaaaa",
]
SURROUNDINGS = [
    "{}",
    "Incorrect API key provided: {}. You can find your key at the provider's page.",
    '{{"authorization": "Bearer {}"}}',
    "authorization: bearer {}",
    "Bearer%20{}",
    "https://provider.example/v1?key={}&x=1",
    "OPENAI_API_KEY={}",
    "'{}'",
    "({})",
    "a_{}",
    "4{}",
    "line one\n{}\nline three",
    "{0} and {0}",
]


@pytest.fixture(autouse=True)
def nothing_known(set_variables: SetVariables, monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables()
    monkeypatch.setattr(room, "_extra", set())


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("surrounding", SURROUNDINGS)
def test_redact__key_of_a_known_shape__is_gone(secret: str, surrounding: str) -> None:
    found = redact(surrounding.format(secret))
    assert secret not in found
    assert secret[-8:] not in found
    assert MASK in found


def test_redact__our_own_keys__are_gone() -> None:
    for _ in range(50):
        key = new_key()
        assert redact(f"key {key.text} was refused") == f"key {MASK} was refused"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Bearer dG9rZW4tb2Ytbm8tc2hhcGU=", "dG9rZW4tb2Ytbm8tc2hhcGU"),
        ("BEARER   opaque-token-1", "opaque-token-1"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
        ("'authorization': 'Token opaque-token-2'", "opaque-token-2"),
        ("x-api-key: opaque-token-3", "opaque-token-3"),
        ('{"api_key": "opaque-token-4"}', "opaque-token-4"),
        ("api-key=opaque-token-5&x=1", "opaque-token-5"),
        ("?access_token=opaque-token-6", "opaque-token-6"),
        ("password=correct-horse host=db", "correct-horse"),
        ("postgres://router:correct-horse@db:5432/iw", "correct-horse"),
        ("cannot reach https://opaque-token-7@provider.example/v1", "opaque-token-7"),
        ("http://user:p%40ss-w0rd@[::1]:80/", "p%40ss-w0rd"),
    ],
)
def test_redact__key_without_a_shape__is_known_by_its_place(text: str, secret: str) -> None:
    found = redact(text)
    assert secret not in found
    assert MASK in found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bearer opaque-token", f"Bearer {MASK}"),
        ("api_key=opaque-token&x=1", f"api_key={MASK}&x=1"),
        ("postgres://router:horse@db/iw", f"postgres://{MASK}@db/iw"),
    ],
)
def test_redact__what_names_the_place__stays(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_redact__eight_characters__are_a_secret_and_seven_are_not(set_variables: SetVariables) -> None:
    set_variables(IW_UPSTREAM_A="eightchr", IW_UPSTREAM_B="sevenly")
    remember_secret("eight-of")
    remember_secret("seven-o")
    assert redact("eightchr sevenly eight-of seven-o") == f"{MASK} sevenly {MASK} seven-o"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The model 'gpt-4.1' does not exist or you do not have access to it. Did you mean 'fast'?",
        "a task-force-of-nine asked for risk-assessment on disk-usage",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "Missing bearer or basic authentication in header",
        "https://provider.example:8443/v1/chat/completions?stream=true#a@b",
        "key iw_0123456789 (team blue)",
        "resp_0123456789abcdef chatcmpl-0123456789abcdef req_0123456789abcdef",
        "0190d5e2-7b3c-7cc0-8f5e-0123456789ab",
        "the password is wrong, the secret is missing",
        "ask a@b.example or see sk-learn",
    ],
)
def test_redact__ordinary_text__is_untouched(text: str) -> None:
    assert redact(text) == text


NAMES = ["OPENAI_API_KEY", "IW_UPSTREAM_API_KEY", "IW_UPSTREAM_EU", "IW_SECRET_KEY", "IW_AUDIT_KEY", "IW_API_KEY"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value", ["plainwords", "white space inside", 'quo"te\\slash', "ünïcödé-secret", 'ü"ml-äut', "a+b/c=d&e"]
)
def test_redact__value_of_a_secret_variable__is_gone_in_every_writing(
    set_variables: SetVariables, name: str, value: str
) -> None:
    set_variables(**{name: f" {value}\n"})
    for written in (
        value,
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        quote(value),
        quote(value, safe=""),
    ):
        found = redact(f"it was {written}, wasn't it")
        assert found in (f"it was {MASK}, wasn't it", f'it was "{MASK}", wasn\'t it')


@pytest.mark.parametrize("name", ["IW_UPSTREAM_BASE_URL", "IW_UPSTREAM_NAME", "OPENAI_MODEL_FAST", "IW_LOG_LEVEL"])
def test_redact__value_of_another_variable__stays(set_variables: SetVariables, name: str) -> None:
    set_variables(**{name: "plainwords"})
    assert redact("plainwords") == "plainwords"


def test_redact__password_of_the_database__is_gone(set_variables: SetVariables) -> None:
    set_variables(DATABASE_URL="postgres://router:hors%40battery@db:5432/iw")
    assert redact("no login for router with hors@battery") == f"no login for router with {MASK}"
    assert redact("no login for router with hors%40battery") == f"no login for router with {MASK}"


@pytest.mark.parametrize("url", ["postgres://db/iw", "sqlite:///file", "postgres://u:p@db/iw", "://", "postgres://[x/"])
def test_redact__database_without_a_long_password__does_no_harm(set_variables: SetVariables, url: str) -> None:
    set_variables(DATABASE_URL=url)
    assert redact("open the p of the database") == "open the p of the database"


def test_redact__secret_that_begins_another__leaves_no_tail(set_variables: SetVariables) -> None:
    for extra in ("", "-b", "-c", "-dddd", "-e"):
        set_variables(
            IW_UPSTREAM_A="common-begin", IW_UPSTREAM_B="common-begin-and-tail", IW_UPSTREAM_C="begin-and" + extra
        )
        assert redact("x common-begin-and-tail y") == f"x {MASK} y"


def test_redact__secret_read_from_a_file__is_gone_once_it_was_read() -> None:
    assert redact("file-secret") == "file-secret"
    remember_secret("file-secret")
    remember_secret("short")
    assert redact("file-secret is short") == f"{MASK} is short"


def test_redact__dotenv__counts_as_the_environment(set_variables: SetVariables) -> None:
    set_variables(dotenv="OPENAI_API_KEY=of-the-dotenv-file\n")
    assert redact("of-the-dotenv-file") == MASK


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40), st.sampled_from(SECRETS), st.text(max_size=40))
def test_redact__any_text_around__loses_the_key_and_is_stable(before: str, secret: str, after: str) -> None:
    if before[-1:].isascii() and before[-1:].isalpha():
        before += " "
    found = redact(f"{before}{secret}{after}")
    assert secret not in found
    assert redact(found) == found


def test_redact__addresses_that_are_secrets__are_gone(set_variables: SetVariables) -> None:
    hook, mail = "https://hooks.example.org/services/T0/hidden-part", "smtp://ada:hush%2Fhush@mail.example.org?tls"
    set_variables(IW_ALERT_WEBHOOK_URL=hook, IW_EMAIL_URL=mail, IW_ALERT_WEBHOOK_SECRET="a shared secret")
    found = redact(f"{hook} services/T0/hidden-part hush%2Fhush hush/hush a shared secret hooks.example.org")
    assert "hidden" not in found
    assert "hush" not in found
    assert "shared" not in found
    assert "hooks.example.org" in found
