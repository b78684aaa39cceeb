"""Tells apart what happened on the days a turn names: the conduct, the report, the notice, the delivery."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from advisor.clauses import Text
from advisor.dates import Day
from advisor.days import days
from advisor.phrases import Phrases

# date.* in the lexicon: what a day is of. "conduct" is the false claim or refund, "other" anything not asked for.
NAMES = {
    "reported": "reported_on",
    "notice": "notice_on",
    "knew": "knew_on",
    "signed": "signed_on",
    "returned": "returned_on",
}
KINDS = (*NAMES, "conduct", "other")
_TO = re.compile(r"(?:号|日|份)?(?:开始|起)?,?(?:一直)?(?:到|至|—+|-+|~)")
_AND = re.compile(r"\s*[到至~\-—和、]\s*")


@dataclass(frozen=True)
class Span:
    """Days from first to last, and the words that tell them."""

    first: date
    last: date
    words: str


def occasions(text: Text, phrases: Phrases, asked_on: date, supposed: bool = False) -> dict[str, Span]:
    """The span of the conduct under "date", and the other days told, under their fact names.

    With ``supposed``, those that are only supposed ("要是发生在去年呢").
    """
    found = [day for day in days(text.plain, asked_on, phrases) if not _denied(day, text, phrases)]
    kinds = _joined(found, [_kind(number, found, text, phrases) for number in range(len(found))], text)
    told = [(day, kind) for day, kind in zip(found, kinds, strict=True) if text.supposed(day.start) is supposed]
    spans = {}
    for kind, name in NAMES.items():
        if days_of := [day for day, is_of in told if is_of == kind]:
            day = days_of[-1]
            spans[name] = Span(day.last, day.last, text.words(day.start, day.end))
    conduct = [day for day, kind in told if kind == "conduct"] or [day for day, kind in told if kind == ""]
    if conduct:
        words = "、".join(text.words(day.start, day.end) for day in conduct)
        spans["date"] = Span(min(day.first for day in conduct), max(day.last for day in conduct), words)
    return spans


def _denied(day: Day, text: Text, phrases: Phrases) -> bool:
    return phrases.find("date.denied", text.marked(day.start, day.end, "§")) is not None


def _kind(number: int, found: list[Day], text: Text, phrases: Phrases) -> str:
    """What a day is of, by the nearest cue between the days beside it; "" where nothing tells."""
    day = found[number]
    after = found[number + 1].start - day.end if number + 1 < len(found) else 24
    before = day.start - found[number - 1].end if number else 24
    around = text.marked(day.start, day.end, "§", min(before, 24), min(after, 24))
    nearest: tuple[int, str] | None = None
    for kind in KINDS:
        for pattern in phrases.says(f"date.{kind}"):
            if match := pattern.search(around):
                far = len(match[0])
                if nearest is None or far < nearest[0]:
                    nearest = far, kind
    return nearest[1] if nearest else ""


def _joined(found: list[Day], kinds: list[str], text: Text) -> list[str]:
    """Days told in one breath are of one kind: 12月28日到1月3日, 3月和4月."""
    kinds = list(kinds)
    for number in range(len(found) - 2, -1, -1):
        between = text.plain[found[number].end : found[number + 1].start]
        if _AND.fullmatch(between) or _TO.fullmatch(between):
            kinds[number] = kinds[number + 1] = kinds[number + 1] or kinds[number]
    return kinds
