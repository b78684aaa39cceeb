"""Reads facts from free Chinese text, each with the words it came from. What people say is in knowledge/lexicon."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import lru_cache
from itertools import islice

from advisor.clauses import Text
from advisor.consultation import Consultation, Fact
from advisor.occasions import Span
from advisor.phrases import Phrases
from advisor.places import Place, short_province
from advisor.signals import MOST, statement
from advisor.turns import Told, conversation
from knowledge.library import Library
from knowledge.schema import Role

ROLES: tuple[Role, ...] = ("trainee", "merchant", "consumer")
# Facts that are no signals, and what they are called on the page.
SCALARS = {
    "role": "身份",
    "amount_yuan": "金额(元)",
    "demanded_yuan": "对方索要的金额(元)",
    "count": "次数或单数",
    "buyers": "买家或账号数",
    "shops": "店铺数",
    "age": "年龄",
    "province": "省份",
    "place": "地点",
    "buyer_province": "买家所在省份",
    "seller_province": "商家所在省份",
    "date": "行为日期",
    "date_from": "行为日期",
    "date_to": "行为日期(止)",
    "reported_on": "报案日期",
    "notice_on": "收到通知的日期",
    "knew_on": "发现的日期",
    "signed_on": "买家签收的日期",
    "returned_on": "收到退货的日期",
}


class FactReader:
    """Reads the facts of a consultation with one library's lexicon."""

    def __init__(self, library: Library) -> None:
        self.signals = library.signals
        self.phrases = Phrases(library.signals)
        self._asked = lru_cache(maxsize=16)(lambda text: Text(text, self.phrases, pauses=False))

    def read(self, consultation: Consultation, asked_on: date) -> dict[str, Fact]:
        """All facts, the user's corrections last; days are ISO days, ``amount_yuan`` and ``demanded_yuan`` in yuan.

        A signal is True, False (denied) or "doubted", or one of its own values; what nobody said is not there.
        """
        told = [turn.content for turn in consultation.history if turn.role == "user"] + [consultation.question]
        turns = [Text(text, self.phrases) for text in told]
        known = conversation(turns, self.phrases, asked_on)
        given = consultation.corrections.get("role") or consultation.role
        role = self._fact("role", given, "given") if given else self._role(turns, known)
        facts = {"role": role}
        for name, sign in known.signals.items():
            if self.signals[sign.by].only in (None, role.value):
                facts[name] = self._fact(name, sign.value, sign.words)
        facts |= {name: self._fact(name, amount.value, amount.words) for name, amount in known.amounts.items()}
        for name, span in known.spans.items():
            facts |= _span(span) if name == "date" else {name: self._fact(name, span.last.isoformat(), span.words)}
        facts |= self._places(known.places, role.value)
        self._given(consultation, facts)
        facts.setdefault("role", self._fact("role", "consumer", "assumed"))
        if "date_from" not in facts:
            facts |= _span(Span(asked_on, asked_on, "assumed"))
        return facts

    def has(self, name: str, text: str) -> str | None:
        """The words by which a text states a signal, or None."""
        read = self._asked(text)
        found = statement(name, read, self.phrases) or statement(name, read, self.phrases, supposed=True)
        return read.plain[found.start : found.end] if found and found.value is not False else None

    def label(self, name: str) -> str:
        """What a fact is called on the page."""
        signal = self.signals.get(name)
        return signal.label if signal else SCALARS.get(name, name)

    def _fact(self, name: str, value: object, source: str) -> Fact:
        return Fact(value=value, source=source, label=self.label(name))

    def _given(self, consultation: Consultation, facts: dict[str, Fact]) -> None:
        """Puts what the user gave beside the question, and set by hand, in place of what was read."""
        if consultation.province:
            facts["province"] = self._fact("province", short_province(consultation.province), "given")
        if consultation.date:
            facts |= _span(Span(consultation.date, consultation.date, "given"))
        for name, value in consultation.corrections.items():
            facts.pop(name, None)
            if name == "date" and value:
                first, _, last = str(value).partition("至")
                facts |= _span(Span(date.fromisoformat(first), date.fromisoformat(last or first), "given"))
            elif value is not None:
                facts[name] = self._fact(name, short_province(value) if "province" in name else value, "given")

    def _role(self, turns: list[Text], told: Told) -> Fact:
        """Who is asking: by what they call themselves, else by most of their words, else by what the facts imply."""
        for role in ROLES:
            for text in reversed(turns):
                if sure := self.phrases.find(f"role.{role}.sure", text.plain):
                    return self._fact("role", role, text.words(*sure.span()))
        votes: Counter[str] = Counter()
        words: dict[str, str] = {}
        for text in turns:
            for role in ("merchant", "consumer"):
                for pattern in self.phrases.says(f"role.{role}"):
                    for match in islice(pattern.finditer(text.plain), MOST):
                        votes[role] += 1
                        words.setdefault(role, text.words(*match.span()))
        for bound in (True, False):  # first the facts that only one side can tell of itself
            for name, sign in told.signals.items() if votes["merchant"] == votes["consumer"] else ():
                signal = self.signals[name]
                if signal.implies and sign.by == name and sign.value and (signal.only is not None) is bound:
                    votes[signal.implies] += 1
                    words.setdefault(signal.implies, sign.words)
        if not votes:
            return self._fact("role", "consumer", "assumed")
        role = "merchant" if votes["merchant"] >= votes["consumer"] else "consumer"
        return self._fact("role", role, words[role])

    def _places(self, named: list[Place], role: str) -> dict[str, Fact]:
        """``province`` (all of them), ``place`` (the most exact), and whose provinces they are."""
        if not named:
            return {}
        own = "buyer_province" if role == "consumer" else "seller_province"
        provinces = list(dict.fromkeys(place.province for place in named))
        place = next((p.name for p in named if p.name != p.province), named[0].name)
        facts = {
            "province": self._fact("province", "、".join(provinces), "、".join(dict.fromkeys(p.name for p in named))),
            "place": self._fact("place", place, place),
        }
        for p in named:
            if name := own if p.side == "self" else f"{p.side}_province" if p.side else None:
                facts[name] = self._fact(name, p.province, p.name)
        return facts


def _span(span: Span) -> dict[str, Fact]:
    first, last = span.first.isoformat(), span.last.isoformat()
    values = {"date": first if first == last else f"{first}至{last}", "date_from": first, "date_to": last}
    return {name: Fact(value=value, source=span.words, label=SCALARS[name]) for name, value in values.items()}
