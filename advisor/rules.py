"""Evaluates the rules of knowledge/rules over the facts of one consultation."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from advisor.consultation import Cited, Fact
from advisor.reckoning import Reckoning, money, span
from knowledge.library import Library
from knowledge.schema import Provision, Ref

_ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
_SCALARS = (
    *("amount_yuan", "demanded_yuan", "count", "buyers", "shops", "age", "province", "place", "role"),
    *("buyer_province", "seller_province", "date", "reported_on", "notice_on", "knew_on", "signed_on", "returned_on"),
    *(
        "refund_offered",
        "commission",
        "serial_record",
        "courier_record",
        "chat_record",
        "detector_score",
        "no_evidence",
    ),
    *("buyer_photos", "return_proof", "demand_made", "appealed", "appeal_lost", "police_accepted", "mistaken_refund"),
    *("intent_stated", "police_reply"),
)


class Facts:
    """The facts as the rules see them: every signal by name (None when unsaid), the days, and the law's numbers."""

    def __init__(self, library: Library, facts: dict[str, Fact], asked_on: date) -> None:
        self.library, self.asked_on, self.read = library, asked_on, facts
        self.first = date.fromisoformat(facts["date_from"].value)
        self.last = date.fromisoformat(facts["date_to"].value)
        self.context: dict[str, Any] = {name: None for name in library.signals if "." not in name}
        self.context |= dict.fromkeys(_SCALARS)
        self.context |= {name: fact.value for name, fact in facts.items() if "." not in name}
        self.context |= {
            "P": self.parameter,
            "in_force": self.in_force,
            "by_day": self._by_day,
            "effective": lambda name: self.library.versions(name)[0].effective,
            "told": self.told,
            "money": money,
            "span": span,
            "asked_on": asked_on,
            "given": frozenset(name for name, fact in facts.items() if fact.source == "given"),
            "role_assumed": facts["role"].source == "assumed",
            "date_assumed": facts["date_from"].source == "assumed",
        }
        self.reckoning = Reckoning(library, self.context, (self.first, self.last, asked_on), self.parameter)
        self.context |= self.reckoning.names()
        for file in library.rules:
            for derived in file.derived:
                self.context[derived.name] = self.value(derived.is_)

    def value(self, expression: str) -> Any:
        """The value of an expression; raises ``jinja2.UndefinedError`` on a name no fact or rule has."""
        return _compiled(expression)(**self.context)

    def words(self, template: str) -> str:
        """A template filled from the facts."""
        return str(_template(template).render(**self.context))

    def told(self, *names: str) -> str:
        """The words in which facts were told, each quoted once; what was set by hand by its name; "" for none."""
        found = []
        for name in names:
            fact = self.read.get(name)
            if fact and fact.value not in (None, False):
                found.append(fact.label if fact.source in ("given", "assumed") else f"“{fact.source}”")
        return "、".join(dict.fromkeys(found))

    def day_of(self, provision: Provision) -> date:
        """The day a provision answers to: that of the conduct, or that of the step."""
        return self.first if provision.governs == "conduct" else self.asked_on

    def standing(self, refs: list[Ref], compare: bool = False) -> list[tuple[Ref, Provision]]:
        """The provisions referred to that are in force on their own day (any day of a range), in order.

        A comparison gets them all, whatever their day.
        """
        found = []
        for ref in refs:
            if compare and (provision := self.library.resolve(ref, self.asked_on)):
                found.append((ref, provision))
                continue
            days = {self.first, self.last, self.asked_on} if ref.version else {self.asked_on}
            for day in sorted(days):
                provision = self.library.resolve(ref, day)
                if provision and self._stands(provision):
                    found.append((ref, provision))
                    break
        return found

    def cited(self, refs: list[Ref], compare: bool = False) -> list[Cited]:
        """The provisions of a rule that stand on their own day."""
        found: dict[str, Cited] = {}
        for ref, p in self.standing(refs, compare):
            found.setdefault(p.key, Cited(law=p.law, version=p.version, article=p.article, paragraph=ref.paragraph))
        return list(found.values())

    def _stands(self, provision: Provision) -> bool:
        if provision.governs == "step":
            return provision.in_force(self.asked_on)
        return provision.in_force(self.first) or provision.in_force(self.last)

    def in_force(self, written: str) -> bool:
        """Whether a provision is in force on any day of the conduct."""
        provision = self.library.resolve(Ref.parse(written), self.first)
        return provision is not None and (provision.in_force(self.first) or provision.in_force(self.last))

    def _by_day(self, *written: str) -> str:
        """Those of several versions of a rule that are in force on a day of the conduct, marked for citing."""
        return "、".join(f"[[{ref}]]" for ref in written if self.in_force(ref))

    def parameter(self, name: str) -> Any:
        """A parameter's value on the day its provision answers to; the earliest value when none is that old."""
        values = [value for value in self.library.parameters[name].values if value.region is None]
        for value in values:
            statutes = self.library.versions(value.provision.law)
            day = self.first if statutes and statutes[0].governs == "conduct" else self.asked_on
            if value.holds(day):
                return value.value
        return min(values, key=lambda value: value.effective).value


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Any:
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)


@lru_cache(maxsize=2048)
def _template(text: str) -> Any:
    return _ENVIRONMENT.from_string(text)
