"""What the demo's callers say: for each chat mode, texts that `auto` takes for it."""

from __future__ import annotations

CODE = (
    "Why does this return None?\n\n```python\ndef total(cart):\n    result = 0\n    for item in cart:\n"
    '        result += item["price"] * item["qty"]\n```',
    "TypeError: 'NoneType' object is not subscriptable, line 12 in load_config. The function:\n\n"
    "def load_config(path):\n    with open(path) as file:\n        yaml.safe_load(file)",
    "SELECT name, count(*) FROM orders GROUP BY day;\n-- ERROR: column orders.name must appear in the GROUP BY clause",
)
RESEARCH = (
    "Write a literature review on carbon capture at cement plants: compare at least five studies since 2020, cite your "
    "sources, and discuss where their findings disagree.",
    "Research the state of solid-state batteries: who produces them today, at which cost, with which evidence? Compare "
    "the sources and list open questions.",
)
FAST = ("Say hello", "Thanks!", "What is the capital of Peru?", "Translate 'good morning' to French")
DEEP = (
    "Explain why our sales fell in the second quarter although the number of visitors to the shops went up slightly",
    "We want to move our office to a smaller town. Weigh what speaks for and against it, and tell what to ask first.",
    "Plan a three-day workshop that brings two teams together without trust in each other, with a fallback for day 2.",
)
ALL = (*CODE, *RESEARCH, *FAST, *DEEP)

DOCUMENT = "The plant was built in 1931 and changed hands four times. "
"""What documents are made of, for embeddings and long prompts."""
