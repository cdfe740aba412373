"""`infer`: numbers in, a chat mode and the reason out; and the check of numbers that a caller sends instead of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iwrouting.autoroute import rules
from iwrouting.types import Inference

Features = Mapping[str, int]
TOLD_OF_DEEP = ("words", "images", "files", "thinking_words")  # the numbers in the reason for `deep`


def infer(features: Features) -> Inference:
    """The chat mode for measured features; a missing feature counts as 0.

    In this order (design.md 4): code-heavy -> `code`; long or research-like -> `research`; very short and simple ->
    `fast`; everything else -> `deep`. The reason names the rule and the numbers that decided.
    """
    for mode, rule in (("code", _code), ("research", _research), ("fast", _fast)):
        if reason := rule(features):
            return Inference(mode, reason, dict(features))
    return Inference("deep", _reason("everything else", features, TOLD_OF_DEEP), dict(features))


def check_features(value: object) -> dict[str, int]:
    """Features given by a caller of the API: known names, whole numbers from 0 to `FEATURE_MAX`.

    Raises ValueError that names the field and, if it isn't known, all names that are.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"an object of numbers is needed, not {type(value).__name__}; {_known()}")
    for name, number in value.items():
        if name not in rules.FEATURES:
            raise ValueError(f"{str(name)[:60]}: no such feature; {_known()}")
        if type(number) is not int or not 0 <= number <= rules.FEATURE_MAX:
            raise ValueError(f"{name}: a whole number from 0 to {rules.FEATURE_MAX} is needed; {_known()}")
    return dict(value)


def code_points(features: Features) -> int:
    """The points for code of a message by itself, without its history."""
    return _points(features, rules.CODE_WEIGHTS)


def research_points(features: Features) -> int:
    """The points for research of a message by itself, without its history."""
    return _points(features, rules.RESEARCH_WEIGHTS)


def _points(features: Features, weights: Mapping[str, tuple[int, int]]) -> int:
    return sum(each * min(features.get(name, 0), most) for name, (each, most) in weights.items())


def _code(features: Features) -> str:
    words = features.get("words", 0)
    needed = min(rules.CODE_POINTS + words // rules.CODE_WORDS_PER_POINT, rules.CODE_POINTS_MAX)
    earlier = features.get("history_code", 0) > 0
    points = code_points(features) + (rules.HISTORY_CODE_POINTS if earlier else 0)
    if points < needed and not (earlier and _leans_back(features)):
        return ""
    return _reason("code-heavy", features, [*rules.CODE_WEIGHTS, "history_code"])


def _leans_back(features: Features) -> bool:
    """A short follow-up that points back ("can you make it faster?") and isn't a mere thank-you."""
    words = features.get("words", 0)
    thanks = features.get("courtesies", 0) > 0 and words <= rules.COURTESY_WORDS
    return features.get("references", 0) > 0 and words <= rules.FOLLOW_UP_WORDS and not thanks


def _research(features: Features) -> str:
    if features.get("words", 0) >= rules.LONG_WORDS:
        return _reason("long", features, ["words"])
    earlier = features.get("history_research", 0) > 0
    points = research_points(features)
    if not points or points + (rules.HISTORY_RESEARCH_POINTS if earlier else 0) < rules.RESEARCH_POINTS:
        return ""
    return _reason("research-like", features, [*rules.RESEARCH_WEIGHTS, "history_research"])


def _fast(features: Features) -> str:
    short = (
        0 < features.get("words", 0) <= rules.FAST_WORDS
        and features.get("chars", 0) <= rules.FAST_CHARS
        and features.get("lines", 0) <= rules.FAST_LINES
    )
    thinking = features.get("thinking_words", 0) > features.get("plain_questions", 0)
    if not short or thinking or any(map(features.get, rules.NOT_SIMPLE)):
        return ""
    return _reason("short and simple", features, ["words"])


def _reason(rule: str, features: Features, names: Iterable[str]) -> str:
    """The rule and the numbers behind it: `code-heavy: 2 fenced blocks, 14 code signals`."""
    counts = ((features.get(name, 0), rules.FEATURES[name]) for name in names)
    numbers = ", ".join(f"{count} {one if count == 1 else many}" for count, (one, many, _) in counts if count)
    return f"{rule}: {numbers}" if numbers else rule


def _known() -> str:
    return f"known features: {', '.join(rules.FEATURES)}"
