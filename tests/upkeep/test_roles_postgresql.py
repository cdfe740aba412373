"""`manage.py roles`: the service runs as a role that can't touch what is recorded, analysts see views alone."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connections
from django.test import Client
from openai import OpenAI
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.alerts.notes import Notes
from iwrouting.alerts.rounds import DatabaseRound
from iwrouting.alerts.rules import look_with_database
from iwrouting.audit.keeping import partitions
from iwrouting.conf import settings
from iwrouting.conf.alerts import RULES
from iwrouting.management.doctor.database import check_rights
from iwrouting.models import Alert, ApiKey, Decision, Project, Revision, Writer, new_key
from iwrouting.reports import REPORTS
from iwrouting.reports.guards import KEYS
from iwrouting.reports.usage import reading
from iwrouting.reports.usage.question import Question
from iwrouting.reports.usage.rolling import roll, roll_settled
from tests.admin import forms
from tests.admin.html import read
from tests.audit_tables import rows
from tests.harness import environment
from tests.harness.changes import account
from tests.live.ledger import eventually
from tests.live.processes import ServiceProcess
from tests.rollup.sums import assert_rolled
from tests.sandbox.process import SandboxProcess
from tests.tamper.chains import Chain
from tests.upkeep import story
from tests.upkeep.databases import copied, link, serving

DENIED = psycopg.errors.InsufficientPrivilege


class Cast:
    """Names of roles and logins that no other run uses, and one password for all."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.tail = secrets.token_hex(4)
        self.password = secrets.token_hex(8)
        self.roles = {kind: f"iw_{kind}_{self.tail}" for kind in ("owner", "app", "analyst")}
        self.logins = {kind: f"in_{kind}_{self.tail}" for kind in self.roles}

    def apply(self, **more: object) -> None:
        """Run the command."""
        login = [f"{kind}={name}" for kind, name in self.logins.items()]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(f"{self.password}\n" * len(login)))
            call_command("roles", login=login, password_stdin=True, **{"yes": True, **self.roles, **more})

    def as_default(self, kind: str) -> AbstractContextManager[None]:
        """Within it Django's connection is of this login."""
        return serving(self.database, USER=self.logins[kind], PASSWORD=self.password)

    def link(self, kind: str) -> psycopg.Connection:
        """A connection of the login of a kind."""
        return link(self.database, user=self.logins[kind], password=self.password)

    def drop(self) -> None:
        """Take the roles from the server again."""
        for name in (*self.logins.values(), *self.roles.values()):
            if story.run("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
                story.run(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
                story.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture(scope="module")
def database(
    pattern: str, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """One database for all tests of this file, as the default one."""
    folder = tmp_path_factory.mktemp("roles")
    with django_db_blocker.unblock(), copied(pattern, folder) as name, serving(name):
        yield name


@pytest.fixture(scope="module")
def applied(database: str) -> Iterator[Cast]:
    """The roles as the command makes them, and a call in the audit."""
    with cast_of(database) as made:
        made.apply()
        story.calls(story.month(0), 1)
        yield made


@pytest.fixture
def cast(database: str) -> Iterator[Cast]:
    """Names for which there are no roles yet."""
    with cast_of(database) as made:
        yield made


@contextmanager
def cast_of(database: str) -> Iterator[Cast]:
    made = Cast(database)
    try:
        yield made
    finally:
        made.drop()


def relations() -> list[tuple[str, ...]]:
    """Name, owner and rights of every table and view."""
    return story.run(
        "SELECT relname::text, relowner::regrole::text, relacl::text, relkind::text FROM pg_class "
        "WHERE relkind IN ('r', 'p', 'v') AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )


def test_dry_run__prints_sql_without_the_password_and_changes_nothing(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    cast.apply(dry_run=True)
    printed = capsys.readouterr().out
    assert f'CREATE ROLE "iw_app_{cast.tail}" NOLOGIN;' in printed
    assert f"ALTER ROLE \"in_app_{cast.tail}\" PASSWORD '...';" in printed
    assert "SCRAM" not in printed
    assert cast.password not in printed
    assert not story.run("SELECT 1 FROM pg_roles WHERE rolname LIKE %s", f"%{cast.tail}")


def test_apply__twice__changes_nothing_more(applied: Cast) -> None:
    before = relations()
    applied.apply()
    assert relations() == before


def test_apply__login_is_a_superuser__is_refused(applied: Cast) -> None:
    before = relations()
    superuser = str(connections["default"].settings_dict["USER"])
    for user, reason in ((superuser, "superuser"), (applied.logins["owner"], "member of")):
        with pytest.raises(CommandError, match=f"no guard would hold: {user} is a {reason}"):
            call_command("roles", login=[f"app={user}"], yes=True, **applied.roles)
    assert relations() == before


@pytest.mark.parametrize("options", [{"login": ["web=x"]}, {"app": 'x"; DROP'}, {"login": ["app=x"], "yes": False}])
def test_apply__wrong_usage__is_refused(cast: Cast, options: dict[str, object]) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("roles", **{**cast.roles, "yes": True, **options})
    assert raised.value.returncode == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET {} = {}",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} ADD COLUMN x int",
    ],
)
def test_app__insert_only_tables__can_not_be_changed(applied: Cast, statement: str) -> None:
    leaf = f"iwrouting_decision_y{story.month(0):%Ym%m}"
    with applied.link("app") as app:
        for table, key in [(each._meta.db_table, keys[0]) for each, keys in KEYS.items()] + [(leaf, "id")]:
            with pytest.raises(DENIED):
                app.execute(statement.format(table, key, key).encode())


def test_any_login__writing_to_the_configuration__is_counted_without_a_right_on_the_counter(applied: Cast) -> None:
    Project.objects.create(slug="touched")
    reader = applied.logins["analyst"]
    with link(applied.database) as owner:
        owner.execute(f"GRANT SELECT, UPDATE ON iwrouting_project TO {reader}".encode())
    with applied.link("analyst") as analyst:
        analyst.execute(b"SET default_transaction_read_only = off")
        analyst.execute(b"UPDATE iwrouting_project SET name = 'by hand'")
        with pytest.raises(DENIED):
            analyst.execute(b"UPDATE iwrouting_revision SET accounted = touches")
    assert Revision.standing().is_touched
    account()
    with link(applied.database) as owner:
        owner.execute(f"REVOKE ALL ON iwrouting_project FROM {reader}".encode())
    with applied.link("app") as app, pytest.raises(DENIED):
        app.execute(b"ALTER TABLE iwrouting_project DISABLE TRIGGER ALL")


def test_app__ddl_and_other_roles__are_refused(applied: Cast) -> None:
    with applied.link("app") as app:
        for statement in (
            "CREATE TABLE mine (id int)",
            "DROP VIEW rpt_decisions_v1",
            "CREATE OR REPLACE FUNCTION iw_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "SELECT iw_audit_make_partition('iwrouting_decision', '2095-01-01')",
            "DELETE FROM django_migrations",
            "SET session_replication_role = replica",
            f"SET ROLE {applied.roles['owner']}",
        ):
            with pytest.raises(DENIED):
                app.execute(statement.encode())


def test_analyst__views_and_nothing_else(applied: Cast) -> None:
    with applied.link("analyst") as analyst:
        for view in REPORTS:
            assert analyst.execute(f"SELECT count(*) FROM {view}".encode()).fetchone()  # noqa: S608 - our own names
        tables = [name for name, _, _, kind in relations() if kind != "v"]
        assert len(tables) > 60
        for table in tables:
            with pytest.raises(DENIED):
                analyst.execute(f"SELECT 1 FROM {table}".encode())  # noqa: S608 - our own names
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            analyst.execute(b"CREATE TABLE mine (id int)")
        analyst.execute(b"SET default_transaction_read_only = off")
        with pytest.raises(DENIED):
            analyst.execute(b"CREATE TABLE mine (id int)")
        assert analyst.execute(b"SHOW statement_timeout").fetchone() == ("1min",)


def test_maintain__as_the_service__says_whose_rights_it_needs(applied: Cast) -> None:
    with applied.as_default("app"):
        with pytest.raises(
            CommandError, match=f"needs the owner of the tables, iw_owner_{applied.tail}; this is in_app"
        ):
            call_command("maintain", yes=True)
        assert sum(partitions.default_rows().values()) == 0


def test_alerts_and_system_page__as_the_service__ask_and_record(applied: Cast, tmp_path: Path) -> None:
    conf = settings().model_copy(update={"journal_dir": tmp_path, "alert_disk_mb": 99_000_000})
    root = User.objects.create_superuser("root")
    with applied.as_default("app"):
        looked = look_with_database(datetime.now(UTC), conf)
        assert looked.covered.keys() == RULES.keys()
        assert DatabaseRound(Notes(tmp_path), conf).work()
        assert Alert.objects.filter(rule="disk_low").exists()
        boss = Client()
        boss.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
        assert "default 0 0 0 " in read(boss.get("/admin/system/")).text
        assert (
            "It can't be run from here: maintain needs the owner" in read(boss.get("/admin/system/maintenance/")).text
        )
    root.delete()


def leave_open(journals: Path) -> Decision:
    """A decision that a process of this folder has left open, dead for an hour."""
    then = datetime.now(UTC) - timedelta(hours=1)
    dead = Chain(at=then)
    dead.tell(started_at=then, heartbeat_at=then, journal_id=(journals / "id").read_text().strip())
    return rows.decision(then, writer_id=dead.id, writer_seq=1)


def test_service__as_its_role__answers_records_and_is_edited(applied: Cast, tmp_path: Path) -> None:
    call_command("matrix_load", verbosity=0)
    key = new_key()
    owner = Project.objects.create(slug="atlas")
    ApiKey.objects.create(key_id=key.key_id, sha256=key.sha256, name="roles", project=owner)
    User.objects.create_superuser("boss")
    before = Revision.objects.get().number
    where = connections["default"].settings_dict
    login = f"{applied.logins['app']}:{applied.password}"
    with SandboxProcess(log_path=tmp_path / "sandbox.jsonl") as sandbox:
        env = environment.for_tests(tmp_path, None) | {
            "DATABASE_URL": f"postgres://{login}@{where['HOST']}:{where['PORT']}/{applied.database}",
            "IW_UPSTREAM_BASE_URL": sandbox.base_url,
            "IW_UPSTREAM_API_KEY": "sk-sandbox",
            "IW_WRITER_DEAD_S": "2",
        }
        service = ServiceProcess(env, tmp_path / "service.log").start()
        try:
            sdk = OpenAI(base_url=f"{service.url}/v1", api_key=key.text, max_retries=0, timeout=20)
            sdk.chat.completions.create(model="fast", messages=[{"role": "user", "content": "Hi"}])
            stream = sdk.chat.completions.create(
                model="deep", messages=[{"role": "user", "content": "Hi"}], stream=True
            )
            assert list(stream)
            left = leave_open(tmp_path / "journal")
            eventually(lambda: Writer.objects.filter(mode="database", last_seq__gt=0).exists(), "a heartbeat")
            with link(applied.database, autocommit=False) as other:
                other.execute(b"LOCK TABLE iwrouting_decision")
                sdk.chat.completions.create(model="budget", messages=[{"role": "user", "content": "Hi"}])
                eventually(lambda: service.get("/readyz")[1]["audit"]["mode"] == "journal", "the journal")
            eventually(lambda: service.get("/readyz")[1]["audit"]["mode"] == "database", "the database")
            closed = left.outcomes.filter(result="interrupted", origin="sweeper")
            eventually(closed.exists, "the sweep", patience_s=30)
            with applied.as_default("app"):
                boss = Client()
                boss.force_login(User.objects.get())
                forms.fill(boss, "/admin/iwrouting/project/add/", slug="borea")
        finally:
            assert service.stop() == 0
    mine = Decision.objects.filter(key_id=key.key_id)
    assert sorted(mine.values_list("alias", "outcomes__result")) == [
        (alias, "ok") for alias in ("budget", "deep", "fast")
    ]
    assert Project.objects.filter(slug="borea").exists()
    assert Revision.objects.get().number > before
    assert "permission denied" not in service.words
    assert "Traceback" not in service.words


def test_usage__as_the_service_and_as_the_owner__is_summed_up(applied: Cast) -> None:
    roll(lambda _line: None)  # the calls of this very quarter that the service of a test before made
    month = datetime.combine(story.month(0), datetime.min.time(), UTC)
    for _ in range(2):
        story.calls(story.month(0), 2)
        with applied.as_default("app"):
            assert roll_settled() == {"quarters": 1, "late": 0}
            assert_rolled()
            assert reading.read(Question(month, datetime.now(UTC))).totals["calls"] == Decision.objects.count()
    story.calls(story.month(0), 1)
    with applied.as_default("owner"):
        call_command("maintain", yes=True, format="json")
        assert_rolled()
    with applied.link("app") as app:
        for statement in (
            "TRUNCATE iwrouting_usagecell",
            "DROP VIEW iw_usage_raw",
            "ALTER TABLE iwrouting_decision DISABLE TRIGGER iw_usage_marked",
            "CREATE OR REPLACE FUNCTION iw_usage_mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        ):
            with pytest.raises(DENIED):
                app.execute(statement.encode())


def test_owner__migrates_and_maintains__and_what_it_makes_serves_the_others(applied: Cast) -> None:
    with applied.as_default("owner"):
        call_command("migrate", "iwrouting", "0005", verbosity=0)
        call_command("migrate", verbosity=0)
        assert len(partitions.make_months(13).made) == 3
        call_command("maintain", yes=True, format="json")
    made = f"iwrouting_decision_y{story.month(13):%Ym%m}"
    with applied.link("app") as app, applied.link("analyst") as analyst:
        assert app.execute(f"SELECT count(*) FROM {made}".encode()).fetchone() == (0,)  # noqa: S608 - our own names
        assert app.execute(b"SELECT count(*) FROM iwrouting_seal").fetchone() == (0,)
        assert analyst.execute(b"SELECT count(*) > 0 FROM rpt_decisions_v1").fetchone() == (True,)
        with pytest.raises(DENIED):
            app.execute(f"DELETE FROM {made}".encode())  # noqa: S608 - our own names


def test_upgrade__roles_of_the_former_release__doctor_says_what_the_service_lacks_until_roles_runs(
    applied: Cast,
) -> None:
    with applied.as_default("owner"):
        call_command("migrate", "iwrouting", "0007", verbosity=0)
        call_command("migrate", verbosity=0)
    story.calls(story.month(0), 1)
    with applied.as_default("app"):
        [before] = check_rights(settings())
        with pytest.raises(ProgrammingError, match="permission denied for table iwrouting_usage"):
            roll_settled()
    assert before.level == "finding"
    assert "DELETE on iwrouting_labelcell" in before.message
    applied.apply()
    with applied.as_default("app"):
        [after] = check_rights(settings())
        assert roll_settled()["quarters"] > 0
        roll(lambda _line: None)
        assert_rolled()
    assert after.level == "ok"
