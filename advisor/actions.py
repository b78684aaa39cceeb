"""What to do, and what to leave alone."""

from __future__ import annotations

from advisor.consultation import Action
from advisor.rules import Facts


def steps(facts: Facts) -> list[Action]:
    """The steps that fit the facts, in order, with their last days."""
    return [
        Action(
            step=facts.words(step.step),
            deadline=(facts.value(step.deadline) or None) if step.deadline else None,
            provisions=facts.cited(step.provisions),
        )
        for file in facts.library.rules
        for step in file.steps
        if facts.value(step.when)
    ]


def warnings(facts: Facts) -> list[str]:
    """What not to do, citations still marked."""
    return [facts.words(s.text) for file in facts.library.rules for s in file.avoid if facts.value(s.when)]
