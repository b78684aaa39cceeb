"""Finds the provisions, cards and cases a question turns on: citations first, then by the questions beside cards."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

from advisor import citations, mentions
from ingest.index import Index
from knowledge.library import Library
from knowledge.numerals import sort_key
from knowledge.schema import Card, Case, Provision, Ref, Role

Kind = Literal["provision", "commentary", "case"]
Days = tuple[date, date]  # of the conduct, of the step


@dataclass(frozen=True)
class Weights:
    """How scores are combined, tuned on the half of benchmarks/questions.jsonl marked ``train`` and nothing else."""

    # Cards, as answers show them: 1.0 and more is the very question beside a card.
    card_dense: float = 0.45
    card_sparse: float = 0.55
    card_body: float = 0.35
    audience: float = 0.04
    # Provisions: their own words, the questions beside them, and through how likely cards they are reached. The
    # likelihood of a card goes by the exponential of its questions' and its own words' scores.
    own_dense: float = 9.0
    own_sparse: float = 3.0
    ask_dense: float = 3.6
    ask_sparse: float = 3.5
    through_card: float = 0.8
    through_ask: float = 4.0
    body_dense: float = 9.0
    body_sparse: float = 6.0
    unreached: float = 0.01
    rank_decay: float = 0.8
    popular: float = 1.0
    popular_told: float = 0.5
    known: float = 2.0
    known_decay: float = 0.93
    not_now: float = 2.0
    not_law: float = 1.0
    # Cards and cases again.
    out_of_force: float = 0.45
    same_method: float = 0.20
    rare_method: float = 6.0
    decided: float = 0.20
    sure: float = 0.10
    floor: float = 0.27
    familiar: float = 0.5
    nothing: float = 0.8

    @property
    def highest(self) -> float:
        """What the very text of a provision scores, about: the measure of its score."""
        return self.own_dense + self.own_sparse + self.ask_dense + self.ask_sparse


WEIGHTS = Weights()


@dataclass(frozen=True)
class Found:
    """What a search returned, each list best first with its score; ``cited`` were named in the question.

    ``relevance`` is how near the best provision is and how familiar the question's words; under
    :attr:`Weights.nothing` nothing was found that is worth showing.
    """

    provisions: list[tuple[Provision, float]]
    cards: list[tuple[Card, float]]
    cases: list[tuple[Case, float]]
    cited: list[Provision]
    relevance: float = 0.0


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
        cards = self._cards(query, days, role)
        provisions = self._provisions(query, days, list(also))
        top = max(provisions.values(), default=0.0)
        relevance = top + self.weights.familiar * self.index.familiar(query)
        for place, provision in enumerate(cited):
            provisions[provision.key] = max(top, 1.0) + 1.0 - 0.01 * place
        cases = self._cases(query, methods)
        return Found(
            provisions=self._fold(provisions)[:k],
            cards=sorted(((self.library.cards[i], s) for i, s in cards.items()), key=lambda x: -x[1])[:k],
            cases=sorted(((self.library.cases[i], s) for i, s in cases.items()), key=lambda x: -x[1])[:k],
            cited=cited,
            relevance=max(relevance, 2.0) if cited else relevance,
        )

    def cards(self, query: str, conduct: date, step: date, role: Role | None = None) -> list[tuple[Card, float]]:
        """The cards for a query, best first."""
        scores = self._cards(query, (conduct, step), role)
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

    def _cases(self, query: str, methods: frozenset[str]) -> dict[str, float]:
        """Cases by their text, those of the same methods and those decided before others."""
        scores = self.index.best(query, "case", self.weights.card_dense, self.weights.card_sparse)
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

    def _cards(self, query: str, days: Days, role: Role | None) -> dict[str, float]:
        """Each card as answers show it: by the best of the questions beside it, and in part its own words."""
        dense, sparse = self.weights.card_dense, self.weights.card_sparse
        bodies = self.index.best(query, "commentary", dense, sparse)
        scores = {name: self.weights.card_body * score for name, score in bodies.items()}
        for name, score in self.index.best(query, "ask", dense, sparse).items():
            if name in self.library.cards:
                scores[name] = scores.get(name, 0.0) + score
        for name in scores:
            if role in self.library.cards[name].audience:
                scores[name] += self.weights.audience
            scores[name] *= self._standing(name, days)
        return scores

    def _standing(self, card: str, days: Days) -> float:
        return 1.0 if any(self.library.cards[card].valid(day) for day in days) else self.weights.out_of_force

    def _provisions(self, query: str, days: Days, also: list[Provision]) -> dict[str, float]:
        """Each provision by its own words, the questions beside it, the cards that rest on it, and how often any does.

        About 1.0 is as good as it gets. Versions not in force on their own day step back.
        """
        weights, found = self.weights, dict[str, float]()
        for kind, dense, sparse in (
            ("provision", weights.own_dense, weights.own_sparse),
            ("ask", weights.ask_dense, weights.ask_sparse),
        ):
            for key, score in self.index.best(query, kind, dense, sparse).items():
                if key in self.library.provisions:
                    found[key] = found.get(key, 0.0) + score
        reached = self._through_cards(query, days)
        popular = weights.popular + (weights.popular_told if also else 0.0)
        known = {p.key: weights.known * weights.known_decay**place for place, p in enumerate(also)}
        scores: dict[str, float] = {}
        for key in found.keys() | reached.keys() | known.keys():
            score = found.get(key, 0.0) + popular * self._popularity.get(key, 0.0) + known.get(key, 0.0)
            score += weights.through_card * math.log(reached.get(key, 0.0) / weights.unreached + 1.0)
            provision = self.library.provisions[key]
            score -= weights.not_now * (not _in_force(provision, days))
            score -= weights.not_law * (provision.kind == "platform_rule")
            scores[key] = score / weights.highest
        return scores

    def _through_cards(self, query: str, days: Days) -> dict[str, float]:
        """How likely each provision is to be meant, by the cards that rest on it; a card's first provisions more."""
        cards = self.index.best(query, "commentary", self.weights.body_dense, self.weights.body_sparse)
        for name, score in self.index.best(query, "ask", self.weights.through_ask, self.weights.through_ask).items():
            if name in self.library.cards:
                cards[name] = cards.get(name, 0.0) + score
        top = max(cards.values(), default=0.0)
        likely = {name: math.exp(score - top) * self._standing(name, days) for name, score in cards.items()}
        total, reached = sum(likely.values()) or 1.0, dict[str, float]()
        for name, share in likely.items():
            for place, ref in enumerate(self.library.cards[name].provisions):
                if provision := self.library.resolve(ref, _day_of(self.library, ref, *days)):
                    value = share / total * self.weights.rank_decay**place
                    reached[provision.key] = reached.get(provision.key, 0.0) + value
        return reached

    @cached_property
    def _popularity(self) -> dict[str, float]:
        """How many cards rest on a provision, from 0.0 to 1.0 for the most, by its key."""
        refs = (ref for card in self.library.cards.values() for ref in card.provisions)
        counts = Counter(p.key for ref in refs if (p := self.library.resolve(ref, date.max)))
        most = math.log1p(max(counts.values(), default=1))
        return {key: math.log1p(count) / most for key, count in counts.items()}

    def _fold(self, scores: dict[str, float]) -> list[tuple[Provision, float]]:
        """Best first, ties in the order of the law; what another version says in the same words is told once."""
        ranked = [(self.library.provisions[key], score) for key, score in scores.items()]
        ranked.sort(key=lambda item: (-item[1], item[0].statute_id, sort_key(item[0].article)))
        told: dict[tuple[str, str], Provision] = {}
        return [(p, s) for p, s in ranked if told.setdefault((p.law, mentions.squash(p.text)), p) is p]


def _in_force(provision: Provision, days: Days) -> bool:
    """Whether a provision is in force on the day its kind answers to."""
    return provision.in_force(days[0] if provision.governs == "conduct" else days[1])


def _day_of(library: Library, ref: Ref, conduct: date, step: date) -> date:
    versions = library.versions(ref.law)
    return conduct if versions and versions[0].governs == "conduct" else step
