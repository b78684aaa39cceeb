"""Reads single turns and puts them together: later words win, additions add, suppositions hold for the last turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from advisor.amounts import Amount, amounts, times
from advisor.clauses import Text
from advisor.occasions import Span, occasions
from advisor.phrases import Phrases
from advisor.places import Place, places
from advisor.quantities import age
from advisor.signals import statement


@dataclass(frozen=True)
class Sign:
    """A signal's value, the words for it, and the signal that states it: itself or one that entails it."""

    value: bool | str
    words: str
    by: str


@dataclass
class Told:
    """What one turn tells, or all of them together."""

    signals: dict[str, Sign]
    amounts: dict[str, Amount]
    spans: dict[str, Span]
    places: list[Place]


def conversation(turns: list[Text], phrases: Phrases, asked_on: date) -> Told:
    """What the user's turns tell together."""
    whole = Told({}, {}, {}, [])
    for number, text in enumerate(turns):
        told = told_in(text, phrases, asked_on)
        supposing = any(clause.supposed < clause.end for clause in text.clauses)
        if number == 0 and supposing:
            # A question that supposes a story tells it; beside a story told, a supposition only fills gaps.
            supposed = told_in(text, phrases, asked_on, supposed=True)
            if any(phrases.signals[name].negatable for name in told.signals):
                supposed.signals = {}
            told = _onto(supposed, told)
        whole = _onto(whole, told, phrases.find("mode.correction", text.plain) is not None)
        if 0 < number == len(turns) - 1 and supposing:
            whole = _onto(whole, told_in(text, phrases, asked_on, supposed=True), instead=True)
    price, orders = whole.amounts.get("amount_yuan"), whole.amounts.get("count")
    if price and price.each and orders:
        whole.amounts["amount_yuan"] = times(price, orders)
    return whole


def told_in(text: Text, phrases: Phrases, asked_on: date, supposed: bool = False) -> Told:
    """What one turn tells, or with ``supposed`` what it only supposes."""
    signals: dict[str, Sign] = {}
    for name in phrases.signals:
        if "." not in name and (found := statement(name, text, phrases, supposed)):
            signals[name] = Sign(found.value, text.words(found.start, found.end), name)
    for name, sign in list(signals.items()):
        for other in phrases.signals[name].entails if sign.value else ():
            signals.setdefault(other, sign)
    numbers = amounts(text, phrases, supposed)
    if (years := age(text.plain)) and text.supposed(years.start) is supposed:
        numbers["age"] = Amount(years.value, text.words(years.start, years.end))
    there = [place for place in places(text, phrases) if place.supposed is supposed]
    return Told(signals, numbers, occasions(text, phrases, asked_on, supposed), there)


def _onto(before: Told, after: Told, instead: bool = False) -> Told:
    """What is told later on top of what was told before; with ``instead`` its places replace the earlier ones."""
    numbers = dict(before.amounts)
    for name, amount in after.amounts.items():
        earlier = numbers.get(name)
        if earlier and amount.more:
            together = round(earlier.value + amount.value, 2)
            numbers[name] = replace(earlier, value=together, words=f"{earlier.words}、{amount.words}")
        elif not (earlier and amount.weak and not earlier.weak):
            numbers[name] = amount
    spans = before.spans | after.spans
    earlier_day, later_day = before.spans.get("date"), after.spans.get("date")
    taken = after.amounts.get("amount_yuan")
    if earlier_day and later_day and taken and taken.more:
        first, last = min(earlier_day.first, later_day.first), max(earlier_day.last, later_day.last)
        spans["date"] = Span(first, last, f"{earlier_day.words}、{later_day.words}")
    named = {place.name for place in after.places}
    kept = [] if instead and named else [place for place in before.places if place.name not in named]
    return Told(before.signals | after.signals, numbers, spans, kept + after.places)
