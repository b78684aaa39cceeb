"""Loads all knowledge once, cross-checks every reference, and refuses to start on a broken corpus."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from knowledge.files import (
    broken,
    cited,
    read_card,
    read_case,
    read_parameters,
    read_rules,
    read_signals,
    read_statute,
)
from knowledge.numerals import heading, sort_key
from knowledge.schema import (
    Card,
    Case,
    Dated,
    Provision,
    Ref,
    Signal,
    Statute,
)

ROOT = Path(__file__).parent


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
        self.rules = [read_rules(path, self.paths) for path in sorted((root / "rules").glob("*.yaml"))]
        self.provisions = {p.key: p for s in self.statutes.values() for p in _provisions(s)}
        self._check()

    def _read(self, room: str, pattern: str, reader: Any) -> list[Any]:
        found: dict[str, Any] = {}
        for path in sorted((self.root / room).glob(pattern)):
            for item in reader(path):
                name = item.name if isinstance(item, Signal) else item.id
                if name in found:
                    raise broken(path, name, f"“{name}”与 {self.paths[name]} 重复,请改一个名字")
                found[name] = item
                self.paths[name] = path
        return list(found.values())

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

    def _check(self) -> None:
        """Every reference must lead somewhere; raises :class:`BrokenKnowledge` at the first that doesn't."""
        for statute in self.statutes.values():
            path = self.paths[statute.id]
            if statute.replaced_by and statute.replaced_by not in self.statutes:
                raise broken(path, "replaced_by", f"replaced_by 指向不存在的“{statute.replaced_by}”")
            for article in statute.article_notes:
                if article not in statute.texts:
                    raise broken(path, article, f"article_notes 里的“{article}”没有条文")
            for article in statute.texts:
                if not has_article(statute, article):
                    raise broken(path, heading(article), f"“{article}”不在 articles 所列的条号之内")
        for card in self.cards.values():
            path = self.paths[card.id]
            self._check_refs(path, card.provisions)
            self._check_refs(path, cited(path, f"{card.short}\n{card.why}\n{card.steps}"))
            for case_id in card.cases:
                if case_id not in self.cases:
                    raise broken(path, case_id, f"案例“{case_id}”不存在")
        for case in self.cases.values():
            self._check_refs(self.paths[case.id], case.basis)
        for rules in self.rules:
            for rule in rules.findings:
                self._check_refs(self.paths[rule.id], rule.provisions)
            for step in rules.steps:
                self._check_refs(self.paths[step.id], step.provisions)
            for said in [*rules.leads, *rules.avoid, *rules.needs]:
                self._check_refs(self.paths[said.id], cited(self.paths[said.id], said.text))
        for parameter in self.parameters.values():
            self._check_refs(self.paths[parameter.id], [value.provision for value in parameter.values])

    def _check_refs(self, path: Path, refs: Iterable[Ref]) -> None:
        for ref in refs:
            provision = self.resolve(ref, date.max)
            if provision is None:
                raise broken(path, str(ref), f"引用的“{ref}”不在条文库里:改正法名、版本或条号,或先补上条文")
            if ref.paragraph and ref.paragraph > len(provision.paragraphs):
                raise broken(path, str(ref), f"“{ref}”:这一条只有 {len(provision.paragraphs)} 款")


@cache
def _ranges(articles: str) -> tuple[list[tuple[int, int]], frozenset[str]]:
    spans, singles = [], set()
    for part in re.split(r"[,,]\s*", articles.strip()):
        if match := re.fullmatch(r"(\d+)[-–—](\d+)", part):
            spans.append((int(match[1]), int(match[2])))
        else:
            singles.add(part)
    return spans, frozenset(singles)


def has_article(statute: Statute, article: str) -> bool:
    """Whether the law has such an article; where its range is not known, only what it can't have is refused."""
    if article in statute.texts and not statute.articles:
        return True
    if not statute.articles:
        return bool(re.fullmatch(r"\d+", article))
    spans, singles = _ranges(statute.articles)
    return article in singles or (article.isdigit() and any(low <= int(article) <= high for low, high in spans))


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
            repealed=statute.repealed,
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
