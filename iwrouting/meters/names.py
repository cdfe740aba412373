"""Every name that metrics of calls have: the one place where they stand.

After the OpenTelemetry GenAI conventions where those have a name (dots become underscores, units are spelled out, as
Prometheus wants it); the conventions are in development, and a release may have to follow them here. What they have no
name for is `iwrouting_*`. Values of labels are of closed lists or of the configuration: docs/metrics.md says which.
"""

from __future__ import annotations

from itertools import product

from iwrouting.meters.metric import MICROSECONDS, PICO_DOLLARS, Metric
from iwrouting.types import Result, Source

OTHER = "other"
"""In the place of a name that the configuration does not know, and of every label where a worker's memory is full."""

UNNAMED_ERROR = "_OTHER"
"""What the conventions have for an error without a name of its own."""

PROVIDER = "openai"
"""Whose API it is: each upstream speaks this one."""

CHAT, EMBEDDINGS = "chat", "embeddings"
OPERATIONS = {"chat": CHAT, "responses": CHAT, "embeddings": EMBEDDINGS}
"""The conventions' operation of our endpoints; what asks for a stored response is none."""

API_TYPES = {"chat": "chat_completions", "responses": "responses", "embeddings": ""}
INPUT, OUTPUT = "input", "output"

OPERATION_LABELS = (
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
    "openai_api_type",
)
SECONDS = tuple(10_000 * 2**power for power in range(14))
"""The conventions' bounds of durations: 10 ms to 82 s."""

TOKENS = tuple(4**power for power in range(14))
"""The conventions' bounds of counts of tokens: 1 to 67 million."""

OWN_SECONDS = tuple(250 * 2**power for power in range(13))
"""0.25 ms to 1 s."""

RULES = (
    ("code", "code-heavy"),
    ("research", "long"),
    ("research", "research-like"),
    ("fast", "short and simple"),
    ("deep", "everything else"),
)
ANSWERED, FAILED, SKIPPED = "answered", "failed", "skipped"

DURATION = Metric(
    "gen_ai_client_operation_duration_seconds",
    "histogram",
    "How long a call took, from its request to the end of its answer, all tries in it.",
    (*OPERATION_LABELS, "error_type"),
    MICROSECONDS,
    SECONDS,
)
FIRST_CHUNK = Metric(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "histogram",
    "Of streams: from sending the try that served to its first byte.",
    OPERATION_LABELS,
    MICROSECONDS,
    SECONDS,
)
TOKEN_USAGE = Metric(
    "gen_ai_client_token_usage",
    "histogram",
    "Tokens of a call as its provider reported them.",
    (*OPERATION_LABELS, "gen_ai_token_type"),
    bounds=TOKENS,
)
DECISIONS = Metric(
    "iwrouting_decisions_total",
    "counter",
    "Decisions that ended, by their result.",
    ("endpoint", "result"),
    starts=(
        *product(("chat", "responses", "embeddings"), (each for each in Result if each is not Result.RESOLVED)),
        ("resolve", Result.RESOLVED),
        ("resolve", Result.REFUSED),
    ),
)
ROUTES = Metric(
    "iwrouting_routes_total",
    "counter",
    "Decisions that were resolved, by alias and by where its model came from.",
    ("alias", "source"),
    starts=(("", Source.EXPLICIT),),
)
AUTO_ROUTES = Metric(
    "iwrouting_auto_routes_total",
    "counter",
    "Decisions for which a chat mode was inferred, by mode and rule.",
    ("inferred_mode", "rule"),
    starts=RULES,
)
FALLBACK_ATTEMPTS = Metric(
    "iwrouting_fallback_attempts_total", "counter", "Calls that went on to another rung.", ("alias",)
)
FALLBACK_SUCCESSES = Metric(
    "iwrouting_fallback_successes_total", "counter", "Calls that another rung than the first answered.", ("alias",)
)
ATTEMPTS = Metric(
    "iwrouting_attempts_total",
    "counter",
    "Tries, and rungs passed over, by what came of them.",
    ("upstream", "model", "outcome", "reason"),
)
OVERHEAD = Metric(
    "iwrouting_overhead_seconds",
    "histogram",
    "This service's own share of a call's time.",
    ("endpoint",),
    MICROSECONDS,
    OWN_SECONDS,
    starts=(("chat",), ("responses",), ("embeddings",)),
)
COST = Metric(
    "iwrouting_cost_usd_total",
    "counter",
    "What calls cost in US dollars, by the prices of their time.",
    ("alias", "model", "state"),
    PICO_DOLLARS,
)
UNPRICED = Metric(
    "iwrouting_unpriced_calls_total", "counter", "Calls whose cost is not known, which is not 0.", ("alias", "model")
)
TOKEN_CLASSES = Metric(
    "iwrouting_tokens_total",
    "counter",
    "Tokens by class: cached and cache_write are part of input, reasoning of output.",
    ("model", "class", "tokens_source"),
)
TURNED_AWAY = Metric(
    "iwrouting_turned_away_total",
    "counter",
    "Requests that were refused without a record: no key, no JSON, too large.",
    ("status",),
    starts=tuple((status,) for status in ("400", "401", "404", "405", "408", "413", "503")),
)
BREAKER_TRANSITIONS = Metric(
    "iwrouting_breaker_transitions_total",
    "counter",
    "How often a breaker went into a state; without model: an upstream's account.",
    ("upstream", "model", "state"),
)
BREAKERS_OPEN = Metric(
    "iwrouting_breakers_open",
    "gauge",
    "Breakers that are not closed, one for each worker that has it so.",
    ("upstream", "model"),
)
METRICS = (
    DURATION,
    FIRST_CHUNK,
    TOKEN_USAGE,
    DECISIONS,
    ROUTES,
    AUTO_ROUTES,
    FALLBACK_ATTEMPTS,
    FALLBACK_SUCCESSES,
    ATTEMPTS,
    OVERHEAD,
    COST,
    UNPRICED,
    TOKEN_CLASSES,
    TURNED_AWAY,
    BREAKER_TRANSITIONS,
    BREAKERS_OPEN,
)
OF_NO_PROJECT = (TURNED_AWAY, BREAKER_TRANSITIONS, BREAKERS_OPEN)
"""Those that tell nothing of anybody's calls: the others count the calls of all projects together."""
