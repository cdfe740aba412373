"""The values of design.md 2, exactly these."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an alias is: asked by users, by the backend's own agents, or for vectors."""

    CHAT_MODE = "chat_mode"
    ROLE = "role"
    EMBEDDING = "embedding"


class Source(StrEnum):
    """Where a model came from, in the order in which the resolver looks (design.md 4)."""

    PROJECT_OVERRIDE = "project_override"
    OVERRIDE = "override"
    ENVIRONMENT = "environment"
    DEFAULT = "default"
    EXPLICIT = "explicit"


class State(StrEnum):
    """What became of one source on the ladder."""

    USED = "used"
    NOT_SET = "not_set"
    BLANK = "blank"
    DISABLED = "disabled"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"
    SHADOWED = "shadowed"
    UNREADABLE = "unreadable"


class Result(StrEnum):
    """How a decision ended."""

    OK = "ok"
    OK_AFTER_FALLBACK = "ok_after_fallback"
    ERROR = "error"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    CLIENT_CLOSED = "client_closed"
    INTERRUPTED = "interrupted"
    RESOLVED = "resolved"


class Via(StrEnum):
    """By which way the configuration was changed (ux.md 2, Changes); `service`: a line that this service writes."""

    ADMIN = "admin"
    API = "API"
    CLI = "CLI"
    IMPORT = "import"
    SQL = "SQL"
    UPGRADE = "upgrade"
    SERVICE = "service"


class ChangeKind(StrEnum):
    """What a line of the change list tells of."""

    CONFIGURATION = "configuration"
    ENVIRONMENT = "environment"
    SCHEDULE = "schedule"
    BREAK_GLASS = "break_glass"
    ADOPTION = "adoption"


class Operation(StrEnum):
    """What a change does to a row."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    SAME = "same"


class Skip(StrEnum):
    """Why a rung was passed over."""

    NOT_ALLOWED = "not_allowed"
    WINDOW = "window"
    CAPABILITY = "capability"
    ENDPOINT_UNSUPPORTED = "endpoint_unsupported"
    BREAKER_OPEN = "breaker_open"
    MODEL_DISABLED = "model_disabled"
    DUPLICATE = "duplicate"


class Scope(StrEnum):
    """What an API key may do."""

    RESOLVE = "resolve"
    CALL = "call"
    READ_AUDIT = "read_audit"
    MANAGE = "manage"


class Endpoint(StrEnum):
    """The provider's endpoints, by the catalogue's short names."""

    CHAT = "chat"
    RESPONSES = "responses"
    EMBEDDINGS = "embeddings"


class Sampling(StrEnum):
    """When a model takes sampling parameters (openai-facts.md 1c)."""

    ANY = "any"
    EFFORT_NONE = "effort_none"
    NEVER = "never"


class CostState(StrEnum):
    """How far a cost can be trusted (G7). `none`: nothing was sent, so there is nothing to price."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    UNPRICED = "unpriced"
    NONE = "none"


DEFAULT_SCOPES = frozenset({Scope.RESOLVE, Scope.CALL})
CHAT_MODES = ("auto", "fast", "deep", "budget", "research", "code")
AUTO = "auto"

CALLER_TOO_SLOW = "client_too_slow"
SHUTTING_DOWN = "shutting_down"
"""Why the door cancels a call whose caller does not take its answer."""
