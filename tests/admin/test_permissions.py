"""Who may do what: rights by the standard permissions, power by superusers alone, locked after failed logins."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from iwrouting.models import Override
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Settings) -> None:
    """Hash passwords in no time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def log_in(client: Client, password: str, username: str = "boss") -> int:
    return client.post(LOGIN, {"username": username, "password": password}).status_code


def test_a_name_is_locked_after_failed_logins(client: Client, db: None) -> None:
    cast.person("boss", password=cast.PASSWORD)
    cast.person("other", password=cast.PASSWORD)
    codes = [log_in(client, "wrong") for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert set(codes[:-1]) == {200}
    assert codes[-1] == 429
    assert log_in(client, cast.PASSWORD) == 429
    assert client.get("/admin/").status_code == 302
    assert log_in(client, cast.PASSWORD, "other") == 302


def test_a_good_login_forgets_the_failed_ones(client: Client, db: None) -> None:
    cast.person("boss", password=cast.PASSWORD)
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        log_in(client, "wrong")
    assert log_in(client, cast.PASSWORD) == 302
    client.post("/admin/logout/")
    assert log_in(client, "wrong") == 200


@pytest.mark.parametrize(
    "url", ["/admin/", "/admin/iwrouting/decision/", "/admin/iwrouting/apikey/add/", "/admin/guide/"]
)
def test_nobody_sees_anything_without_a_login(client: Client, db: None, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(LOGIN)


def test_people_without_staff_status_get_no_further(as_user: LoggedIn) -> None:
    user = cast.person("caller")
    user.is_staff = False
    user.save()
    assert as_user(user).get("/admin/").status_code == 302


def test_the_menu_holds_what_a_person_may_see(as_user: LoggedIn) -> None:
    page = read(as_user(cast.person("auditor", "view_decision")).get("/admin/"))
    places = {href for href in page.values("a", "href") if "/admin/iwrouting/" in href}
    assert places == {"/admin/iwrouting/decision/"}
    assert "Routing" not in page.text


def test_who_may_only_view_finds_no_buttons_and_no_way_round(as_user: LoggedIn) -> None:
    fast = cast.alias()
    override = Override.objects.create(alias=fast, model="gpt-5.1")
    viewer = as_user(cast.person("viewer", "view_override", "view_alias"))
    base = "/admin/iwrouting/override/"
    page = read(viewer.get(base))
    assert f"{base}add/" not in page.values("a", "href")
    assert not page.values("select", "name")
    viewer.post(base, {"action": "disable", "_selected_action": [override.pk]})
    for url in (f"{base}add/", f"{base}{override.pk}/delete/", "/admin/iwrouting/decision/"):
        assert viewer.get(url).status_code == 403
    assert viewer.post(f"{base}{override.pk}/change/", {"model": "gpt-4.1"}).status_code == 403
    override.refresh_from_db()
    assert (override.enabled, override.model) == (True, "gpt-5.1")
    assert viewer.post(f"/admin/iwrouting/alias/{fast.pk}/change/", {"default_model": "x"}).status_code == 403


def test_who_may_change_overrides_may_switch_them_but_not_delete(as_user: LoggedIn) -> None:
    override = Override.objects.create(alias=cast.alias(), model="gpt-5.1")
    operator = as_user(cast.person("operator", "view_override", "change_override"))
    base = "/admin/iwrouting/override/"
    forms.act(operator, base, "disable", override)
    override.refresh_from_db()
    assert override.enabled is False
    assert operator.post(f"{base}{override.pk}/delete/", {"post": "yes"}).status_code == 403


KEEPER = ("view_user", "add_user", "change_user", "delete_user", "view_group", "change_group")


def test_who_edits_users_can_not_make_a_superuser(as_user: LoggedIn) -> None:
    keeper = cast.person("keeper", *KEEPER)
    client, url = as_user(keeper), f"/admin/auth/user/{keeper.pk}/change/"
    assert not {"is_superuser", "user_permissions"} & forms.values(client, url).keys()
    assert forms.fill(client, url, is_superuser="on", email="keeper@example.com").status_code == 302
    keeper.refresh_from_db()
    assert (keeper.is_superuser, keeper.email) == (False, "keeper@example.com")


def test_who_edits_users_can_not_touch_a_superuser(as_user: LoggedIn) -> None:
    root, client = cast.person("root", superuser=True), as_user(cast.person("keeper", *KEEPER))
    base = f"/admin/auth/user/{root.pk}/"
    for url in (f"{base}password/", f"{base}delete/"):
        assert client.get(url).status_code == 403
    assert client.post(f"{base}change/", {"username": "mine"}).status_code == 403
    assert User.objects.get(pk=root.pk).username == "root"


def test_groups_and_login_records_are_for_superusers(as_user: LoggedIn, boss: Client) -> None:
    group, client = Group.objects.create(name="Cooks"), as_user(cast.person("keeper", *KEEPER))
    pages = ["/admin/auth/group/", f"/admin/auth/group/{group.pk}/change/", "/admin/axes/accessattempt/"]
    for url in pages:
        assert client.get(url).status_code == 403
        assert boss.get(url).status_code == 200
    assert boss.get("/admin/axes/accessattempt/add/").status_code == 403
