"""What the facts amount to: findings by aspect, each tied to provisions in force on their own day."""

from __future__ import annotations

from advisor.consultation import Cited, Element, Finding
from advisor.rules import Facts
from knowledge.schema import Ref


def assess(facts: Facts) -> list[Finding]:
    """At least one finding each for civil, administrative and criminal, then whatever else the facts touch."""
    found: list[Finding] = []
    rules = [rule for file in facts.library.rules for rule in file.findings]
    for rule in sorted(rules, key=lambda rule: rule.unless_found):
        settled = rule.unless_found and any(finding.aspect == rule.aspect for finding in found)
        if not settled and facts.value(rule.when):
            found.append(
                Finding.model_validate(
                    {
                        "aspect": rule.aspect,
                        "status": facts.words(rule.status),
                        "headline": facts.words(rule.headline),
                        "turns_on": facts.words(rule.turns_on),
                        "elements": [
                            Element(name=e.name, state=facts.value(e.state), why=facts.words(e.why))
                            for e in rule.elements
                        ],
                        "provisions": cite(facts, rule.provisions, rule.compare),
                    }
                )
            )
    return found


def lead(facts: Facts) -> str | None:
    """The short answer that fits the facts, citations still marked ``[[…]]``; None when no rule speaks."""
    for file in facts.library.rules:
        for said in file.leads:
            if facts.value(said.when):
                return facts.words(said.text)
    return None


def cite(facts: Facts, refs: list[Ref], compare: bool = False) -> list[Cited]:
    """The provisions of a rule that stand on their own day."""
    return [
        Cited(law=p.law, version=p.version, article=p.article, paragraph=ref.paragraph)
        for ref, p in facts.standing(refs, compare)
    ]
