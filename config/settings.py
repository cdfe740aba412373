"""Django's settings, derived from `iwrouting.conf.settings` (every variable stands in docs/settings.md)."""

from __future__ import annotations

from typing import Any

import dj_database_url

from iwrouting import __version__
from iwrouting.conf import SettingsError, sqlite
from iwrouting.conf import settings as read
from iwrouting.conf.settings import development_secret_key, in_var

conf = read()

DEBUG = False
SECRET_KEY = conf.secret_key or development_secret_key()
ALLOWED_HOSTS = list(conf.allowed_hosts) or ["localhost", "127.0.0.1", "[::1]", ".localhost"]
CSRF_TRUSTED_ORIGINS = list(conf.trusted_origins)
ROOT_URLCONF = "config.urls"
LEAN_URLCONF = "config.urls_lean"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "iwrouting.apps.RoutingConfig",  # first: its templates go before those of the admin
    "iwrouting.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
]

MIDDLEWARE = [
    "iwrouting.server.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "iwrouting.server.middleware.ContentSecurityPolicy",
    "axes.middleware.AxesMiddleware",
    "iwrouting.server.middleware.DatabaseAway",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000; "
    "PRAGMA recursive_triggers=ON;"
)

# After a failure the pool would wait 1, 2, 4, 8 s and longer before it tries again, for up to 5 minutes: by giving up
# after a second it tries anew for whoever asks next.
POOL = {"min_size": 0, "max_size": 8, "timeout": 2, "max_lifetime": 3600, "reconnect_timeout": 1}

# A host that went without a word is noticed within 15 s instead of hours.
PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def _database() -> dict[str, Any]:
    url = conf.database_url or f"sqlite:///{in_var('iwrouting.sqlite3')}"
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, dj_database_url.UnknownSchemeError, dj_database_url.ParseError):
        raise SettingsError(
            ["DATABASE_URL: must be postgres://user:password@host:5432/name or sqlite:///path/to/file"]
        ) from None
    options = found.setdefault("OPTIONS", {})
    if found["ENGINE"] == "django.db.backends.sqlite3":
        options |= {"init_command": SQLITE_PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": 5}
        options["factory"] = sqlite.Connection
    elif found["ENGINE"] == "django.db.backends.postgresql":
        options.setdefault("pool", POOL)
        for name, value in PATIENCE.items():
            options.setdefault(name, value)
        found["CONN_HEALTH_CHECKS"] = True  # a connection that a restart of the server broke is replaced, not used
        found["DISABLE_SERVER_SIDE_CURSORS"] = True
    else:
        raise SettingsError(["DATABASE_URL: must name PostgreSQL or SQLite"])
    return found | {"CONN_MAX_AGE": 0}


DATABASES = {"default": _database()}

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
DATETIME_FORMAT = "Y-m-d H:i:s"
DATE_FORMAT = "Y-m-d"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = conf.https
SECURE_HSTS_SECONDS = 31_536_000 if conf.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if conf.https else None
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'none'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["iwrouting.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["iwrouting.api.authority.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "iwrouting.api.failures.answer_error",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "iwrouting",
    "DESCRIPTION": "Which model serves each call of InfinityWindow, the call itself, and the proof of both. "
    "`/v1` is the OpenAI API: point any OpenAI client at it. Every error has OpenAI's body.",
    "VERSION": __version__,
    "LICENSE": {"name": "Apache-2.0"},
    "OAS_VERSION": "3.1.0",
    "DEFAULT_GENERATOR_CLASS": "iwrouting.api.schema.generator.Generator",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "iwrouting.api.schema.parts.share_headers",
    ],
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_NAME_OVERRIDES": {
        "Kind": "iwrouting.types.Kind",
        "ChangeKind": "iwrouting.types.ChangeKind",
        "Via": "iwrouting.types.Via",
        "Source": "iwrouting.types.Source",
        "State": "iwrouting.types.State",
        "Skip": "iwrouting.types.Skip",
        "Result": "iwrouting.types.Result",
        "CostState": "iwrouting.types.CostState",
        "AttemptKind": ["call", "skip"],
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without null Swagger's page would ask a validator in the internet.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": conf.log_level.upper()},
    "loggers": {
        "axes": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # It would say at each try that the database does not answer; whoever needed it says so once.
        "psycopg.pool": {"level": "ERROR"},
    },
}
