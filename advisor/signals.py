"""What a turn says of each signal: true, denied, or only suspected; and what it merely supposes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from advisor.clauses import Text
from advisor.phrases import Phrases, search

# Nobody says one thing oftener; a limit keeps hostile text cheap.
MOST = 24


@dataclass(frozen=True)
class Statement:
    """A signal's value (True, False, "doubted", or one of its own values) and where the words stand."""

    value: bool | str
    start: int
    end: int
    supposed: bool


def statement(name: str, text: Text, phrases: Phrases, supposed: bool = False) -> Statement | None:
    """The statement a turn makes of a signal, or with ``supposed`` the one it only supposes; None without one.

    An explicit denial goes first, then what is said to be so, then what is suspected, then a plain negation.
    """
    signal = phrases.signals[name]
    if signal.values:
        told = (s for s in _valued(name, text, phrases) if s.supposed is supposed)
        return min(told, key=lambda s: s.start, default=None)
    best: Statement | None = None
    for found in _denials(name, text, phrases):
        if found.supposed is supposed:
            return found
    for found in _statements(name, text, phrases):
        if found.supposed is not supposed:
            continue
        if found.value is True:
            return found
        if best is None or best.value is False:
            best = found
    return best


def _valued(name: str, text: Text, phrases: Phrases) -> Iterator[Statement]:
    for value, patterns in phrases.values(name):
        for pattern in patterns:
            for match in islice(pattern.finditer(text.plain), MOST):
                if not search(phrases.unless(name), text.clause(match.start()).words):
                    yield Statement(value, match.start(), match.end(), text.supposed(match.start()))


def _denials(name: str, text: Text, phrases: Phrases) -> Iterator[Statement]:
    for pattern in phrases.denies(name):
        for match in islice(pattern.finditer(text.plain), MOST):
            yield Statement(False, match.start(), match.end(), text.supposed(match.start()))


def _statements(name: str, text: Text, phrases: Phrases) -> Iterator[Statement]:
    for pattern in phrases.says(name):
        for match in islice(pattern.finditer(text.plain), MOST):
            clause = text.clause(match.start())
            around = text.plain[clause.start : max(clause.end, text.clause(match.end() - 1).end)]
            if search(phrases.unless(name), around):
                continue
            value = _value(match, text, phrases) if phrases.signals[name].negatable else True
            if value is not None:
                start = match.start() if value is True else max(clause.start, match.start() - 6)
                yield Statement(value, start, match.end(), text.supposed(match.start()))


def _value(match: re.Match[str], text: Text, phrases: Phrases) -> bool | str | None:
    """How the words around a match put it; None where they only ask whether something amounts to it."""
    clause = text.clause(match.start())
    before, after = text.plain[clause.start : match.start()], text.plain[match.end() : match.end() + 8]
    before += "是" if match[0].startswith("是") else ""  # 不 + 是AI生成
    if phrases.find("mode.negation", before):
        return False
    if phrases.find("mode.asking", before):
        return None
    lead = text.plain[max(0, clause.start - 12) : clause.start] if not before else ""
    if phrases.find("mode.doubt", before) or phrases.find("mode.hearsay", before) or phrases.find("mode.open", after):
        return "doubted"
    return "doubted" if phrases.find("mode.doubt_lead", lead + before) else True
