"""What is configured and known: the parts of one immutable configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from iwrouting.types.values import Endpoint, Kind, Sampling

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when a price holds that nobody dated."""

DEFAULT_TIER = "default"

TRANSLATED = {Endpoint.CHAT.value: Endpoint.RESPONSES, Endpoint.RESPONSES.value: Endpoint.CHAT}
"""The endpoints between which a call can be translated."""


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """What one model costs from `valid_from` (UTC) on, in integer pico-dollars a token; None: not known.

    One dollar per 1M tokens is 1,000,000. The price is for calls that the provider reports under `service_tier`, with
    more than `above_input_tokens` of input: then it holds for the whole call (openai-facts.md 1b).
    """

    input_pico: int | None
    cached_pico: int | None
    output_pico: int | None
    version: str
    cache_write_pico: int | None = None
    valid_from: datetime = ALWAYS
    service_tier: str = DEFAULT_TIER
    above_input_tokens: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """What a later price replaces: the one of the same service tier and threshold."""
        return self.service_tier, self.above_input_tokens

    @property
    def label(self) -> str:
        """What an outcome calls it: its version, with tier and threshold where they are not the usual ones."""
        tier = "" if self.service_tier == DEFAULT_TIER else f" {self.service_tier}"
        return f"{self.version}{tier}" + (f" >{self.above_input_tokens}" if self.above_input_tokens else "")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a provider's model. Token windows in tokens; None: not known.

    `verified` is False for a model that the catalogue does not hold: cautious rules apply (design.md 4). `saved_at` is
    when an operator last saved its row, None for one that only the code knows: each save gives it a new chance.

    Empty means not known, and nothing follows from it: `efforts` (lowest first), `default_effort`, `effort_for_tools`
    (the only one with function tools on chat; empty: any), `hosted_tools` None, `input_modalities`, `vector_space`.
    `refused_params` are chat names. docs/catalogue.md says what follows from each.
    """

    id: str
    endpoints: frozenset[str]
    context_window: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    reasoning: bool = False
    default_effort: str = ""
    sampling: Sampling = Sampling.ANY
    completion_cap_param: str = "max_tokens"
    shutdown_date: date | None = None
    replacement: str = ""
    upstream: str = ""
    enabled: bool = True
    verified: bool = True
    refused_params: frozenset[str] = frozenset()
    efforts: tuple[str, ...] = ()
    effort_for_tools: str = ""
    hosted_tools: frozenset[str] | None = None
    input_modalities: frozenset[str] = frozenset()
    dimensions: int | None = None
    vector_space: str = ""
    saved_at: datetime | None = field(default=None, compare=False)

    @property
    def input_window(self) -> int | None:
        """How many tokens of input it takes; None: not known."""
        return self.max_input or self.context_window

    def served_at(self, endpoint: str) -> Endpoint | None:
        """Where a call for `endpoint` goes: there; or, translated, from chat to `responses` or back; None: nowhere."""
        if endpoint in self.endpoints:
            return Endpoint(endpoint)
        other = TRANSLATED.get(endpoint)
        return other if other in self.endpoints else None


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """An alias as configured. `chain` names the rungs after the primary: aliases or model ids."""

    name: str
    kind: Kind
    variable: str
    default_model: str
    infer: bool = True
    chain: tuple[str, ...] = ()
    purpose: str = ""
    subsystem: str = ""
    tier: str = ""
    deadline_s: float | None = None
    max_context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class OverrideFacts:
    """A model put in the database for an alias; `project` is a slug, or None for all projects."""

    ref: str
    alias: str
    project: str | None
    model: str
    enabled: bool = True
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    infer: bool = True


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """A tenant."""

    slug: str
    external_id: str = ""
    enabled: bool = True
    strict_parameters: bool = False
    max_context_tokens: int | None = None
    max_run_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class UpstreamFacts:
    """An OpenAI-compatible endpoint. Times in seconds. `trusted`: no address rule binds it (the environment's own).

    `saved_at` is when an operator last saved its row: each save gives it a new chance.
    """

    slug: str
    base_url: str
    secret_ref: str
    connect_timeout_s: float = 5.0
    first_byte_timeout_s: float = 120.0
    idle_timeout_s: float = 60.0
    trusted: bool = False
    enabled: bool = True
    saved_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """An API key as the snapshot knows it; the key itself is stored nowhere.

    `projects` None: every project. `allowed_aliases` None: all. `allowed_models` None: what the granted aliases
    reach, plus enabled catalogue models (design.md 9.4).
    """

    key_id: str
    sha256: str
    scopes: frozenset[str]
    default_project: str
    projects: frozenset[str] | None
    allowed_aliases: frozenset[str] | None = None
    allowed_models: frozenset[str] | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """The routing variables as this process sees them, and the id under which they are stored."""

    id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything a decision depends on, read in one consistent transaction; never changed after it was made.

    `database` is False where no database has been read: overrides are `unreadable`, defaults the built-in ones.
    `from_disk`: when one that was read from disk was last known to be the newest; None for all others.
    `glass`: the refs of overrides that are switched off on this host alone, whatever the database says.
    `default_upstream` is the one that the environment defines; `keys` are found by the SHA-256 of their text; `prices`
    are of all times, by model id.
    """

    revision: int
    aliases: Mapping[str, AliasFacts]
    overrides: Mapping[tuple[str | None, str], OverrideFacts]
    projects: Mapping[str, ProjectFacts]
    models: Mapping[str, ModelFacts]
    upstreams: Mapping[str, UpstreamFacts]
    keys: Mapping[str, KeyFacts]
    environment: EnvironmentFacts
    catalogue_version: str
    default_upstream: str
    database: bool = True
    lifecycle_warning_days: int = 90
    projects_by_external_id: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, tuple[PriceFacts, ...]] = field(default_factory=dict)
    from_disk: datetime | None = None
    glass: tuple[str, ...] = ()
