"""What all pages share that change the configuration: a try by the one call, told once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest

from iwrouting.admin.attempts import Attempt
from iwrouting.admin.base import BaseAdmin
from iwrouting.admin.typed import M
from iwrouting.models import OpenChange

T = TypeVar("T")
ATTEMPT = "iw_attempt"


def attempt_of(request: HttpRequest) -> Attempt | None:
    """The try that this request has made, or None."""
    found: Attempt | None = vars(request).get(ATTEMPT)
    return found


class AttemptingAdmin(BaseAdmin[M]):
    """Pages that change the configuration."""

    def attempt(self, request: HttpRequest, act: Callable[[Attempt, OpenChange], T]) -> tuple[Attempt, T | None]:
        """Try `act` as one change; its answer, where the change is committed, and what it had to tell."""
        attempt = Attempt(request)
        vars(request)[ATTEMPT] = attempt
        answer = attempt.run(lambda made: act(attempt, made))
        if not attempt.is_held:
            for level, text in attempt.messages:
                super().message_user(request, text, level)
        return attempt, answer

    def counted(self, rows: Sequence[M]) -> str:
        """How many, and of what."""
        return f"{len(rows)} {self.opts.verbose_name if len(rows) == 1 else self.opts.verbose_name_plural}"

    def message_user(
        self,
        request: HttpRequest,
        message: Any,
        level: int | str = messages.INFO,
        extra_tags: str = "",
        fail_silently: bool = False,
    ) -> None:
        """Tell it; inside a try only once that is committed."""
        attempt = attempt_of(request)
        if attempt is not None and attempt.is_open:
            attempt.messages.append((int(level), message))
        else:
            super().message_user(request, message, level, extra_tags, fail_silently)
