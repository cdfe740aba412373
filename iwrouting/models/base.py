"""Configuration rows: every change of one raises the revision in the same transaction (design.md 7)."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import connections, models, router, transaction

NOTIFY_CHANNEL = "iw_config"

Row = TypeVar("Row", bound=models.Model)


class Revision(models.Model):
    """The one row that counts configuration changes; locked for each change, so that revisions commit in order."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "revision"

    def __str__(self) -> str:
        return f"revision {self.number}"

    @classmethod
    def raise_by_one(cls, using: str) -> int:
        """Lock the counter, raise it, wake the workers at commit (PostgreSQL), and return the new number."""
        row, _ = cls.objects.using(using).select_for_update().get_or_create(id=1)
        row.number += 1
        row.save(using=using)
        connection = connections[using]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", [NOTIFY_CHANNEL, str(row.number)])
        return row.number

    @classmethod
    def current(cls) -> int:
        """The last committed revision; 0 for a configuration that was never filled."""
        return cls.objects.filter(id=1).values_list("number", flat=True).first() or 0


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
        return TypeError(f"{name}.objects.{call}() would raise no revision: call save() on each {name} instead")


class ConfigManager(models.Manager[Row]):
    """Hands out guarded querysets."""

    def get_queryset(self) -> GuardedQuerySet[Row]:
        """A guarded queryset."""
        return GuardedQuerySet(self.model, using=self._db)


class ConfigModel(models.Model):
    """Base of all configuration rows."""

    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    objects = ConfigManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save under a new revision."""
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            Revision.raise_by_one(using)
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete under a new revision. Raises ProtectedError for a row that must stay."""
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            Revision.raise_by_one(using)
            if fault := self.delete_fault(using):
                raise models.ProtectedError(fault, {self})
            return super().delete(*args, **kwargs)

    def delete_fault(self, using: str | None = None) -> str:
        """Why this row must stay, and what to do instead; empty where it may go."""
        return ""
