"""What serves now: the committed configuration through the one resolver, as the admin's pages show it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.show import badge, lines, value_badge
from iwrouting.errors import RoutingError
from iwrouting.models import Override, Revision
from iwrouting.resolver import facts_of, resolve
from iwrouting.resolver.lifecycle import Finding, lifecycle_findings
from iwrouting.resolver.warnings import lifecycle_warning
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.snapshot.contents import NoSuchRevision, configuration_at
from iwrouting.types import Configuration, Resolution

LIFECYCLE = {
    "model_unverified": ("not in the catalogue", "info"),
    "model_disabled": ("disabled", "bad"),
    "model_retired": ("shut down", "bad"),
    "model_retiring": ("shuts down", "warn"),
}
"""The resolver's lifecycle findings by their code, as words and tone of a badge."""

DATED = {"model_retired", "model_retiring"}


def in_force() -> Configuration:
    """What serves: as committed; while a change by SQL waits, the last revision before it (design.md 7).

    Raises SnapshotRefused.
    """
    try:
        return load()
    except SnapshotRefused:
        counter = Revision.standing()
        if not counter.is_touched or not counter.number:
            raise
        try:
            return configuration_at(counter.number)
        except NoSuchRevision as error:
            raise SnapshotRefused(str(error)) from None


class Effective:
    """One reading of the configuration and of the clock: make one a request, so that a page agrees with itself."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.config: Configuration | None
        try:
            self.config, self.fault = in_force(), ""
        except SnapshotRefused as error:
            self.config, self.fault = None, str(error)

    def resolution(self, alias: str, project: str | None, *, without: Override | None = None) -> Resolution | None:
        """What the resolver answers, as if the override `without` did not exist; None where it has no answer."""
        if self.config is None:
            return None
        config = self.config
        if without is not None:
            ref = f"override:{without.pk}"
            config = replace(config, overrides={at: row for at, row in config.overrides.items() if row.ref != ref})
        try:
            return resolve(config, alias, project=project, now=self.now)
        except RoutingError:
            return None

    def cell(self, alias: str, project: str | None, *, without: Override | None = None) -> SafeString:
        """The model with the badge of its source."""
        found = self.resolution(alias, project, without=without)
        if found is None:
            return badge(f"unreadable: {self.fault}" if self.fault else "no model", "bad")
        return format_html('<span class="iw-model">{}</span> {}', found.model, value_badge(found.source))

    def lifecycle(self, model: str) -> SafeString | str:
        """The badge of a model that is gone, going, disabled or unknown; empty for any other."""
        code, _ = self._finding(model)
        if not code:
            return ""
        words, tone = LIFECYCLE.get(code, (code, "warn"))
        return badge(f"{words} {self._shutdown(model) if code in DATED else ''}".strip(), tone)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every place of the configuration whose model is gone, going, disabled or unknown."""
        return lifecycle_findings(self.config, self.now) if self.config else ()

    def life_of(self, alias: str) -> SafeString | str:
        """The badges of what an alias names: its default, variable, rungs and overrides; empty for none."""
        found = [each for each in self.findings if each.place.alias == alias]
        return lines(badge(f"{each.place.label}: {_words(each)}", LIFECYCLE[each.code][1]) for each in found)

    def _finding(self, model: str) -> tuple[str, str]:
        if self.config is None:
            return "", ""
        facts = facts_of(self.config, model)
        code, _, words = lifecycle_warning(facts, self.now.date(), self.config.lifecycle_warning_days).partition(": ")
        return code, words

    def _shutdown(self, model: str) -> str:
        facts = self.config.models.get(model) if self.config else None
        return str(facts.shutdown_date) if facts else ""


def _words(finding: Finding) -> str:
    words, _ = LIFECYCLE[finding.code]
    return f"{words} {finding.shutdown_date}" if finding.shutdown_date else words
