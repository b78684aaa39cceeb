"""The ways out, side by side: when each fits, by when, with what, what may be answered, and how such cases ended."""

from __future__ import annotations

from advisor.consultation import Exchange, Precedent, Way
from advisor.rules import Facts
from knowledge.schema import Case

WON = {"merchant", "merchant_partly"}


def ways(facts: Facts, cases: list[Case]) -> list[Way]:
    """The ways in question, each with the nearest case won and the nearest lost, from the merchant's side whoever asks.

    ``cases`` are ranked, the nearest first.
    """
    found = []
    for file in facts.library.rules:
        for route in file.routes:
            if not facts.value(route.when):
                continue
            found.append(
                Way(
                    name=route.name,
                    fit=facts.value(route.fit),
                    why=facts.words(route.why),
                    deadline=facts.words(route.deadline),
                    bring=facts.words(route.bring),
                    answers=[
                        Exchange(they=one.they, reply=facts.words(one.reply))
                        for one in route.answers
                        if facts.value(one.when)
                    ],
                    cost=facts.words(route.cost),
                    ends=facts.words(route.ends),
                    cases=_both_sides([case for case in cases if case.outcome_type in route.outcomes]),
                    provisions=facts.cited(route.provisions),
                )
            )
    return found


def _both_sides(cases: list[Case]) -> list[Precedent]:
    chosen = [next((case for case in cases if (case.prevailed in WON) is won), None) for won in (True, False)]
    return [Precedent(id=case.id, title=case.title, prevailed=case.prevailed) for case in chosen if case]
