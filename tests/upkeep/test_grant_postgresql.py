"""`manage.py reporting grant`: a login that reads every view rpt_*, and nothing else, with an end to its statements."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.models import ApiKey, Project, new_key
from iwrouting.models.changing import change
from iwrouting.reports import REPORTS, VIEWS, views
from iwrouting.types import Via
from tests.upkeep import story
from tests.upkeep.databases import copied, link, serving

DENIED = psycopg.errors.InsufficientPrivilege


class Reader:
    """A role and a login that no other run uses."""

    def __init__(self, database: str) -> None:
        self.database = database
        tail = secrets.token_hex(4)
        self.role, self.login, self.password = f"iw_analyst_{tail}", f"reader_{tail}", secrets.token_hex(8)

    def grant(self, *more: str, role: str = "") -> None:
        """Run the command."""
        call_command("reporting", "grant", "--role", role or self.role, *more)

    def named(self, *more: str) -> None:
        """With the login and its password."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(f"{self.password}\n"))
            self.grant("--login", self.login, "--password-stdin", *more)

    def link(self) -> psycopg.Connection:
        """A connection of the login."""
        return link(self.database, user=self.login, password=self.password)


@pytest.fixture(scope="module")
def database(
    pattern: str, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """One database for all tests of this file, as the default one."""
    folder = tmp_path_factory.mktemp("grant")
    with django_db_blocker.unblock(), copied(pattern, folder) as name, serving(name):
        yield name


@pytest.fixture
def reader(database: str) -> Iterator[Reader]:
    """Names for which there are no roles yet; they are gone afterwards."""
    made = Reader(database)
    yield made
    for name in (made.login, made.role):
        if story.run("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
            story.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


def rights() -> list[tuple[str, ...]]:
    """Of every table and view."""
    return story.run(
        "SELECT relname::text, relacl::text FROM pg_class WHERE relkind IN ('r', 'p', 'v') "
        "AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )


def test_grant__a_login__reads_every_report_and_nothing_else(reader: Reader) -> None:
    reader.named("--yes")
    with reader.link() as session:
        for view in REPORTS:
            assert session.execute(f"SELECT count(*) FROM {view}".encode()).fetchone()  # noqa: S608 - our own names
        others = [name for name, _ in rights() if name not in REPORTS]
        assert set(VIEWS) - set(REPORTS) <= set(others)
        assert len(others) > 60
        for name in others:
            with pytest.raises(DENIED):
                session.execute(f"SELECT 1 FROM {name}".encode())  # noqa: S608 - our own names
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.execute(b"CREATE TABLE mine (id int)")
        session.execute(b"SET default_transaction_read_only = off")
        for statement in (b"CREATE TABLE mine (id int)", b"DELETE FROM iwrouting_project", b"DROP VIEW rpt_prices_v1"):
            with pytest.raises(DENIED):
                session.execute(statement)


@pytest.mark.parametrize("function", ["iw_usage_mark", "iw_config_touch"])
def test_grant__a_trigger_of_ours_on_a_table_of_his_own__is_denied(reader: Reader, function: str) -> None:
    reader.named("--yes")
    with reader.link() as session:
        session.execute(b"SET default_transaction_read_only = off")
        session.execute(b"CREATE TEMP TABLE mine (decision_at timestamptz)")
        with pytest.raises(DENIED):
            session.execute(
                b"CREATE TRIGGER x AFTER INSERT ON mine REFERENCING NEW TABLE AS fresh "
                b"FOR EACH STATEMENT EXECUTE FUNCTION " + function.encode() + b"()"
            )


def test_grant__a_function_of_his_own_in_a_condition__sees_no_hash_of_a_key(reader: Reader) -> None:
    key = new_key()
    with change(author="test", via=Via.CLI, reason="a key to look for"):
        owner = Project(slug=reader.login.replace("_", "-"))
        owner.save()
        ApiKey(key_id=key.key_id, sha256=key.sha256, name="mine", project=owner).save()
    reader.named("--yes")
    seen: list[str] = []
    with reader.link() as session:
        session.add_notice_handler(lambda told: seen.append(told.message_primary or ""))
        session.execute(b"SET default_transaction_read_only = off")
        session.execute(
            b"CREATE FUNCTION pg_temp.tell(told text) RETURNS boolean LANGUAGE plpgsql STRICT COST 0.0000001 "
            b"AS $$ BEGIN RAISE NOTICE '%', told; RETURN true; END $$"
        )
        for column in (b"field", b"new_value"):
            session.execute(b"SELECT count(*) FROM rpt_changes_v1 WHERE pg_temp.tell(" + column + b")")
    assert {"name", "mine"} <= {*seen}
    assert not {"sha256", key.sha256} & {*seen}


def test_grant__its_sessions__begin_read_only_in_utc_and_end_long_statements(reader: Reader) -> None:
    reader.named("--yes")
    with reader.link() as session:
        shown = [
            session.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("statement_timeout", "transaction_read_only", "timezone")
        ]
        assert shown == [("1min",), ("on",), ("UTC",)]
        session.execute(b"SET statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            session.execute(b"SELECT count(*) FROM rpt_changes_v1, generate_series(1, 1000000000)")


def test_grant__again__changes_nothing_more(reader: Reader) -> None:
    reader.named("--yes")
    before = rights()
    reader.named("--yes")
    assert rights() == before


def test_dry_run__prints_the_sql_without_the_password_and_changes_nothing(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rights()
    reader.named("--dry-run")
    printed = capsys.readouterr().out
    assert f'CREATE ROLE "{reader.role}" NOLOGIN;' in printed
    assert f'GRANT SELECT ON "rpt_decisions_v1" TO "{reader.role}";' in printed
    assert f"ALTER ROLE \"{reader.login}\" SET statement_timeout = '60s';" in printed
    assert "PASSWORD '...';" in printed
    assert "SCRAM" not in printed
    assert reader.password not in printed
    assert rights() == before
    assert not story.run("SELECT 1 FROM pg_roles WHERE rolname IN (%s, %s)", reader.role, reader.login)


def test_password__from_a_variable__logs_in(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READER_PASSWORD", reader.password)
    reader.grant("--yes", "--login", reader.login, "--password-env", "READER_PASSWORD")
    with reader.link() as session:
        assert session.execute(b"SELECT current_user::text").fetchone() == (reader.login,)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--yes", "--password-stdin"], "A password needs the --login whose it is"),
        (["--yes", "--login", "x", "--password-env", "NOT_SET"], "The variable NOT_SET is empty: it must hold"),
        (["--yes", "--login", 'x"; DROP'], "a role's name has a-z"),
        ([], "Add --yes to apply"),
    ],
)
def test_wrong_usage__is_refused_and_changes_nothing(reader: Reader, more: list[str], words: str) -> None:
    before = rights()
    with pytest.raises(CommandError, match=words) as refused:
        reader.grant(*more)
    assert refused.value.returncode == 2
    assert rights() == before


def test_grant__a_superuser__is_refused(reader: Reader) -> None:
    user = str(connections["default"].settings_dict["USER"])
    with pytest.raises(CommandError, match=f"no guard would hold: {user} is a superuser"):
        reader.grant("--yes", "--login", user)


def test_grant__public_reads_a_table__is_a_finding(reader: Reader) -> None:
    story.run("GRANT SELECT ON iwrouting_apikey TO PUBLIC")
    try:
        with pytest.raises(CommandError, match=f"{reader.role} also reaches iwrouting_apikey, by PUBLIC") as found:
            reader.grant("--yes")
        assert found.value.returncode == 3
    finally:
        story.run("REVOKE SELECT ON iwrouting_apikey FROM PUBLIC")


def test_revoke__of_a_login_and_of_the_role__takes_all_back(reader: Reader) -> None:
    before = rights()
    reader.named("--yes")
    reader.grant("--yes", "--revoke", "--login", reader.login)
    with reader.link() as session, pytest.raises(DENIED):
        session.execute(b"SELECT 1 FROM rpt_decisions_v1")
    reader.grant("--yes", "--revoke")
    assert [name for name, acl in rights() if reader.role in str(acl)] == []
    assert [name for name, _ in rights()] == [name for name, _ in before]
    with pytest.raises(CommandError, match="There is no role nobody_here: nothing to revoke"):
        reader.grant("--yes", "--revoke", role="nobody_here")


def test_grant__before_migrate__says_what_is_missing(reader: Reader) -> None:
    grants = views.drop(connections["default"])
    try:
        with pytest.raises(CommandError, match=r"Not all views are there: run `manage\.py migrate` first") as refused:
            reader.grant("--yes")
        assert refused.value.returncode == 4
    finally:
        views.create(connections["default"], grants)
