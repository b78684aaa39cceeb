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
Days = tuple[date, date]  # of the conduct, of the step
Hits = dict[str, list[Hit]]  # by kind
POOLS = {"provision": 60, "ask": 80, "commentary": 40, "case": 50}  # how many of each kind are looked at
CARDS = 12  # through how many cards provisions are reached


@dataclass(frozen=True)
class Weights:
    """How scores are combined, tuned on questions beside cards and articles that were held back (benchmarks.tune)."""

    # Cards, as answers show them: 1.0 and more is the very question beside a card.
    card_dense: float = 0.45
    card_sparse: float = 0.55
    card_body: float = 0.35
    audience: float = 0.04
    # Provisions.
    dense: float = 0.3
    sparse: float = 0.9
    own_text: float = 1.6
    own_ask: float = 0.5
    through_card: float = 1.0
    through_body: float = 1.4
    rank_decay: float = 0.92
    agreement: float = 0.05
    beside: float = 0.4
    out_of_force: float = 0.45
    same_method: float = 0.20
    rare_method: float = 6.0
    decided: float = 0.20
    sure: float = 0.10
    known: float = 0.3
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
        days = (conduct, step)
        hits = {kind: self.index.search(query, kind, k) for kind, k in POOLS.items()}
        cards = self._cards(hits, days, role)
        provisions = self._provisions(hits, days)
        top = max(provisions.values(), default=1.0)
        for place, provision in enumerate(also):
            boost = self.weights.known * self.weights.known_decay**place * top
            provisions[provision.key] = provisions.get(provision.key, 0.0) + boost
        for place, provision in enumerate(cited):
            provisions[provision.key] = top + 2.0 - 0.01 * place
        cases = self._cases(hits, methods)
        return Found(
            provisions=self._fold(provisions, conduct, step, {p.key for p in cited})[:k],
            cards=sorted(((self.library.cards[i], s) for i, s in cards.items()), key=lambda x: -x[1])[:k],
            cases=sorted(((self.library.cases[i], s) for i, s in cases.items()), key=lambda x: -x[1])[:k],
            cited=cited,
        )

    def cards(self, query: str, conduct: date, step: date, role: Role | None = None) -> list[tuple[Card, float]]:
        """The cards for a query, best first."""
        hits = {kind: self.index.search(query, kind, POOLS[kind]) for kind in ("ask", "commentary")}
        scores = self._cards(hits, (conduct, step), role)
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

    def _cases(self, hits: Hits, methods: frozenset[str]) -> dict[str, float]:
        """Cases by their text, those of the same methods and those decided before others."""
        scores = _best(hits["case"], self.weights.card_dense, self.weights.card_sparse)
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

    def _cards(self, hits: Hits, days: Days, role: Role | None) -> dict[str, float]:
        """Each card as answers show it: by the best of the questions beside it, and in part its own words."""
        dense, sparse = self.weights.card_dense, self.weights.card_sparse
        bodies = _best(hits["commentary"], dense, sparse)
        scores = {name: self.weights.card_body * score for name, score in bodies.items()}
        for name, score in _best(hits["ask"], dense, sparse).items():
            if name in self.library.cards:
                scores[name] = scores.get(name, 0.0) + score
        for name in scores:
            if role in self.library.cards[name].audience:
                scores[name] += self.weights.audience
            scores[name] *= self._standing(name, days)
        return scores

    def _standing(self, card: str, days: Days) -> float:
        return 1.0 if any(self.library.cards[card].valid(day) for day in days) else self.weights.out_of_force

    def _provisions(self, hits: Hits, days: Days) -> dict[str, float]:
        """Each provision by its own words, the questions beside it and the cards that rest on it.

        The strongest of the three counts in full, the others in part.
        """
        scores = {kind: _best(found, self.weights.dense, self.weights.sparse) for kind, found in hits.items()}
        ways: dict[str, list[float]] = {}
        for key, score in scores["provision"].items():
            ways.setdefault(key, []).append(self.weights.own_text * score)
        for key, score in scores["ask"].items():
            if key in self.library.provisions:
                ways.setdefault(key, []).append(self.weights.own_ask * score)
        for key, values in self._through_cards(scores["ask"], scores["commentary"], days).items():
            values.sort(reverse=True)
            ways.setdefault(key, []).append(values[0] + self.weights.agreement * sum(values[1:4]))
        return {key: max(found) + self.weights.beside * (sum(found) - max(found)) for key, found in ways.items()}

    def _through_cards(self, asks: dict[str, float], bodies: dict[str, float], days: Days) -> dict[str, list[float]]:
        """What each card that rests on a provision gives it; its first provisions get more."""
        cards = {name: self.weights.through_body * score for name, score in bodies.items()}
        for name, score in asks.items():
            if name in self.library.cards:
                cards[name] = cards.get(name, 0.0) + score
        best = sorted(((score * self._standing(name, days), name) for name, score in cards.items()), reverse=True)
        reached: dict[str, list[float]] = {}
        for score, name in best[:CARDS]:
            for place, ref in enumerate(self.library.cards[name].provisions):
                if provision := self.library.resolve(ref, _day_of(self.library, ref, *days)):
                    value = self.weights.through_card * score * self.weights.rank_decay**place
                    reached.setdefault(provision.key, []).append(value)
        return reached

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


def _best(hits: list[Hit], dense: float, sparse: float) -> dict[str, float]:
    """The best score of what the pieces belong to, by its id."""
    best: dict[str, float] = {}
    for hit in hits:
        of = str(hit.piece.metadata["of"])
        best[of] = max(best.get(of, 0.0), dense * max(hit.dense, 0.0) + sparse * hit.sparse)
    return best


def _day_of(library: Library, ref: Ref, conduct: date, step: date) -> date:
    versions = library.versions(ref.law)
    return conduct if versions and versions[0].governs == "conduct" else step
