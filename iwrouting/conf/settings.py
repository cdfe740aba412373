"""The settings of this deployment, read from the environment and `.env` into one frozen object.

Every variable stands in docs/settings.md; a test compares the two. A bad value is one line `NAME: reason`,
all at once and without the value, which may be a secret.
"""

from __future__ import annotations

import os
import secrets
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from iwrouting.conf.addresses import url_fault
from iwrouting.conf.alerts import check_recipients, check_rules, check_webhook, read_mail_server
from iwrouting.conf.points import read_plan
from iwrouting.conf.zones import zone_of

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
OPENAI_URL = "https://api.openai.com/v1"
BASE_URL_VARIABLES = ("IW_UPSTREAM_BASE_URL", "OPENAI_BASE_URL")
SANDBOX_KEY = "sk-sandbox"
LISTS = ("allowed_hosts", "trusted_origins", "api_key_sha256", "upstream_editors", "alert_email", "alert_off")
"""Settings of several values, separated by commas."""


class SettingsError(Exception):
    """One or more variables are wrong; `lines` has one `NAME: reason` each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def env_file() -> Path:
    """The `.env` file that is read beside the environment: IW_ENV_FILE, else `.env` in the project's folder."""
    return Path(os.environ.get("IW_ENV_FILE") or ROOT / ".env")


def _seconds(default: float, variable: str) -> Any:
    return Field(default, gt=0, le=86_400, validation_alias=variable)


class Settings(BaseSettings):
    """All settings of the service. Times in seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True, str_strip_whitespace=True
    )

    env: Literal["development", "production"] = Field("production", validation_alias="IW_ENV")
    secret_key: str = Field("", validation_alias="IW_SECRET_KEY", repr=False, validate_default=True)
    database_url: str = Field("", validation_alias="DATABASE_URL", repr=False)
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="IW_ALLOWED_HOSTS")
    trusted_origins: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="IW_TRUSTED_ORIGINS")
    https: bool = Field(False, validation_alias="IW_HTTPS")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias="IW_LOG_LEVEL")

    api_key_sha256: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="IW_API_KEY_SHA256", repr=False)

    upstream_editors: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="IW_UPSTREAM_EDITORS")

    upstream_base_url: str = Field(OPENAI_URL, validation_alias=AliasChoices(*BASE_URL_VARIABLES))
    upstream_name: str = Field(
        "", validation_alias="IW_UPSTREAM_NAME", max_length=64, pattern=r"^[a-z0-9]?[a-z0-9._-]*$"
    )
    secrets_dir: Path | None = Field(None, validation_alias="IW_SECRETS_DIR")
    allow_private_upstreams: bool = Field(False, validation_alias="IW_ALLOW_PRIVATE_UPSTREAMS")

    max_body_mb: int = Field(8, ge=1, le=512, validation_alias="IW_MAX_BODY_MB")
    unknown_project: Literal["warn", "refuse"] = Field("warn", validation_alias="IW_UNKNOWN_PROJECT")
    deadline_s: float = _seconds(600, "IW_DEADLINE_S")
    connect_timeout_s: float = _seconds(5, "IW_CONNECT_TIMEOUT_S")
    first_byte_timeout_s: float = _seconds(120, "IW_FIRST_BYTE_TIMEOUT_S")
    idle_timeout_s: float = _seconds(60, "IW_IDLE_TIMEOUT_S")
    request_timeout_s: float = _seconds(60, "IW_REQUEST_TIMEOUT_S")
    client_stall_s: float = _seconds(60, "IW_CLIENT_STALL_S")
    stream_hold_s: float = _seconds(15, "IW_STREAM_HOLD_S")
    first_output_timeout_s: float = _seconds(600, "IW_FIRST_OUTPUT_TIMEOUT_S")
    stream_total_s: float = _seconds(3600, "IW_STREAM_TOTAL_S")
    stream_heartbeat_s: float = Field(0, ge=0, le=3600, validation_alias="IW_STREAM_HEARTBEAT_S")
    min_stream_bytes_per_s: float = Field(2, ge=0, le=1_000_000, validation_alias="IW_MIN_STREAM_BYTES_PER_S")
    min_stream_window_s: float = _seconds(60, "IW_MIN_STREAM_WINDOW_S")
    retry_backoff_ms: int = Field(250, ge=0, le=60_000, validation_alias="IW_RETRY_BACKOFF_MS")
    retry_after_max_s: float = Field(5, ge=0, le=600, validation_alias="IW_RETRY_AFTER_MAX_S")
    breaker_failures: int = Field(5, ge=0, le=10_000, validation_alias="IW_BREAKER_FAILURES")
    breaker_open_s: float = _seconds(30, "IW_BREAKER_OPEN_S")
    breaker_open_max_s: float = _seconds(600, "IW_BREAKER_OPEN_MAX_S")
    breaker_gone_s: float = _seconds(300, "IW_BREAKER_GONE_S")
    drain_s: float = _seconds(20, "IW_DRAIN_S")
    lifecycle_warning_days: int = Field(90, ge=0, le=3650, validation_alias="IW_LIFECYCLE_WARNING_DAYS")

    audit_queue: int = Field(10_000, ge=1, le=1_000_000, validation_alias="IW_AUDIT_QUEUE")
    audit_wait_s: float = _seconds(2, "IW_AUDIT_WAIT_S")
    audit_commit_s: float = _seconds(0.5, "IW_AUDIT_COMMIT_S")
    audit_strict: bool = Field(False, validation_alias="IW_AUDIT_STRICT")
    audit_key: str = Field("", validation_alias="IW_AUDIT_KEY", repr=False)
    audit_retention_days: int = Field(400, ge=0, le=36_500, validation_alias="IW_AUDIT_RETENTION_DAYS")
    report_zone: str = Field("UTC", validation_alias="IW_REPORT_ZONE")
    held_retention_days: int = Field(400, ge=0, le=36_500, validation_alias="IW_HELD_RETENTION_DAYS")
    journal_dir: Path | None = Field(None, validation_alias="IW_JOURNAL_DIR")
    journal_adopt: Literal["own", "any"] = Field("own", validation_alias="IW_JOURNAL_ADOPT")
    journal_max_mb: int = Field(4096, ge=1, le=1_000_000, validation_alias="IW_JOURNAL_MAX_MB")
    writer_dead_s: float = Field(45, ge=0.5, le=86_400, validation_alias="IW_WRITER_DEAD_S")
    snapshot_max_age_s: float = Field(86_400, ge=0, le=31_536_000, validation_alias="IW_SNAPSHOT_MAX_AGE")
    fault_points: str = Field("", validation_alias="IW_FAULT_POINTS", repr=False)

    email_url: str = Field("", validation_alias="IW_EMAIL_URL", repr=False)
    email_from: str = Field("iwrouting@localhost", validation_alias="IW_EMAIL_FROM", pattern=r"^[^\s,;]+@[^\s,;]+$")
    alert_email: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="IW_ALERT_EMAIL")
    alert_webhook_url: str = Field("", validation_alias="IW_ALERT_WEBHOOK_URL", repr=False)
    alert_webhook_secret: str = Field("", validation_alias="IW_ALERT_WEBHOOK_SECRET", repr=False)
    alert_off: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="IW_ALERT_OFF")
    alert_every_s: float = Field(3600, ge=60, le=86_400, validation_alias="IW_ALERT_EVERY_S")
    alert_window_s: float = Field(600, ge=60, le=86_400, validation_alias="IW_ALERT_WINDOW_S")
    alert_fallback_share: float = Field(0.25, gt=0, le=1, validation_alias="IW_ALERT_FALLBACK_SHARE")
    alert_fallback_calls: int = Field(20, ge=1, le=1_000_000, validation_alias="IW_ALERT_FALLBACK_CALLS")
    alert_disk_mb: int = Field(1024, ge=0, le=100_000_000, validation_alias="IW_ALERT_DISK_MB")

    max_embed_tokens_per_batch: int = Field(50_000, ge=1, le=300_000, validation_alias="MAX_EMBED_TOKENS_PER_BATCH")
    max_embed_items_per_batch: int = Field(256, ge=1, le=2048, validation_alias="MAX_EMBED_ITEMS_PER_BATCH")
    max_embed_answer_mb: int = Field(1024, ge=1, le=65_536, validation_alias="IW_MAX_EMBED_ANSWER_MB")
    max_context_tokens_per_call: int | None = Field(None, ge=1, validation_alias="MAX_CONTEXT_TOKENS_PER_CALL")
    autopilot_max_tokens_per_run: int | None = Field(None, ge=1, validation_alias="AUTOPILOT_MAX_TOKENS_PER_RUN")
    run_output_reserve_tokens: int = Field(16_384, ge=16, le=1_000_000, validation_alias="IW_RUN_OUTPUT_RESERVE_TOKENS")
    tokenizers_dir: Path | None = Field(None, validation_alias="IW_TOKENIZERS_DIR")

    @field_validator(*LISTS, mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("report_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        zone_of(value)
        return value

    @field_validator("api_key_sha256")
    @classmethod
    def _hashes(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(value) != 64 or value.strip("0123456789abcdef") for value in values):
            raise ValueError("must be SHA-256 hashes of API keys, 64 hex digits each, separated by commas")
        return values

    @field_validator("upstream_editors")
    @classmethod
    def _key_ids(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(value.removeprefix("iw_") for value in values)
        if any(len(name) != 10 or name.strip("0123456789abcdef") for name in names):
            raise ValueError("must be ids of API keys, 10 hex digits each, separated by commas; never whole keys")
        return names

    @field_validator("upstream_base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        if fault := url_fault(value, allow_private=True):
            raise ValueError(fault)
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _long_in_production(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("env") == "production" and len(value) < 32:
            raise ValueError("must be set to at least 32 random characters in production")
        return value

    @field_validator("audit_key")
    @classmethod
    def _audit_keys(cls, value: str) -> str:
        if any(len(key.strip()) < 32 for key in value.split(",") if value):
            raise ValueError("each key must have at least 32 random characters; older keys follow after commas")
        return value

    @field_validator("fault_points")
    @classmethod
    def _points(cls, value: str, info: ValidationInfo) -> str:
        if value and info.data.get("env") != "development":
            raise ValueError("is for tests and taken in development only")
        read_plan(value)
        return value

    @field_validator("email_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        if value:
            read_mail_server(value)
        return value

    @field_validator("alert_email")
    @classmethod
    def _recipients(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        check_recipients(value, info.data.get("email_url", "named, but wrong"))
        return value

    @field_validator("alert_off")
    @classmethod
    def _rules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_rules(value)
        return value

    @field_validator("alert_webhook_url")
    @classmethod
    def _webhook(cls, value: str) -> str:
        check_webhook(value)
        return value

    @property
    def journals(self) -> Path:
        """The folder of the journals and of the snapshot: IW_JOURNAL_DIR, else `var/journal`."""
        return self.journal_dir or VAR / "journal"

    @property
    def audit_keys(self) -> tuple[str, ...]:
        """The keys of the audit's chain, the one that writes first; without IW_AUDIT_KEY the secret key stands in."""
        keys = tuple(key.strip() for key in self.audit_key.split(",") if key.strip())
        return keys or (self.secret_key or development_secret_key(),)

    @property
    def development(self) -> bool:
        """Whether this is a developer's machine (`make run`), with relaxed demands."""
        return self.env == "development"


def load() -> Settings:
    """Read the settings now. Raises SettingsError with all faults at once."""
    try:
        return Settings(_env_file=env_file(), _env_file_encoding="utf-8")  # type: ignore[call-arg] # pydantic-settings' own
    except ValidationError as error:
        raise SettingsError(_lines(error)) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(["IW_ENV_FILE: the file can't be read as UTF-8 text"]) from None


def _lines(error: ValidationError) -> list[str]:
    return sorted({_line(dict(fault)) for fault in error.errors(include_input=False, include_url=False)})


def _line(fault: dict[str, Any]) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{_variable(str(fault['loc'][0]))}: {message[:1].lower()}{message[1:]}"


def _variable(location: str) -> str:
    """The variable that a fault's place stands for: of two that mean the same, the one that is set."""
    if location == BASE_URL_VARIABLES[0]:
        seen = {**dotenv_values(env_file()), **os.environ}
        return next((name for name in BASE_URL_VARIABLES if seen.get(name)), location)
    field = Settings.model_fields.get(location)
    return str(field.validation_alias) if field else location


def in_var(name: str) -> Path:
    """A file's path in the folder `var`, which is made. Raises SettingsError where it can't be written."""
    try:
        VAR.mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsError([f"The folder {VAR} can't be made: {error.strerror}. Make it writable."]) from None
    if not os.access(VAR, os.W_OK):
        raise SettingsError([f"The folder {VAR} is not writable: make it so, or set DATABASE_URL and IW_SECRET_KEY."])
    return VAR / name


def development_secret_key() -> str:
    """The secret key of a developer's folder: random, made once, kept in `var` for its owner alone."""
    path = in_var("secret_key")
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load()
