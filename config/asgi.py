"""The ASGI entry point: `config.asgi:application` for `manage.py serve`, or any ASGI server with lifespan."""

from __future__ import annotations

import os
import warnings

import django

# WhiteNoise hands out small static files by synchronous iterators; that they are read at once is meant.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from iwrouting.server.application import Application  # noqa: E402 - needs the app registry

application = Application()
