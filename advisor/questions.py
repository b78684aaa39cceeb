"""What to ask next: the question whose answers would change the result most, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

from advisor import exposure
from advisor.consultation import Fact, Outcome, Question
from advisor.rules import Facts
from knowledge.rulebook import Need
from knowledge.schema import Aspect

JUDGED: tuple[Aspect, ...] = ("administrative", "criminal", "civil")


def ranked(facts: Facts) -> list[Question]:
    """The questions still open, the most decisive first; equals keep the order of the rules."""
    needs = [need for file in facts.library.rules for need in file.needs if facts.value(need.when)]
    found = [_question(facts, need) for need in needs]
    return sorted(found, key=lambda question: -question.weight)


def _question(facts: Facts, need: Need) -> Question:
    """A question, weighed by how many statuses and leads its possible answers tell apart."""
    outcomes = []
    for one in need.tries:
        assumed = _supposing(facts, one.facts)
        outcomes.append((facts.words(one.answer), exposure.statuses(assumed), exposure.lead(assumed)))
    told_apart = [aspect for aspect in JUDGED if len({found.get(aspect) for _, found, _ in outcomes}) > 1]
    others = {aspect for _, found, _ in outcomes for aspect in found} - set(JUDGED)
    weight = 3 * len(told_apart) + len({lead for _, _, lead in outcomes}) - 1
    weight += sum(len({found.get(aspect) for _, found, _ in outcomes}) > 1 for aspect in others)
    return Question(
        text=facts.words(need.text),
        weight=weight,
        outcomes=[
            Outcome(answer=answer, statuses={aspect: found[aspect] for aspect in told_apart if aspect in found})
            for answer, found, _ in outcomes
        ]
        if told_apart
        else [],
    )


def _supposing(facts: Facts, changes: dict[str, bool | int | str]) -> Facts:
    """The same consultation with some facts supposed."""
    read = dict(facts.read)
    for name, change in changes.items():
        value: Any = facts.value(change) if isinstance(change, str) else change
        if name == "date":
            day = value.isoformat() if isinstance(value, date) else value
            read |= {key: Fact(value=day, source="given", label="") for key in ("date", "date_from", "date_to")}
        else:
            label = read[name].label if name in read else ""
            read[name] = Fact(value=value, source="given", label=label)
    return Facts(facts.library, read, facts.asked_on)
