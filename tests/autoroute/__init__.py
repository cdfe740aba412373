"""`auto`: the labelled prompts, the rules' behaviour, and the page that describes them."""

from __future__ import annotations
