"""Evaluates the rules of knowledge/rules over the facts of one consultation."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from advisor.consultation import Fact
from knowledge.library import Library
from knowledge.schema import Dated, Provision, Ref

_ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
PENALTY = "penalty.base.detention"
SURE = {"high": "", "medium": ",未能与官方文本核对", "low": ",不可靠"}


class Facts:
    """The facts as the rules see them: every signal by name (None when unsaid), the days, and the law's numbers."""

    def __init__(self, library: Library, facts: dict[str, Fact], asked_on: date) -> None:
        self.library, self.asked_on = library, asked_on
        self.first = date.fromisoformat(facts["date_from"].value)
        self.last = date.fromisoformat(facts["date_to"].value)
        self.context: dict[str, Any] = {name: None for name in library.signals if "." not in name}
        self.context |= dict.fromkeys(("amount_yuan", "count", "age", "province", "place", "role"))
        self.context |= {name: fact.value for name, fact in facts.items() if "." not in name}
        self.context |= {
            "P": self.parameter,
            "in_force": self.in_force,
            "by_day": self._by_day,
            "effective": lambda name: self.library.versions(name)[0].effective,
            "money": money,
            "span": span,
            "penalty": self._penalty,
            "changeover": self.changeover,
            "six_months_words": self._six_months_words,
            "civil_words": self._civil_words,
            "rescission_words": self._rescission_words,
            "local_words": self._local_words,
            "asked_on": asked_on,
            "role_assumed": facts["role"].source == "assumed",
            "date_assumed": facts["date_from"].source == "assumed",
        }
        self.context |= self._amount()
        self.context |= self._six_months(facts["date_from"].source == "assumed")
        for file in library.rules:
            for derived in file.derived:
                self.context[derived.name] = self.value(derived.is_)

    def value(self, expression: str) -> Any:
        """The value of an expression; raises ``jinja2.UndefinedError`` on a name no fact or rule has."""
        return _compiled(expression)(**self.context)

    def words(self, template: str) -> str:
        """A template filled from the facts."""
        return str(_template(template).render(**self.context))

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

    def changeover(self) -> date:
        """The day from which the present penalty for petty fraud applies."""
        day: date = max(value.effective for value in self.library.parameters[PENALTY].values)
        return day

    def _amount(self) -> dict[str, Any]:
        amount, province = self.context["amount_yuan"], self.context["province"]
        low, high = self.parameter("fraud.large")
        local, huge = self._local("fraud.large"), self._local("fraud.huge")
        known = [entry.value for entry in local if isinstance(entry.value, int)]
        if amount is None:
            state = "unknown"
        elif amount >= high:
            state = "above"
        elif known and amount >= max(known):
            state = "reaches_local"
        elif amount < low:
            state = "below"
        elif known and amount < min(known):
            state = "below_local"
        else:
            state = "in_range"
        return {"amount_state": state, "local_huge": huge[0] if len(huge) == 1 else None, "province": province}

    def _local(self, name: str) -> list[Dated]:
        """The values for the provinces named; where a province has areas, those of the place named."""
        place = self.context["place"]
        found: list[Dated] = []
        for province in (self.context["province"] or "").split("、"):
            entries = [value for value in self.library.parameters[name].values if value.region == province]
            named = [value for value in entries if place in value.areas]
            if not named and place and place != province and any(value.areas for value in entries):
                named = [value for value in entries if not value.areas]
            found += named or entries
        return found

    def _local_words(self) -> str:
        local = [value for value in self._local("fraud.large") if isinstance(value.value, int)]
        several = len({value.region for value in local}) > 1
        return "、".join(
            f"{value.region if several else ''}{money(int(str(value.value)))}"
            f"{'(' + '、'.join(value.areas) + ')' if value.areas else ''}({value.reference}{SURE[value.confidence]})"
            for value in local
        )

    def _six_months(self, assumed: bool) -> dict[str, Any]:
        """Whether the months have passed, and the last day to be told: a day early while there is time."""
        months = int(self.parameter("limit.administrative"))
        earliest, latest = (plus_months(day, months) for day in (self.first, self.last))
        if assumed:
            return {"six_months": "open", "six_months_last": None}
        if self.asked_on > latest:
            return {"six_months": "passed", "six_months_last": latest.isoformat()}
        if self.asked_on > earliest:
            return {"six_months": "partly", "six_months_last": latest.isoformat()}
        return {"six_months": "open", "six_months_last": max(earliest - timedelta(days=1), self.asked_on).isoformat()}

    def _six_months_words(self) -> str:
        last, months = self.context["six_months_last"], self.parameter("limit.administrative")
        rule = f"{months}个月内没有被公安机关发现的不再处罚,从行为之日起算,连续的从终了之日起算"
        if self.context["six_months"] == "partly":
            return f"{rule};按所说的日期,有的日子已过期,最迟到 {last}"
        return f"{rule}(按现在的日期算到 {last})" if last else rule

    def _civil_words(self) -> str:
        years = int(self.parameter("limit.civil"))
        until = plus_months(self.first, 12 * years)
        passed = ",可能已过,要看何时知道" if self.asked_on >= until else ""
        return f"诉讼时效{years}年,按行为日算到 {until}{passed}"

    def _rescission_words(self) -> str:
        until = plus_months(self.last, 12 * int(self.parameter("limit.rescission")))
        known = f"知道或者应当知道之日起{self.parameter('limit.rescission')}年内"
        if self.context["date_assumed"]:
            return known
        return f"{known},从行为日算{'已过' if self.asked_on > until else '到'} {until}"

    def _penalty(self) -> str:
        """The penalties in words, for each version the days of the conduct fall under."""
        found = []
        for day in dict.fromkeys((self.first, self.last)):
            at = {
                name: self.library.parameter(f"penalty.{name}", day)
                for tier in ("base", "serious")
                for name in (f"{tier}.detention", f"{tier}.relation", f"{tier}.fine")
            }
            value = {name: entry.value for name, entry in at.items() if entry}
            if len(value) == len(at):
                found.append(
                    f"{_tier(value, 'base')}{'(二选一)' if value['base.relation'] == '或者' else ''};"
                    f"情节较重的,{_tier(value, 'serious')}"
                )
        words = list(dict.fromkeys(found))
        if len(words) > 1:
            return f"{self.changeover()}以前的行为,{words[0]};以后的行为,{words[1]}"
        return words[0] if words else "当时的规定本库没有收录"


def _tier(value: dict[str, Any], tier: str) -> str:
    low, high = value[f"{tier}.detention"]
    relation, fine = value[f"{tier}.relation"], value[f"{tier}.fine"]
    strong = f"**{relation}**" if relation == "或者" else f",{relation}"
    return f"{low}日以上{high}日以下拘留{strong}{fine}元以下罚款"


def money(value: float | int) -> str:
    """86 → 86元, 6200.5 → 6200.5元, 100000 → 10万元."""
    if value >= 10_000 and value % 1_000 == 0:
        return f"{value / 10_000:g}万元"
    return f"{value:.2f}".rstrip("0").rstrip(".") + "元"


def span(values: list[int]) -> str:
    """[3000, 10000] → 3000元至1万元."""
    return f"{money(values[0])}至{money(values[1])}"


def plus_months(day: date, months: int) -> date:
    """The same day some months later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Any:
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)


@lru_cache(maxsize=2048)
def _template(text: str) -> Any:
    return _ENVIRONMENT.from_string(text)
