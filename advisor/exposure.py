"""What the facts amount to: findings by aspect, each tied to provisions in force on their own day."""

from __future__ import annotations

from typing import cast

from advisor.consultation import Element, Finding, Verdict
from advisor.rules import Facts
from knowledge.rulebook import Rule
from knowledge.schema import Aspect


def assess(facts: Facts) -> list[Finding]:
    """At least one finding each for civil, administrative and criminal, then whatever else the facts touch."""
    return [_finding(facts, rule) for rule in _matching(facts)]


def statuses(facts: Facts) -> dict[Aspect, Verdict]:
    """The status of the first finding of each aspect, of those that judge and don't only inform."""
    found: dict[Aspect, Verdict] = {}
    for rule in _matching(facts):
        status = facts.words(rule.status)
        if status != "information":
            found.setdefault(rule.aspect, cast(Verdict, status))
    return found


def _matching(facts: Facts) -> list[Rule]:
    """The rules whose conditions are met; those of last resort only where their aspect has none."""
    found: list[Rule] = []
    rules = [rule for file in facts.library.rules for rule in file.findings]
    for rule in sorted(rules, key=lambda rule: rule.unless_found):
        settled = rule.unless_found and any(other.aspect == rule.aspect for other in found)
        if not settled and facts.value(rule.when):
            found.append(rule)
    return found


def _finding(facts: Facts, rule: Rule) -> Finding:
    sets = [facts.library.element_sets[name] for name in rule.elements]
    return Finding.model_validate(
        {
            "aspect": rule.aspect,
            "status": facts.words(rule.status),
            "headline": facts.words(rule.headline),
            "turns_on": facts.words(rule.turns_on),
            "burden": ";".join(facts.words(one.burden) for one in sets),
            "elements": [
                Element(
                    name=element.name,
                    state=facts.value(element.state),
                    why=facts.words(element.why),
                    proof=facts.words(element.proof),
                )
                for one in sets
                for element in one.elements
            ],
            "provisions": facts.cited(
                [*rule.provisions, *(ref for one in sets for ref in one.provisions)], rule.compare
            ),
            "aside": bool(facts.value(rule.aside)),
        }
    )


def lead(facts: Facts) -> str | None:
    """The short answer that fits the facts, citations still marked ``[[…]]``; None when no rule speaks."""
    for file in facts.library.rules:
        for said in file.leads:
            if facts.value(said.when):
                return facts.words(said.text)
    return None
