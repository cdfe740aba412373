"""What stands behind `iwrouting.client`: settings, context, resolving with fallbacks, and the requests themselves.

Needs only `openai`. Each request is written once, as a generator that yields what to ask of an SDK client (`flows`);
a sync and an async driver run the same generators (`drivers`).
"""

from __future__ import annotations
