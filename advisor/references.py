"""Writes references out as people cite, and remembers each provision cited."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from advisor.citations import Status
from advisor.consultation import Citation, Cited
from advisor.rules import Facts
from knowledge.files import CITE
from knowledge.library import Library
from knowledge.schema import Provision, Ref

BRIEF = 90


class References:
    """The provisions one answer cites, each judged on its own day."""

    def __init__(self, library: Library, facts: Facts) -> None:
        self.library, self.facts = library, facts
        self._cited: dict[str, Provision] = {}

    def resolve(self, cited: Iterable[Cited]) -> list[Provision]:
        """The provisions behind findings and steps."""
        refs = (Ref(law=c.law, version=c.version, article=c.article) for c in cited)
        return [p for ref in refs if (p := self.library.resolve(ref, self.facts.asked_on))]

    def listed(self, cited: Iterable[Cited]) -> str:
        """The provisions in short, law by law in the order they come: 民法典 985、987;刑法 266."""
        laws: dict[str, list[str]] = {}
        for provision in self.resolve(cited):
            self._cited.setdefault(provision.key, provision)
            laws.setdefault(self._law(provision), []).append(provision.article)
        return ";".join(f"{law} {'、'.join(articles)}" for law, articles in laws.items())

    def written(self, text: str, cite: bool = True) -> str:
        """A text with every ``[[…]]`` written out; with ``cite`` each counts as cited by the answer."""

        def write(match: re.Match[str]) -> str:
            ref = Ref.parse(match[1])
            provision = self.library.resolve(ref, self.facts.first)
            if provision and provision.governs == "step":
                provision = self.library.resolve(ref, self.facts.asked_on)
            if provision is None:
                return match[1]
            if cite:
                self._cited.setdefault(provision.key, provision)
            return self._name(provision, ref.paragraph)

        return CITE.sub(write, text)

    def quoted(self, provision: Provision, brief: bool = False) -> dict[str, Any]:
        """An article's name, text and when it is not in force; ``since`` and ``until`` are None while it is."""
        self._cited.setdefault(provision.key, provision)
        day = self.facts.day_of(provision)
        text = provision.text
        if brief and len(text) > BRIEF:
            text = f"{text[:BRIEF]}……".replace("\n", "")
        return {
            "name": self._name(provision),
            "text": text,
            "until": provision.repealed if provision.repealed and provision.repealed <= day else None,
            "since": provision.effective if day < provision.effective else None,
        }

    def citations(self) -> list[Citation]:
        """Every provision cited so far, in order."""
        return [self._citation(provision) for provision in self._cited.values()]

    def unsure(self) -> dict[str, str]:
        """The laws cited whose text was not fully checked → how sure we are."""
        return {self._law(p): p.confidence for p in self._cited.values() if p.confidence != "high"}

    def _citation(self, provision: Provision) -> Citation:
        day = self.facts.day_of(provision)
        if provision.governs == "conduct" and not provision.in_force(day) and provision.in_force(self.facts.last):
            day = self.facts.last
        status: Status = "in_force"
        if not provision.in_force(day):
            status = "not_yet_in_force" if day < provision.effective else "repealed"
        return Citation(
            law=provision.law,
            version=provision.version,
            article=provision.article,
            status=status,
            as_of=day,
            confidence=provision.confidence,
        )

    def _law(self, provision: Provision) -> str:
        several = len(self.library.versions(provision.law)) > 1
        return f"{provision.law}({provision.version})" if several else provision.law

    def _name(self, provision: Provision, paragraph: int | None = None) -> str:
        match = re.fullmatch(r"(\d+)(之.+)?", provision.article)
        article = f"第{match[1]}条{match[2] or ''}" if match else provision.article
        return f"{self._law(provision)}{article}{f'第{paragraph}款' if paragraph else ''}"
