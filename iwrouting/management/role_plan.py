"""The roles of PostgreSQL as statements: who may change tables, the service, and analysts (docs/operations.md).

The three are roles without login; logins are members of them. A second run changes nothing that is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from iwrouting.audit.keeping.partitions import attached
from iwrouting.reports import REPORTS, VIEWS
from iwrouting.reports.guards import KEYS

SETTINGS = {
    "app": {
        "statement_timeout": "60s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
    },
    "analyst": {
        "default_transaction_read_only": "on",
        "statement_timeout": "60s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
        "timezone": "UTC",
    },
    "owner": {},
}
"""What a login of each kind begins its sessions with. Long reports hold up retention, so analysts have an end.
Without `jit`: compiling a view of the usage takes seconds, running it milliseconds. In UTC: a date that a query names
without a zone begins at the session's own midnight."""

FUNCTIONS = "SELECT oid::regprocedure::text, pg_get_userbyid(proowner) FROM pg_proc WHERE proname LIKE 'iw\\_%%' "
OWNERS = (
    "SELECT relname, relkind::text, pg_get_userbyid(relowner) FROM pg_class WHERE relname = ANY(%s) "
    "AND relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')"
)

MIGHTY = """
SELECT login.rolname, CASE WHEN login.rolsuper THEN 'is a superuser' ELSE 'is a member of ' || owner.rolname END
FROM pg_roles AS login LEFT JOIN pg_roles AS owner ON owner.rolname = ANY(%s)
WHERE login.rolname = ANY(%s) AND (login.rolsuper OR pg_has_role(login.oid, owner.oid, 'MEMBER'))
ORDER BY 1
"""


BESIDE = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relname <> ALL(%s)
    AND has_table_privilege(%s, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
ORDER BY 1
"""

LACKING = """
SELECT format('%%s on %%I', wanted.privilege, wanted.name)
FROM unnest(%s::text[], %s::text[]) AS wanted (name, privilege)
WHERE NOT has_table_privilege(to_regclass(wanted.name), wanted.privilege)
ORDER BY wanted.name, wanted.privilege
"""


@dataclass(frozen=True, slots=True)
class Login:
    """A role that logs in as one of a kind: `app`, `analyst` or `owner`. `verifier`: of its password, or empty."""

    kind: str
    name: str
    verifier: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the three, and who logs in as what."""

    owner: str
    app: str
    analyst: str
    logins: tuple[Login, ...] = ()

    def of(self, kind: str) -> str:
        """The role of a kind."""
        return {"owner": self.owner, "app": self.app, "analyst": self.analyst}[kind]


def statements(roles: Roles) -> list[str]:
    """All statements that make the configured database so, in their order."""
    schema, database, user, is_super = _row(
        "SELECT current_schema(), current_database(), current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
    )
    existing = {name for (name,) in _rows("SELECT rolname FROM pg_roles")}
    places = f"SCHEMA {quoted(schema)}"
    return [
        *_created((roles.owner, roles.app, roles.analyst), roles.logins, existing),
        *([] if is_super or roles.owner == user else [f"GRANT {quoted(roles.owner)} TO {quoted(user)}"]),
        *_places(roles, places, f"DATABASE {quoted(database)}"),
        *_owned(roles),
        *_granted(roles),
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(roles.owner)} IN {places} "
        f"GRANT SELECT, INSERT ON TABLES TO {quoted(roles.app)}",
        *(line for login in roles.logins for line in _login(roles.of(login.kind), login)),
    ]


def analyst_statements(analyst: str, login: Login | None) -> list[str]:
    """Those for analysts alone: their role, what it may read, and a login. What others may do stays as it is."""
    existing = {name for (name,) in _rows("SELECT rolname FROM pg_roles")}
    role, (schema, database) = quoted(analyst), _places_here()
    logins = () if login is None else (login,)
    return [
        *_created((analyst,), logins, existing),
        f"GRANT CONNECT ON {database} TO {role}",
        f"REVOKE CREATE ON {schema} FROM {role}",
        f"GRANT USAGE ON {schema} TO {role}",
        *(f"REVOKE ALL ON {quoted(name)} FROM {role}" for name in [*privileges_of_app(), *VIEWS]),
        *(f"GRANT SELECT ON {quoted(view)} TO {role}" for view in REPORTS),
        *(line for each in logins for line in _login(analyst, each)),
    ]


def analyst_revokes(analyst: str, login: str) -> list[str]:
    """Take from a login what it reads as an analyst; from the role all that it has, where no login is named."""
    role, (schema, database) = quoted(analyst), _places_here()
    if login:
        return [f"REVOKE {role} FROM {quoted(login)}"]
    names = [*privileges_of_app(), *VIEWS]
    return [
        *(f"REVOKE ALL ON {quoted(name)} FROM {role}" for name in names),
        f"REVOKE ALL ON {schema} FROM {role}",
        f"REVOKE ALL ON {database} FROM {role}",
    ]


def _places_here() -> tuple[str, str]:
    """The schema and the database, as GRANT names them."""
    schema, database = _row("SELECT current_schema(), current_database()")
    return f"SCHEMA {quoted(schema)}", f"DATABASE {quoted(database)}"


def quoted(name: str) -> str:
    """A name as an identifier."""
    return connection.ops.quote_name(name)


def _rows(sql: str, *parameters: str | list[str]) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _row(sql: str) -> tuple[str, ...]:
    (found,) = _rows(sql)
    return found


def _created(names: Sequence[str], logins: Sequence[Login], existing: set[str]) -> Iterator[str]:
    for name in names:
        if name not in existing:
            yield f"CREATE ROLE {quoted(name)} NOLOGIN"
    for login in logins:
        if login.name not in existing:
            yield f"CREATE ROLE {quoted(login.name)} LOGIN"


def _places(roles: Roles, schema: str, database: str) -> Iterator[str]:
    owner, app, analyst = (quoted(name) for name in (roles.owner, roles.app, roles.analyst))
    yield f"GRANT CONNECT ON {database} TO {owner}, {app}, {analyst}"
    yield f"REVOKE CREATE ON {schema} FROM PUBLIC, {app}, {analyst}"
    yield f"GRANT USAGE ON {schema} TO {app}, {analyst}"
    yield f"GRANT USAGE, CREATE ON {schema} TO {owner}"


def _owned(roles: Roles) -> Iterator[str]:
    """What has another owner yet; nothing is locked where all is right."""
    for name, kind, owner in _rows(OWNERS, [*tables(), *_partitions(), *VIEWS]):
        if owner != roles.owner:
            yield f"ALTER {'VIEW' if kind == 'v' else 'TABLE'} {quoted(name)} OWNER TO {quoted(roles.owner)}"
    for signature, owner in _rows(FUNCTIONS):
        if owner != roles.owner:
            yield f"ALTER FUNCTION {signature} OWNER TO {quoted(roles.owner)}"


def _granted(roles: Roles) -> Iterator[str]:
    app, analyst = quoted(roles.app), quoted(roles.analyst)
    for table, privileges in privileges_of_app().items():
        yield f"REVOKE ALL ON {quoted(table)} FROM {app}, {analyst}, PUBLIC"
        yield f"GRANT {privileges} ON {quoted(table)} TO {app}"
    for view in VIEWS:
        yield f"REVOKE ALL ON {quoted(view)} FROM {app}, {analyst}, PUBLIC"
        yield f"GRANT SELECT ON {quoted(view)} TO {app}{f', {analyst}' if view in REPORTS else ''}"


def _login(role: str, login: Login) -> Iterator[str]:
    name = quoted(login.name)
    yield f"GRANT {quoted(role)} TO {name}"
    if login.verifier:
        yield f"ALTER ROLE {name} PASSWORD '{login.verifier}'"
    for setting, value in SETTINGS[login.kind].items():
        yield f"ALTER ROLE {name} SET {setting} = '{value}'"
    if login.kind == "owner" and login.name != role:
        # What it makes is to belong to the role, or the next owner's login could not change it.
        yield f"ALTER ROLE {name} SET role = '{role}'"


def tables() -> list[str]:
    """Every table of the installed apps, and Django's record of migrations."""
    models = apps.get_models(include_auto_created=True)
    there = set(connection.introspection.table_names())
    names = {model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy}
    return sorted((names | {MigrationRecorder.Migration._meta.db_table}) & there)


def _partitions() -> list[str]:
    return [found.name for found in attached()]


def privileges_of_app() -> dict[str, str]:
    """What the service may do with each table and partition. New ones get the same by default, until the next run."""
    insert_only = {model._meta.db_table for model in KEYS}
    found = dict.fromkeys(tables(), "SELECT, INSERT, UPDATE, DELETE")
    found |= dict.fromkeys([*sorted(insert_only), *_partitions()], "SELECT, INSERT")
    return found | {MigrationRecorder.Migration._meta.db_table: "SELECT"}


def lacking() -> list[str]:
    """What the service needs and the present user may not do, such as `UPDATE on iwrouting_run`."""
    wanted = privileges_of_app() | dict.fromkeys(VIEWS, "SELECT")
    pairs = [(name, privilege) for name, privileges in wanted.items() for privilege in privileges.split(", ")]
    return [found for (found,) in _rows(LACKING, [name for name, _ in pairs], [privilege for _, privilege in pairs])]


def too_mighty(owner: str, logins: Sequence[Login]) -> list[str]:
    """Logins of the service and of analysts for whom the guards do not hold, each with the reason."""
    names = [login.name for login in logins if login.kind != "owner"]
    return [f"{name} {reason}" for name, reason in _rows(MIGHTY, [owner], names)]


def owner_of_views() -> str:
    """Whose the views are; empty where they have not been made yet."""
    owners = {name: owner for name, _, owner in _rows(OWNERS, list(REPORTS))}
    return owners[REPORTS[0]] if len(owners) == len(REPORTS) else ""


def reach_beside(role: str) -> list[str]:
    """Tables and views of the schema that a role can reach beside the reports: by PUBLIC, or by another role."""
    return [name for (name,) in _rows(BESIDE, list(REPORTS), role)]


def is_role(name: str) -> bool:
    """Whether the server has a role of this name."""
    return bool(_rows("SELECT rolname FROM pg_roles WHERE rolname = %s", name))
