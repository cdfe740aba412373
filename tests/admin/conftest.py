"""Fixtures of the admin's tests: browsers logged in as somebody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.admin import cast

LoggedIn = Callable[[User], Client]


@pytest.fixture
def as_user(db: None) -> LoggedIn:
    """A browser in which a person is logged in."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.fixture
def boss(as_user: LoggedIn) -> Client:
    """The browser of a superuser."""
    return as_user(cast.person("boss", superuser=True))
