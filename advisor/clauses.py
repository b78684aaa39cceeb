"""A turn of the user's, cut into clauses, with what is only supposed told apart."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from advisor.phrases import Phrases
from ingest.embedder import normalize

# A clause of more is no clause; a limit keeps hostile text cheap.
_CLAUSE = re.compile(r"[^,。;!?\n]{1,120}")
_STOPS = "。;!?\n"
# A space between Chinese characters is a pause; a full-width comma between digits is never a thousands mark.
_PAUSE = re.compile(r"(?<=[\u4e00-\u9fff\d])[ \u3000](?=[\u4e00-\u9fff])")
_LISTED = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class Clause:
    """A clause and its place; what stands at ``supposed`` or after it is only supposed, not told."""

    words: str
    start: int
    end: int
    supposed: int


class Text:
    """What one turn says: ``plain`` is its normalized form, position by position in all but the rarest texts.

    A space is read as a comma, unless there are to be no ``pauses``.
    """

    def __init__(self, text: str, phrases: Phrases, pauses: bool = True) -> None:
        plain = normalize(text)
        self.original = text if len(text) == len(plain) else plain
        listed = _LISTED.sub(lambda m: "、" if self.original[m.start()] != "," else m[0], plain)
        self.plain = _PAUSE.sub(",", listed) if pauses else listed
        self.clauses = list(self._cut(phrases))
        self._starts = [clause.start for clause in self.clauses]

    def words(self, start: int, end: int) -> str:
        """The user's own words there."""
        return self.original[start:end].strip()

    def clause(self, position: int) -> Clause:
        """The clause a position lies in, or the last before it."""
        return self.clauses[max(bisect_right(self._starts, position) - 1, 0)]

    def supposed(self, position: int) -> bool:
        """Whether what stands there is only supposed ("如果……")."""
        return position >= self.clause(position).supposed

    def marked(self, start: int, end: int, mark: str, before: int = 40, after: int = 24) -> str:
        """The sentence around what stands there, a mark in its place: what its cue words are matched against."""
        head = re.split(f"[{_STOPS}]", self.plain[max(0, start - before) : start])[-1]
        tail = re.split(f"[{_STOPS}]", self.plain[end : end + after])[0]
        return f"{head}{mark}{tail}"

    def _cut(self, phrases: Phrases) -> Iterator[Clause]:
        last, supposing = 0, False
        for match in _CLAUSE.finditer(self.plain):
            between = self.plain[last : match.start()]
            if (last and any(stop in between for stop in _STOPS)) or phrases.find("mode.consequence", match[0]):
                supposing = False
            from_here = match.start() if supposing else len(self.plain) + 1
            found = None if supposing else phrases.find("mode.hypothetical", match[0])
            if found and not phrases.find(
                "mode.quoted", self.plain[max(0, match.start() - 12) : match.start() + found.start()]
            ):
                from_here, supposing = match.start() + found.start(), True
            yield Clause(match[0], match.start(), match.end(), from_here)
            last = match.end()
