"""What holds where no database has ever been read: the built-in matrix, and the upstream of the environment."""

from __future__ import annotations

from iwrouting import catalogue
from iwrouting.conf import Settings, read_environment, settings
from iwrouting.conf.environment import environment_secret_ref, read_secret
from iwrouting.conf.settings import SANDBOX_KEY
from iwrouting.types import DEFAULT_SCOPES, Configuration, KeyFacts, UpstreamFacts

ENVIRONMENT = "environment"
SANDBOX = "sandbox"


def builtin_configuration() -> Configuration:
    """Aliases and models from the checked-in files; no overrides, no projects, the keys of IW_API_KEY_SHA256."""
    upstream = environment_upstream(settings())
    return Configuration(
        revision=0,
        aliases={name: alias.facts for name, alias in catalogue.matrix().items()},
        overrides={},
        projects={},
        models={name: model.facts for name, model in catalogue.models().items()},
        upstreams={upstream.slug: upstream},
        prices={name: model.prices for name, model in catalogue.models().items()},
        keys={sha256: _emergency_key(sha256) for sha256 in settings().api_key_sha256},
        environment=read_environment(),
        catalogue_version=catalogue.version(),
        default_upstream=upstream.slug,
        database=False,
        lifecycle_warning_days=settings().lifecycle_warning_days,
    )


def _emergency_key(sha256: str) -> KeyFacts:
    """A key that passes while no database has been read (design.md 9.11): it belongs to no project."""
    return KeyFacts(
        key_id=sha256[:10],
        sha256=sha256,
        scopes=DEFAULT_SCOPES,
        default_project="",
        projects=frozenset({""}),
        name="IW_API_KEY_SHA256",
    )


def environment_upstream(conf: Settings) -> UpstreamFacts:
    """The upstream that the environment defines; it says `sandbox` wherever its key is used (design.md 9.10)."""
    reference = environment_secret_ref()
    sandbox = read_secret(reference, conf) == SANDBOX_KEY
    return UpstreamFacts(
        slug=SANDBOX if sandbox else conf.upstream_name or ENVIRONMENT,
        base_url=conf.upstream_base_url,
        secret_ref=reference,
        connect_timeout_s=conf.connect_timeout_s,
        first_byte_timeout_s=conf.first_byte_timeout_s,
        idle_timeout_s=conf.idle_timeout_s,
        trusted=True,
    )
