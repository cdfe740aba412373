"""A provider that runs here and can be broken on purpose: `python -m iwrouting.sandbox` (docs/sandbox.md).

It stands apart from the service: no Django, and of iwrouting only the catalogue's model facts. It is strict where
the real provider is (openai-facts.md 8), its answers say that they come from a sandbox, and its log is the second
ledger that the audit is reconciled against.
"""

from __future__ import annotations

KEY = "sk-sandbox"
"""The only API key that the sandbox takes."""
