"""The tables of docs/autoroute.md, rendered from the rules and the prompts: `python -m tests.autoroute.tables`."""

from __future__ import annotations

from iwrouting.autoroute import rules
from tests.autoroute.prompts import MODES, Prompt, confusion, load, right


def accuracy(prompts: list[Prompt]) -> str:
    """The confusion table of a set, and how many of it are right."""
    table = confusion(prompts)
    lines = ["| a person says | " + " | ".join(f"`{mode}`" for mode in MODES) + " | all |", "|---|" + "---|" * 5]
    for expected in MODES:
        counts = [table[expected, inferred] for inferred in MODES]
        lines.append(f"| `{expected}` | " + " | ".join(map(str, counts)) + f" | {sum(counts)} |")
    percent = 100 * right(table) / table.total()
    return "\n".join([*lines, "", f"{right(table)} of {table.total()} right: {percent:.1f} %."])


def features() -> str:
    """What is measured."""
    rows = [f"| `{name}` | {what} |" for name, (_, _, what) in rules.FEATURES.items()]
    return "\n".join(["| feature | counts |", "|---|---|", *rows])


def weights(table: dict[str, tuple[int, int]]) -> str:
    """Points for each, and up to how many count."""
    rows = [f"| `{name}` | {points} | {most} |" for name, (points, most) in table.items()]
    return "\n".join(["| feature | points each | counted at most |", "|---|---|---|", *rows])


def thresholds() -> dict[str, int]:
    """Every whole number among the rules, by name."""
    return {name: value for name, value in vars(rules).items() if name.isupper() and type(value) is int}


def rendered() -> dict[str, str]:
    """Every table of the page by its heading."""
    held_out = load("heldout")
    return {
        "labelled": accuracy(load("labelled")),
        "held out, first batch": accuracy([prompt for prompt in held_out if prompt.batch == 1]),
        "held out, second batch": accuracy([prompt for prompt in held_out if prompt.batch == 2]),
        "features": features(),
        "code": weights(rules.CODE_WEIGHTS),
        "research": weights(rules.RESEARCH_WEIGHTS),
    }


if __name__ == "__main__":
    for heading, table in rendered().items():
        print(f"## {heading}\n\n{table}\n")
