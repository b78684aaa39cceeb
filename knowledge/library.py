"""Loads all knowledge once, cross-checks every reference, and refuses to start on a broken corpus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from knowledge.checks import check
from knowledge.files import (
    read_card,
    read_case,
    read_parameters,
    read_questions,
    read_rules,
    read_signals,
    read_statute,
)
from knowledge.numerals import sort_key
from knowledge.rulebook import Signal
from knowledge.schema import Card, Case, Dated, Provision, Questions, Ref, Statute
from knowledge.source import broken, broken_at
from knowledge.uses import Use, uses

ROOT = Path(__file__).parent

has_article = Statute.has_article


class Library:
    """All knowledge, by id and by name. Build it with :func:`load`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: dict[str, Path] = {}
        self.statutes = {s.id: s for s in self._read("statutes", "*.md", read_statute)}
        self.cards = {c.id: c for c in self._read("commentary", "**/*.md", read_card)}
        self.cases = {c.id: c for c in self._read("cases", "*.md", read_case)}
        self.parameters = {p.id: p for p in self._read("parameters", "*.yaml", read_parameters)}
        self.signals = {s.name: s for s in self._read("lexicon", "*.yaml", read_signals)}
        self.rules = [read_rules(path, self.paths) for path in self._files("rules", "*.yaml")]
        self.element_sets = {e.id: e for file in self.rules for e in file.element_sets}
        self.provisions = {p.key: p for s in self.statutes.values() for p in _provisions(s)}
        self.asks = self._read_asks()
        check(self)

    def _files(self, room: str, pattern: str) -> list[Path]:
        return sorted((self.root / room).glob(pattern))

    def _read(self, room: str, pattern: str, reader: Any) -> list[Any]:
        found: list[Any] = []
        for path in self._files(room, pattern):
            for item in reader(path):
                name = item.name if isinstance(item, Signal) else item.id
                if name in self.paths:
                    raise broken(path, name, f"“{name}”与 {self.paths[name]} 重复,请改一个名字")
                found.append(item)
                self.paths[name] = path
        for name, path in self.paths.items():
            if path.suffix == ".md" and path.stem != name:
                raise broken_at(path, ("id",), f"“{name}”与文件名不同:改成 {path.stem},或者给文件改名")
        return found

    def _read_asks(self) -> dict[str, list[str]]:
        """What people ask that an article answers, by the article's key."""
        asks: dict[str, list[str]] = {}
        found: dict[str, Path] = {}
        for path in self._files("questions", "*.yaml"):
            questions: Questions = read_questions(path)
            if questions.statute not in self.statutes:
                mend = "写 knowledge/statutes 里的文件名(不带 .md)"
                raise broken_at(path, ("statute",), f"没有收录“{questions.statute}”:{mend}")
            for article, ways in questions.asks.items():
                key = f"{questions.statute}/{article}"
                if key not in self.provisions:
                    mend = "改正条号(写 58、253之一),或先补上条文"
                    raise broken_at(path, ("asks", article), f"“{questions.statute}”没有收录“{article}”:{mend}")
                if key in found:
                    raise broken_at(path, ("asks", article), f"“{article}”与 {found[key]} 重复,请并到一处")
                asks[key], found[key] = ways, path
        return asks

    @cached_property
    def names(self) -> dict[str, list[Statute]]:
        """Every name a law goes by → its versions, newest first."""
        found: dict[str, list[Statute]] = {}
        for statute in sorted(self.statutes.values(), key=lambda s: s.effective, reverse=True):
            for name in {statute.short, statute.title, *statute.aliases}:
                found.setdefault(name, []).append(statute)
        return found

    def versions(self, name: str) -> list[Statute]:
        """The versions of a law by short name, title or alias, newest first; empty when unknown."""
        return self.names.get(name, [])

    def next(self, statute: Statute) -> Statute | None:
        """The version, or the law, that took the place of this one."""
        return self.statutes.get(statute.replaced_by or "")

    def previous(self, statute: Statute) -> list[Statute]:
        """The versions, or laws, whose place this one took, the latest first."""
        before = [s for s in self.statutes.values() if s.replaced_by == statute.id]
        return sorted(before, key=lambda s: s.effective, reverse=True)

    def successor(self, provision: Provision) -> Provision | None:
        """The article of the next version that corresponds to this one, where we know and hold it."""
        statute = self.statutes[provision.statute_id]
        return self.provisions.get(f"{statute.replaced_by}/{statute.successors.get(provision.article)}")

    def predecessors(self, provision: Provision) -> list[Provision]:
        """The articles of the previous versions that this one corresponds to, those of the latest first."""
        return [
            self.provisions[f"{before.id}/{old}"]
            for before in self.previous(self.statutes[provision.statute_id])
            for old, new in before.successors.items()
            if new == provision.article and old in before.texts
        ]

    def resolve(self, ref: Ref, on: date) -> Provision | None:
        """The provision a reference means: the named version, else the one in force on that day, else the newest."""
        held = [
            self.provisions[f"{s.id}/{ref.article}"]
            for s in self.versions(ref.law)
            if ref.version in (None, s.version) and ref.article in s.texts
        ]
        return next((p for p in held if p.in_force(on)), held[0] if held else None)

    def parameter(self, name: str, on: date) -> Dated | None:
        """The country-wide value of a parameter on that day."""
        values: list[Dated] = self.parameters[name].values
        return next((v for v in values if v.region is None and v.holds(on)), None)

    @cached_property
    def uses(self) -> list[Use]:
        """Every place where a record cites a provision."""
        return list(uses(self))

    def uses_of(self, provision: Provision) -> list[Use]:
        """The places that cite a provision, by name or (without a version) by number."""
        return [use for use in self.uses if self._same(use.ref, provision)]

    def cards_for(self, provision: Provision) -> list[Card]:
        """The cards that rest on a provision, those it matters most to first."""
        places = {
            card.id: next((n for n, ref in enumerate(card.provisions) if self._same(ref, provision)), None)
            for card in self.cards.values()
        }
        found = [(place, name) for name, place in places.items() if place is not None]
        return [self.cards[name] for _, name in sorted(found)]

    def cases_for(self, provision: Provision) -> Iterator[Case]:
        """The cases decided on a provision."""
        for case in self.cases.values():
            if any(self._same(ref, provision) for ref in case.basis):
                yield case

    def _same(self, ref: Ref, provision: Provision) -> bool:
        if ref.article != provision.article or ref.version not in (None, provision.version):
            return False
        return any(s.id == provision.statute_id for s in self.versions(ref.law))


def _provisions(statute: Statute) -> Iterator[Provision]:
    for article in sorted(statute.texts, key=sort_key):
        note = statute.article_notes.get(article)
        yield Provision(
            statute_id=statute.id,
            law=statute.short,
            title=statute.title,
            version=statute.version,
            kind=statute.kind,
            article=article,
            text=statute.texts[article],
            governs=(note and note.governs) or statute.governs,
            effective=(note and note.effective) or statute.effective,
            repealed=(note and note.repealed) or statute.repealed,
            replaced_by=statute.replaced_by,
            source=(note and note.source) or statute.source,
            checked_on=(note and note.checked_on) or statute.checked_on,
            confidence=(note and note.confidence) or statute.confidence,
            note=(note and note.note) or None,
        )


@cache
def load(root: Path = ROOT) -> Library:
    """Read and check everything under ``root``; raises :class:`BrokenKnowledge`, naming file and line."""
    return Library(root)
