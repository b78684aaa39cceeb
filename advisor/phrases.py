"""The lexicon's wordings as regular expressions, compiled once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from knowledge.rulebook import Signal

_WORD = re.compile(r"(?<!\?P)<([a-z_]+)>")


class Phrases:
    """The signals of a lexicon, ready to search; ``<buyer>`` in a pattern stands for what ``word.buyer`` says."""

    def __init__(self, signals: Mapping[str, Signal]) -> None:
        self.signals = signals
        self._ready: dict[tuple[str, str], list[re.Pattern[str]]] = {}

    def says(self, name: str) -> list[re.Pattern[str]]:
        """The patterns that state a signal."""
        return self._compiled(name, "says", self.signals[name].says)

    def denies(self, name: str) -> list[re.Pattern[str]]:
        """The patterns that deny a signal."""
        return self._compiled(name, "denies", self.signals[name].denies)

    def unless(self, name: str) -> list[re.Pattern[str]]:
        """The patterns in whose clause a signal is not stated."""
        return self._compiled(name, "unless", self.signals[name].unless)

    def values(self, name: str) -> Iterator[tuple[str, list[re.Pattern[str]]]]:
        """The values of a signal that has some, each with its patterns."""
        for value, patterns in self.signals[name].values.items():
            yield value, self._compiled(name, f"values.{value}", patterns)

    def find(self, name: str, text: str) -> re.Match[str] | None:
        """The first match of the first pattern that states a signal in a text, or None."""
        return search(self.says(name), text)

    def _compiled(self, name: str, part: str, patterns: list[str]) -> list[re.Pattern[str]]:
        key = name, part
        if key not in self._ready:
            self._ready[key] = [_regex(self._spelt(pattern)) for pattern in patterns]
        return self._ready[key]

    def _spelt(self, pattern: str) -> str:
        return _WORD.sub(lambda m: f"(?:{self._spelt('|'.join(self.signals[f'word.{m[1]}'].says))})", pattern)


def search(patterns: list[re.Pattern[str]], text: str) -> re.Match[str] | None:
    """The match of the first pattern that has one."""
    return next((match for pattern in patterns if (match := pattern.search(text))), None)


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)
