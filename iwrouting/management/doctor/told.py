"""What this deployment was told: settings, secrets, tokenizers."""

from __future__ import annotations

from collections.abc import Iterator

from iwrouting.conf import Settings, read_environment
from iwrouting.conf.environment import environment_secret_ref, read_secret
from iwrouting.conf.settings import SettingsError
from iwrouting.management.doctor.results import Result, finding, ok, warning
from iwrouting.snapshot.builtin import SANDBOX, environment_upstream
from iwrouting.tokens.files import states, tokenizers_dir


def check_settings(conf: Settings) -> Iterator[Result]:
    """Read already, or no command would run; the routing variables are read here."""
    try:
        environment = read_environment()
    except SettingsError as error:
        yield finding("settings", "; ".join(error.lines), "Correct the variable, or leave it out.")
        return
    yield ok("settings", f"{conf.env}, environment {environment.id}")
    if not conf.development and not conf.allowed_hosts:
        yield warning(
            "settings",
            "IW_ALLOWED_HOSTS is not set: admin, management API and /metrics answer to local names only",
            "Set it to the names by which they are reached.",
        )


def check_secrets(conf: Settings) -> Iterator[Result]:
    """The audit's key must not be the one that the web server needs, and the provider's must be there."""
    if not conf.audit_key:
        yield warning(
            "audit_key",
            "IW_AUDIT_KEY is not set, so IW_SECRET_KEY stands in: who can sign sessions can forge the audit's chain",
            "Set IW_AUDIT_KEY to 32 random characters or more, and keep it apart.",
        )
    elif conf.secret_key in conf.audit_keys:
        yield finding("audit_key", "IW_AUDIT_KEY and IW_SECRET_KEY are the same", "Give the audit a key of its own.")
    else:
        yield ok("audit_key", "set, apart from IW_SECRET_KEY")
    upstream = environment_upstream(conf)
    if upstream.slug == SANDBOX:
        yield warning("upstream", "the sandbox's key is set: no real model is called", "Set OPENAI_API_KEY.")
    elif read_secret(environment_secret_ref(), conf) is None:
        message = "no key of the provider: calls are answered 502 upstream_auth"
        if conf.development:
            yield warning("upstream", f"{message}, but under 'make run', which starts a sandbox", "Set OPENAI_API_KEY.")
        else:
            yield finding("upstream", message, "Set OPENAI_API_KEY.")
    else:
        yield ok("upstream", f"'{upstream.slug}' has a key")


def check_tokenizers(conf: Settings) -> Iterator[Result]:
    """The tokenizers' files."""
    bad = [f"{found.path.name} {found.state}" for found in states(tokenizers_dir()) if found.state != "good"]
    if bad:
        yield finding("tokenizers", ", ".join(bad), "Run 'manage.py tokenizers --prepare'.")
    else:
        yield ok("tokenizers", f"whole in {tokenizers_dir()}")
