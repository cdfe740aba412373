"""What serves now: the committed configuration through the one resolver, as the admin's pages show it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.show import badge, lines, value_badge
from iwrouting.errors import RoutingError
from iwrouting.models import Override
from iwrouting.resolver import facts_of, resolve
from iwrouting.resolver.lifecycle import Finding, lifecycle_findings
from iwrouting.resolver.warnings import lifecycle_warning
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.types import Configuration, Resolution

LIFECYCLE = {
    "model_unverified": ("not in the catalogue", "info"),
    "model_disabled": ("disabled", "bad"),
    "model_retired": ("shut down", "bad"),
    "model_retiring": ("shuts down", "warn"),
}
"""The resolver's lifecycle findings by their code, as words and tone of a badge."""

MOST_PLACES = 10
DATED = {"model_retired", "model_retiring"}


class Effective:
    """One reading of the configuration and of the clock: make one a request, so that a page agrees with itself."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.config: Configuration | None
        try:
            self.config, self.fault = load(), ""
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

    def note(self, model: str) -> str:
        """The same finding as a sentence; empty for none."""
        return self._finding(model)[1]

    def notes(self, alias: str) -> str:
        """The findings on all models of an alias's chain, and on what it names without using it; empty for none."""
        found = self.resolution(alias, None)
        named = [each.warning for each in self.findings if each.place.alias == alias and each.place.project is None]
        texts = dict.fromkeys([*(found.warnings if found else ()), *named])
        return "; ".join(text.partition(": ")[2] for text in texts)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every place of the configuration whose model is gone, going, disabled or unknown."""
        return lifecycle_findings(self.config, self.now) if self.config else ()

    def life_of(self, alias: str) -> SafeString | str:
        """The badges of what an alias names: its default, variable, rungs and overrides; empty for none."""
        found = [each for each in self.findings if each.place.alias == alias]
        return lines(badge(f"{each.place.label}: {_words(each)}", LIFECYCLE[each.code][1]) for each in found)

    def named_at(self, model: str) -> str:
        """Where a model that is gone, going or disabled is named, as one sentence; empty for none."""
        found = [each for each in self.findings if each.place.model == model]
        named = [each.place.told() for each in found]
        more = [f"and {len(named) - MOST_PLACES} more"] if len(named) > MOST_PLACES else []
        words = "; ".join([*named[:MOST_PLACES], *more])
        return f"{found[0].warning.partition(': ')[2]}. It is the {words}." if found else ""

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
