"""Puts the sums and counts of one turn together: what was taken, what is demanded, how often, by and from how many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from advisor.clauses import Text
from advisor.phrases import Phrases
from advisor.quantities import Count, Money, counts, money

# Nobody tells more numbers than these; a limit keeps hostile text cheap.
MOST = 80
# The ways a sum may stand in a story, the first that fits (amount.* in the lexicon); without any it is "bare".
KINDS = ("denied", "demanded", "other", "line", "total", "each", "refund", "price")
COUNTED = {"orders": "count", "buyers": "buyers", "shops": "shops"}


@dataclass(frozen=True)
class Amount:
    """A sum or a number, the words it came from, and how it goes with what was told in earlier turns:

    ``more`` comes on top of it, ``weak`` gives way to it, ``each`` is the price of one of several orders.
    """

    value: float
    words: str
    more: bool = False
    weak: bool = False
    each: bool = False


@dataclass(frozen=True)
class _Item:
    money: Money
    words: str
    kind: str
    more: bool


def amounts(text: Text, phrases: Phrases, supposed: bool = False) -> dict[str, Amount]:
    """``amount_yuan`` and ``demanded_yuan`` (yuan), ``count``, ``buyers`` and ``shops`` as one turn tells them.

    With ``supposed``, as it only supposes them ("如果有40单呢").
    """
    found = _numbers(text, phrases, supposed)
    items = [item for item in _items(text, phrases) if text.supposed(item.money.start) is supposed]
    if demanded := [item for item in items if item.kind == "demanded"]:
        largest = max(demanded, key=lambda item: item.money.value)
        found["demanded_yuan"] = Amount(largest.money.value, largest.words)
    aside = {"denied", "demanded", "other"} if supposed else {"denied", "demanded", "other", "line"}
    taken = [item for item in items if item.kind not in aside]
    if total := _total(taken, text, phrases, found.get("count")):
        found["amount_yuan"] = total
    return found


def times(price: Amount, number: Amount) -> Amount:
    """A price so many times."""
    return replace(price, value=round(price.value * number.value, 2), words=f"{price.words}×{number.words}", each=False)


def _numbers(text: Text, phrases: Phrases, supposed: bool) -> dict[str, Amount]:
    found: dict[str, Amount] = {}
    for item in counts(text.plain, MOST):
        if text.supposed(item.start) is not supposed or (item.value < 2 and not item.more):
            continue
        around = text.marked(item.start, item.end, "#")
        for kind, name in COUNTED.items():
            if not phrases.find(f"count.{kind}", around) or phrases.find("count.other", around):
                continue
            amount = Amount(item.value, _counted(item, text), phrases.find("count.more", around) is not None)
            if name not in found or found[name].value < amount.value:
                found[name] = amount
    return found


def _counted(item: Count, text: Text) -> str:
    """A number with the word it is counted by: 40单, 五个."""
    return text.words(item.start, item.end + 1)


def _items(text: Text, phrases: Phrases) -> Iterator[_Item]:
    for item in money(text.plain, phrases, MOST):
        around = text.marked(item.start, item.end, "¤")
        kind = next((kind for kind in KINDS if phrases.find(f"amount.{kind}", around)), "bare")
        more = phrases.find("amount.more", around) is not None
        yield _Item(item, text.words(item.start, item.end), kind, more)


def _total(items: list[_Item], text: Text, phrases: Phrases, number: Amount | None) -> Amount | None:
    """What the sums of one turn come to: a total, a list added up, a price so many times, or the one sum there is."""
    if any(item.money.sure for item in items):  # a bare number beside it is a size or a model
        items = [item for item in items if item.money.sure or item.kind != "bare"]
    last = max((n for n, item in enumerate(items) if item.kind == "total"), default=None)
    if last is not None:
        later = _groups(items[last + 1 :], text, phrases)
        return _sum([[items[last]], *(group for group in later if group[0].more)])
    groups = list(_groups(items, text, phrases))
    singles = [group[0] for group in groups if len(group) == 1 and group[0].kind == "each"]
    if not singles and all(item.kind == "price" for item in items):
        singles = items[:1]  # 9.9 的东西退了 26 单
    if number and number.value > 1 and singles and not any(len(group) > 1 for group in groups):
        return times(Amount(singles[0].money.value, singles[0].words, singles[0].more or number.more), number)
    for kind in ("refund", "bare", "line", "each", "price"):
        base = next((n for n, group in enumerate(groups) if any(item.kind == kind for item in group)), None)
        if base is not None:
            more = [group for group in groups[base + 1 :] if group[0].more and group[0].kind != "price"]
            return replace(
                _sum([groups[base], *more]), weak=kind == "price", each=kind == "each" and len(groups[base]) == 1
            )
    return None


def _groups(items: list[_Item], text: Text, phrases: Phrases) -> Iterator[list[_Item]]:
    """Sums told in one breath: 一单300一单450; 先后退了120、85、260."""
    group: list[_Item] = []
    for item in items:
        between = text.plain[group[-1].money.end : item.money.start] if group else ""
        alike = group and (group[-1].kind == "price") is (item.kind == "price")
        if between and (phrases.find("amount.list", between) or (alike and phrases.find("amount.comma", between))):
            group.append(item)
            continue
        if group:
            yield group
        group = [item]
    if group:
        yield group


def _sum(groups: list[list[_Item]]) -> Amount:
    items = [item for group in groups for item in group]
    words = "、".join(dict.fromkeys(item.words for item in items))
    more = items[0].more and items[0].kind != "total"
    return Amount(round(sum(item.money.value for item in items), 2), words, more)
