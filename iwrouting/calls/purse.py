"""What one call may spend of its run's budget."""

from __future__ import annotations

from dataclasses import dataclass

from iwrouting.audit import Reserve


@dataclass(slots=True)
class Purse:
    """What a call asks to be set aside: `prompt` tokens for its input, the rest for the output of its choices.

    `granted` is what it got: all that its tries and fallbacks together may take.
    """

    reserve: Reserve
    prompt: int
    choices: int
    granted: int | None = None

    @property
    def output_cap(self) -> int | None:
        """The most tokens of output for each choice; None where there is no output or nothing was granted."""
        if self.granted is None or self.reserve.least == self.prompt:
            return None
        return (self.granted - self.prompt) // self.choices
