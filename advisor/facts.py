"""Reads facts from free Chinese text, each with the words it came from. What people say is in knowledge/lexicon."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from advisor.consultation import Consultation, Fact
from advisor.quantities import AGE, COUNT, UNDER_AGE, Money, denied, is_standard, money, whole
from advisor.whenwhere import days, places, short_province
from ingest.embedder import normalize
from knowledge.library import Library
from knowledge.schema import Signal

# How far before and after its clause a statement is read.
REACH = 60
_CLAUSE = re.compile(r"[^,,。;;!!??\n]+")


_TO = re.compile(r"(?:号|日|份)?(?:开始|起)?,?(?:一直)?(?:到|至|—+|-+|~)")


class FactReader:
    """Reads the facts of a consultation with one library's lexicon."""

    def __init__(self, library: Library) -> None:
        self.signals = library.signals

    def read(self, consultation: Consultation, asked_on: date) -> dict[str, Fact]:
        """All facts, the user's corrections last; ``date_from``/``date_to`` are days (ISO), ``amount_yuan`` in yuan."""
        facts: dict[str, Fact] = {}
        turns = [turn.content for turn in consultation.history if turn.role == "user"] + [consultation.question]
        for text in turns:
            facts |= self._of_text(text, asked_on)
        province = short_province(consultation.province or "")
        for name, value in (("role", consultation.role), ("province", province)):
            if value:
                facts[name] = Fact(value=value, source="given", label=self.label(name))
        if consultation.date:
            facts |= _span(consultation.date, consultation.date, "given")
        for name, value in consultation.corrections.items():
            facts.pop(name, None)
            if name == "date" and value:
                first, _, last = str(value).partition("至")
                facts |= _span(date.fromisoformat(first), date.fromisoformat(last or first), "given")
            elif value is not None:
                value = short_province(value) if name == "province" else value
                facts[name] = Fact(value=value, source="given", label=self.label(name))
        if "role" not in facts:
            facts["role"] = Fact(value=self._likely_role(facts), source="assumed", label=self.label("role"))
        if "date_from" not in facts:
            facts |= _span(asked_on, asked_on, "assumed")
        return facts

    def _likely_role(self, facts: dict[str, Fact]) -> str:
        """The role most of the facts told speak for; consumer when none does."""
        told = [self.signals[name].implies for name, fact in facts.items() if name in self.signals and fact.value]
        return "merchant" if told.count("merchant") >= max(told.count("consumer"), 1) else "consumer"

    def has(self, name: str, text: str) -> str | None:
        """The words by which a text states a signal, or None."""
        found = self._state(self.signals[name], normalize(text))
        return found[1] if found and found[0] is not False else None

    def label(self, name: str) -> str:
        """What a fact is called on the page."""
        signal = self.signals.get(name)
        return signal.label if signal else _LABELS.get(name, name)

    def _of_text(self, text: str, asked_on: date) -> dict[str, Fact]:
        plain = normalize(text)
        facts: dict[str, Fact] = {}
        for name, signal in self.signals.items():
            if "." in name:
                continue
            if signal.values:
                for value, patterns in signal.values.items():
                    if match := _search(patterns, plain):
                        facts[name] = Fact(value=value, source=match[0], label=signal.label)
            elif found := self._state(signal, plain):
                facts[name] = Fact(value=found[0], source=found[1], label=signal.label)
        facts |= self._role(plain)
        facts |= self._amounts(plain)
        facts |= self._days(plain, asked_on)
        if (match := AGE.search(plain)) and 0 < (age := whole(match["number"] or match["bare"])) < 120:
            facts["age"] = Fact(value=age, source=match[0], label=_LABELS["age"])
        if (match := UNDER_AGE.search(plain)) and (age := whole(match["number"])) < 100:
            facts["age"] = Fact(value=age - 1, source=match[0], label=_LABELS["age"])
        if named := places(plain):
            provinces = list(dict.fromkeys(province for province, _ in named))
            place = next((name for province, name in named if name != province), named[0][1])
            facts["province"] = Fact(value="、".join(provinces), source=named[0][1], label=_LABELS["province"])
            facts["place"] = Fact(value=place, source=place, label=_LABELS["place"])
        if len(plain) == len(text):
            for fact in facts.values():
                fact.source = "".join(_verbatim(part, plain, text) for part in re.split("([×、])", fact.source))
        return facts

    def _state(self, signal: Signal, plain: str) -> tuple[bool | str, str] | None:
        """(True / False / "doubted", words) for the first statement of a signal; hypotheses state nothing."""
        if match := _search(signal.denies, plain):
            return False, match[0]
        denied: tuple[bool | str, str] | None = None
        says = [pattern for pattern in map(_compiled, signal.says) if pattern.search(plain)]
        for clause in _CLAUSE.finditer(plain) if says else ():
            if _search(signal.unless, clause[0]):
                continue
            reach = plain[clause.start() : clause.end() + REACH]
            for pattern in says:
                match = pattern.search(reach)
                if not match or match.start() >= len(clause[0]):
                    continue
                before = clause[0][max(0, match.start() - REACH) : match.start()]
                if not signal.negatable:
                    return True, match[0]
                if _search(self.signals["mode.hypothetical"].says, before):
                    continue
                told = before + "是" if match[0].startswith("是") else before  # 不 + 是AI生成
                if _search(self.signals["mode.negation"].says, told):
                    denied = denied or (False, clause[0][max(0, match.start() - 4) :][: len(match[0]) + 4])
                    continue
                if any(_search(self.signals[f"mode.{mode}"].says, before) for mode in ("doubt", "hearsay")):
                    return "doubted", before[-6:] + match[0]
                return True, match[0]
        return denied

    def _role(self, plain: str) -> dict[str, Fact]:
        best: tuple[int, str, str] | None = None
        for role in ("trainee", "merchant", "consumer"):
            words = [m[0] for p in self.signals[f"role.{role}"].says for m in _compiled(p).finditer(plain)]
            if words and (best is None or len(words) > best[0]):
                best = (len(words), role, words[0])
        return {"role": Fact(value=best[1], source=best[2], label=_LABELS["role"])} if best else {}

    def _amounts(self, plain: str) -> dict[str, Fact]:
        facts: dict[str, Fact] = {}
        counts = [(m, whole(m["number"])) for m in COUNT.finditer(plain) if not denied(plain, m.start())]
        counts = [(m, n) for m, n in counts if n > 1 or m["more"]]
        if counts:
            match, number = max(counts, key=lambda pair: pair[1])
            facts["count"] = Fact(value=number, source=match[0], label=_LABELS["count"])
        found = [m for m in money(plain) if not denied(plain, m.start)]
        if not found:
            return facts

        def context(name: str, item: Money) -> bool:
            before = re.split(r"[,,。;;!!??\n]", plain[max(0, item.start - REACH) : item.start])[-1]
            if name == "other" and _search(self.signals["mode.hypothetical"].says, before):
                return False
            return bool(_search(self.signals[f"amount.{name}"].says, before))

        for kind in ("total", "refund"):
            for item in found:
                if context(kind, item) and not (kind == "refund" and context("other", item)):
                    if kind == "refund" and "count" in facts and self._each(plain, item):
                        continue
                    return facts | {
                        "amount_yuan": Fact(value=item.value, source=item.words, label=_LABELS["amount_yuan"])
                    }
        each = next(
            (m for m in found if (self._each(plain, m) or context("each", m)) and not context("other", m)), None
        )
        if each and "count" in facts:
            product = Fact(
                value=round(each.value * facts["count"].value, 2),
                source=f"{each.words}×{facts['count'].source}",
                label=_LABELS["amount_yuan"],
            )
            return facts | {"amount_yuan": product}
        plain_ones = [item for item in found if not context("other", item) and not is_standard(plain, item)]
        if plain_ones:
            item = plain_ones[0]
            facts["amount_yuan"] = Fact(value=item.value, source=item.words, label=_LABELS["amount_yuan"])
        return facts

    @staticmethod
    def _each(plain: str, item: Money) -> bool:
        return bool(re.match(r"\s*(?:元|块钱?)?(?:一|每|/)(?:单|次|个|件|笔)", plain[item.end :]))

    def _days(self, plain: str, asked_on: date) -> dict[str, Fact]:
        found = days(plain, asked_on)
        if not found:
            return {}
        kinds = []
        for number, day in enumerate(found):
            stop = found[number + 1].start if number + 1 < len(found) else len(plain)
            after = re.split(r"[。;!?\n]", plain[day.end : min(stop, day.end + 16)])[0]
            conduct, other = (_search(self.signals[f"date.{kind}"].says, after) for kind in ("conduct", "other"))
            first_other = other is not None and (conduct is None or other.start() < conduct.start())
            kinds.append(2 if conduct and not first_other else 0 if other else 1)
        for number in range(len(found) - 2, -1, -1):
            if re.fullmatch(r"\s*[到至~\-—和、]\s*", plain[found[number].end : found[number + 1].start]):
                kinds[number] = kinds[number + 1]
        for number in range(1, len(found)):  # "2025年12月到2026年2月" is one span
            if _TO.fullmatch(plain[found[number - 1].end : found[number].start]):
                kinds[number - 1] = kinds[number] = max(kinds[number - 1], kinds[number])
        chosen = [day for day, kind in zip(found, kinds, strict=True) if kind == max(kinds)]
        if max(kinds) == 0:
            return {}
        words = "、".join(day.words for day in chosen)
        return _span(min(day.first for day in chosen), max(day.last for day in chosen), words)


_LABELS = {
    "role": "身份",
    "amount_yuan": "金额(元)",
    "count": "次数或单数",
    "age": "年龄",
    "province": "省份",
    "place": "地点",
    "date": "行为日期",
    "date_from": "行为日期",
    "date_to": "行为日期(止)",
}


def _span(first: date, last: date, source: str) -> dict[str, Fact]:
    text = first.isoformat() if first == last else f"{first}至{last}"
    return {
        "date": Fact(value=text, source=source, label=_LABELS["date"]),
        "date_from": Fact(value=first.isoformat(), source=source, label=_LABELS["date_from"]),
        "date_to": Fact(value=last.isoformat(), source=source, label=_LABELS["date_to"]),
    }


def _search(patterns: list[str], text: str) -> re.Match[str] | None:
    return next((match for pattern in patterns if (match := _compiled(pattern).search(text))), None)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


def _verbatim(words: str, plain: str, text: str) -> str:
    """Words of the normalized text as the text itself has them."""
    start = plain.find(words)
    return text[start : start + len(words)] if start >= 0 else words
