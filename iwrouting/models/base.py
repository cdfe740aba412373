"""Configuration rows, and the counter of their revisions (design.md 7). `changing.py` has the one call for changes."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import connections, models, router, transaction

NOTIFY_CHANNEL = "iw_config"

Row = TypeVar("Row", bound=models.Model)


class Revision(models.Model):
    """The one row that counts configuration changes; locked for each change, so that revisions commit in order.

    Triggers raise `touches` with each statement that writes configuration rows, whoever sends it (design.md 7);
    `accounted` is how far our own changes have brought it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)
    touches = models.BigIntegerField(default=0)
    accounted = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "revision"

    def __str__(self) -> str:
        return f"revision {self.number}"

    @property
    def is_touched(self) -> bool:
        """Whether somebody has changed the configuration by SQL since this revision."""
        return self.touches != self.accounted

    @classmethod
    def current(cls) -> int:
        """The last committed revision; 0 for a configuration that was never filled."""
        return cls.standing().number

    @classmethod
    def standing(cls, using: str | None = None) -> Revision:
        """The counter as committed; all zero for a configuration that was never filled."""
        return cls.objects.using(using).filter(id=1).first() or cls()

    @classmethod
    def lock(cls, using: str) -> Revision:
        """The counter, locked until the end of the transaction: changes wait for each other here."""
        return cls.objects.using(using).select_for_update().get_or_create(id=1)[0]

    @classmethod
    def tell(cls, using: str, number: int) -> None:
        """Wake the workers at commit (PostgreSQL; elsewhere they poll)."""
        connection = connections[using]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", [NOTIFY_CHANNEL, str(number)])


class GuardedQuerySet(models.QuerySet[Row]):
    """A queryset that refuses bulk writes: they would change the configuration without a revision."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused: save each row instead."""
        raise self._refusal("update")

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: save each row instead."""
        raise self._refusal("bulk_create")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: save each row instead."""
        raise self._refusal("bulk_update")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete row by row, each with its revision."""
        with transaction.atomic(using=self.db):
            counts = [row.delete()[0] for row in self]
        return sum(counts), {self.model._meta.label: sum(counts)}

    def _refusal(self, call: str) -> TypeError:
        name = self.model.__name__
        return TypeError(
            f"{name}.objects.{call}() would leave no history: open `with change(author=..., via=..., reason=...)` of "
            f"iwrouting.models and call save() on each {name} instead"
        )


class ConfigManager(models.Manager[Row]):
    """Hands out guarded querysets."""

    def get_queryset(self) -> GuardedQuerySet[Row]:
        """A guarded queryset."""
        return GuardedQuerySet(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined] # of any Manager


class ConfigModel(models.Model):
    """Base of all configuration rows."""

    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    objects = ConfigManager()

    class Meta:
        abstract = True
        # Related managers write through the base manager: `project.overrides.add(row)` would go round `objects`.
        base_manager_name = "objects"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete, inside a change. Raises ProtectedError for a row that must stay."""
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        if fault := self.delete_fault(using):
            raise models.ProtectedError(fault, {self})
        return super().delete(*args, **kwargs)

    def delete_fault(self, using: str | None = None) -> str:
        """Why this row must stay, and what to do instead; empty where it may go."""
        return ""
