"""Finds the provisions, cards and cases a question turns on: citations first, then by the questions beside cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from advisor import citations, mentions
from ingest.index import Hit, Index
from knowledge.library import Library
from knowledge.numerals import sort_key
from knowledge.schema import Card, Case, Provision, Ref, Role

Kind = Literal["provision", "commentary", "case"]


@dataclass(frozen=True)
class Weights:
    """How scores are combined; the one place they are kept."""

    dense: float = 0.45
    sparse: float = 0.55
    card_body: float = 0.35
    audience: float = 0.04
    own_text: float = 0.55
    through_card: float = 1.0
    rank_decay: float = 0.86
    out_of_force: float = 0.45
    agreement: float = 0.10
    same_method: float = 0.20
    rare_method: float = 6.0
    decided: float = 0.20
    sure: float = 0.10
    known: float = 0.9
    known_decay: float = 0.93
    floor: float = 0.27


WEIGHTS = Weights()


@dataclass(frozen=True)
class Found:
    """What a search returned, each list best first with its score; ``cited`` were named in the question."""

    provisions: list[tuple[Provision, float]]
    cards: list[tuple[Card, float]]
    cases: list[tuple[Case, float]]
    cited: list[Provision]


class Retriever:
    """Searches one index over one library."""

    def __init__(self, library: Library, index: Index, weights: Weights = WEIGHTS) -> None:
        self.library, self.index, self.weights = library, index, weights

    def search(
        self,
        query: str,
        conduct: date,
        step: date,
        role: Role | None = None,
        also: Iterable[Provision] = (),
        methods: frozenset[str] = frozenset(),
        k: int = 30,
    ) -> Found:
        """Search as of the day of the conduct and the day of the step.

        ``also`` are provisions the assessment rests on, most decisive first; ``methods`` those of the conduct told of.
        """
        cited = self.cited(query, conduct, step)
        cards = self._cards(query, conduct, step, role)
        provisions = self._provisions(query, cards, conduct, step)
        top = max(provisions.values(), default=1.0)
        for place, provision in enumerate(also):
            boost = self.weights.known * self.weights.known_decay**place * top
            provisions[provision.key] = provisions.get(provision.key, 0.0) + boost
        for place, provision in enumerate(cited):
            provisions[provision.key] = top + 2.0 - 0.01 * place
        cases = self._cases(query, methods)
        return Found(
            provisions=self._fold(provisions, conduct, step, {p.key for p in cited})[:k],
            cards=sorted(((self.library.cards[i], s) for i, s in cards.items()), key=lambda x: -x[1])[:k],
            cases=sorted(((self.library.cases[i], s) for i, s in cases.items()), key=lambda x: -x[1])[:k],
            cited=cited,
        )

    def cards(self, query: str, conduct: date, step: date, role: Role | None = None) -> list[tuple[Card, float]]:
        """The cards for a query, best first."""
        scores = self._cards(query, conduct, step, role)
        return sorted(((self.library.cards[name], s) for name, s in scores.items()), key=lambda item: -item[1])

    def cited(self, text: str, conduct: date, step: date) -> list[Provision]:
        """The provisions a text names, those we hold, in order, each once."""
        found: dict[str, Provision] = {}
        for mention in mentions.find(text, self.library):
            verdict = citations.judge(mention, self.library, conduct)
            if verdict.law and verdict.version:
                # A number the version in force has but we don't hold may be meant as an older version's.
                version = None if verdict.status == "not_held" else verdict.version
                ref = Ref(law=verdict.law, version=version, article=verdict.article)
                if provision := self.library.resolve(ref, conduct):
                    found.setdefault(provision.key, provision)
        return list(found.values())

    def _scores(self, query: str, kind: str, k: int) -> dict[str, float]:
        hits = self.index.search(query, kind, k)
        top = max((hit.sparse for hit in hits), default=0.0) or 1.0
        best: dict[str, float] = {}
        for hit in hits:
            of = str(hit.piece.metadata["of"])
            best[of] = max(best.get(of, 0.0), self._score(hit, top))
        return best

    def _score(self, hit: Hit, top: float) -> float:
        return self.weights.dense * max(hit.dense, 0.0) + self.weights.sparse * hit.sparse / max(top, 12.0)

    def _cases(self, query: str, methods: frozenset[str]) -> dict[str, float]:
        """Cases by their text, those of the same methods and those decided before others."""
        scores = self._scores(query, "case", 50)
        common = Counter(method for case in self.library.cases.values() for method in case.methods)
        for name in scores:
            case = self.library.cases[name]
            telling = sum(min(1.0, self.weights.rare_method / common[method]) for method in methods & set(case.methods))
            scores[name] += self.weights.same_method * min(telling, 2.0)
            if case.outcome_type not in ("not_established", "platform") and case.prevailed != "pending":
                scores[name] += self.weights.decided
            if case.confidence == "high":
                scores[name] += self.weights.sure
        return scores

    def _cards(self, query: str, conduct: date, step: date, role: Role | None) -> dict[str, float]:
        asks = self._scores(query, "ask", 80)
        bodies = self._scores(query, "commentary", 40)
        scores = {
            card: asks.get(card, 0.0) + self.weights.card_body * bodies.get(card, 0.0) for card in asks.keys() | bodies
        }
        for name in scores:
            card = self.library.cards[name]
            if role in card.audience:
                scores[name] += self.weights.audience
            if not (card.valid(conduct) or card.valid(step)):
                scores[name] *= self.weights.out_of_force
        return scores

    def _provisions(self, query: str, cards: dict[str, float], conduct: date, step: date) -> dict[str, float]:
        scores = {key: self.weights.own_text * s for key, s in self._scores(query, "provision", 60).items()}
        reached: dict[str, list[float]] = {}
        for name, score in sorted(cards.items(), key=lambda item: -item[1])[:12]:
            for place, ref in enumerate(self.library.cards[name].provisions):
                if provision := self.library.resolve(ref, _day_of(self.library, ref, conduct, step)):
                    value = self.weights.through_card * score * self.weights.rank_decay**place
                    reached.setdefault(provision.key, []).append(value)
        for key, values in reached.items():
            values.sort(reverse=True)
            together = values[0] + self.weights.agreement * sum(values[1:4])
            scores[key] = together + 0.3 * scores.get(key, 0.0)
        return scores

    def _fold(
        self, scores: dict[str, float], conduct: date, step: date, cited: set[str]
    ) -> list[tuple[Provision, float]]:
        """Versions not in force on their own day step back; ties keep the order of the law."""
        ranked = []
        for key, score in scores.items():
            provision = self.library.provisions[key]
            if key not in cited and not provision.in_force(conduct if provision.governs == "conduct" else step):
                score *= self.weights.out_of_force
            if provision.kind == "platform_rule" and key not in cited:
                score *= self.weights.out_of_force
            ranked.append((provision, score))
        return sorted(ranked, key=lambda item: (-item[1], item[0].statute_id, sort_key(item[0].article)))


def _day_of(library: Library, ref: Ref, conduct: date, step: date) -> date:
    versions = library.versions(ref.law)
    return conduct if versions and versions[0].governs == "conduct" else step
