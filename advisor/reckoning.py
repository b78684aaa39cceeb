"""What the law's days and numbers come to on the facts of one consultation: deadlines, thresholds, fees, in words."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from knowledge.library import Library
from knowledge.schema import Dated

PENALTY = "penalty.base.detention"
SURE = {"high": "", "medium": ",未能与官方文本核对", "low": ",不可靠"}


class Reckoning:
    """Reckons over ``context``, the facts by name; ``parameter`` gives a number on the day its provision answers to."""

    def __init__(
        self,
        library: Library,
        context: dict[str, Any],
        days: tuple[date, date, date],
        parameter: Callable[[str], Any],
    ) -> None:
        self.library, self.context, self.parameter = library, context, parameter
        self.first, self.last, self.asked_on = days

    def names(self) -> dict[str, Any]:
        """The values and functions that rules may use."""
        return {
            "penalty": self.penalty,
            "changeover": self.changeover,
            "day_before": lambda day: day - timedelta(days=1),
            "days_after": self.days_after,
            "six_months_words": self.six_months_words,
            "civil_words": self.civil_words,
            "rescission_words": self.rescission_words,
            "prosecution_words": self.prosecution_words,
            "local_words": self.local_words,
            "provinces_words": self.provinces_words,
            "provinces_by_amount": self.provinces_by_amount,
            "court_fee_words": self.court_fee_words,
            **self._amount(),
            **self._six_months(),
            "rescission_state": self._rescission_state(),
        }

    def changeover(self) -> date:
        """The day from which the present penalty for petty fraud applies."""
        day: date = max(value.effective for value in self.library.parameters[PENALTY].values)
        return day

    def days_after(self, name: str, days: int) -> str:
        """The day some days after a day among the facts (the day itself doesn't count), ISO; "" when it isn't known."""
        day = self._day(name)
        return (day + timedelta(days=days)).isoformat() if day else ""

    def _day(self, name: str) -> date | None:
        value = self.context.get(name)
        return date.fromisoformat(value) if value else None

    def _amount(self) -> dict[str, Any]:
        amount = self.context["amount_yuan"]
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
        return {"amount_state": state, "local_huge": huge[0] if len(huge) == 1 else None}

    def _local(self, name: str) -> list[Dated]:
        """The values for the provinces named; where a province has areas, those of the place named."""
        place = self.context["place"]
        found: list[Dated] = []
        for province in (self.context["province"] or "").split("、"):
            values = self.library.parameters[name].values
            entries = [value for value in values if value.region == province and value.holds(self.last)]
            named = [value for value in entries if place in value.areas]
            if not named and place and place != province and any(value.areas for value in entries):
                named = [value for value in entries if not value.areas]
            found += named or entries
        return found

    def local_words(self) -> str:
        """The amounts of the provinces named, each with where it stands; "" when none is known."""
        local = [value for value in self._local("fraud.large") if isinstance(value.value, int)]
        several = len({value.region for value in local}) > 1
        return "、".join(
            f"{value.region if several else ''}{money(int(str(value.value)))}{_areas(value)}"
            f"({value.reference}{SURE[value.confidence]})"
            for value in local
        )

    def provinces_by_amount(self) -> list[str]:
        """The provinces whose amount is known, the lowest amount first."""
        return [str(value.region) for value in self._provinces()]

    def _provinces(self) -> list[Dated]:
        values = self.library.parameters["fraud.large"].values
        known = [v for v in values if v.region and isinstance(v.value, int) and v.holds(self.last)]
        return sorted(known, key=lambda v: int(str(v.value)))

    def provinces_words(self) -> str:
        """Where the amount told would suffice and where not, of the provinces whose amount is known."""
        amount = self.context["amount_yuan"] or 0
        sides: dict[bool, list[str]] = {True: [], False: []}
        for value in self._provinces():
            sides[amount >= int(str(value.value))].append(f"{value.region}{_areas(value)}")
        words = [
            f"{name}的有{'、'.join(sides[side])}" for side, name in ((True, "达到"), (False, "没达到")) if sides[side]
        ]
        return f"见到标准的省份里,{','.join(words)};别的省没有查到"

    def _six_months(self) -> dict[str, Any]:
        """Whether the months have passed, and the last day to be told: a day early while there is time."""
        months = int(self.parameter("limit.administrative"))
        earliest, latest = (plus_months(day, months) for day in (self.first, self.last))
        if self.context["date_assumed"]:
            return {"six_months": "open", "six_months_last": None}
        if self.asked_on > latest:
            return {"six_months": "passed", "six_months_last": latest.isoformat()}
        if self.asked_on > earliest:
            return {"six_months": "partly", "six_months_last": latest.isoformat()}
        return {"six_months": "open", "six_months_last": max(earliest - timedelta(days=1), self.asked_on).isoformat()}

    def six_months_words(self) -> str:
        """The rule of the six months, and the day it comes to."""
        last, months = self.context["six_months_last"], self.parameter("limit.administrative")
        rule = f"{months}个月内没有被公安机关发现的不再处罚,从行为之日起算,连续的从终了之日起算"
        if self.context["six_months"] == "partly":
            return f"{rule};按所说的日期,有的日子已过期,最迟到 {last}"
        return f"{rule}(按现在的日期算到 {last})" if last else rule

    def civil_words(self) -> str:
        """The limitation of civil claims, and the day it comes to."""
        years = int(self.parameter("limit.civil"))
        if self.context["date_assumed"]:
            return f"诉讼时效{years}年,从知道或者应当知道之日起"
        until = plus_months(self._day("knew_on") or self.first, 12 * years)
        passed = ",可能已过,要看何时知道" if self.asked_on > until else ""
        return f"诉讼时效{years}年,按{'知道的日子' if self.context['knew_on'] else '行为日'}算到 {until}{passed}"

    def _rescission(self) -> tuple[date, date]:
        """The last day of the short period (from the day of knowing, else of the conduct) and of the long one."""
        short, long = (12 * int(self.parameter(f"limit.rescission{name}")) for name in ("", "_long"))
        return plus_months(self._day("knew_on") or self.last, short), plus_months(self.last, long)

    def _rescission_state(self) -> str:
        """``open``, ``passed``, or ``unknown`` where it turns on a day of knowing nobody told."""
        if self.context["date_assumed"]:
            return "unknown"
        short, long = self._rescission()
        if self.asked_on > long or (self.context["knew_on"] and self.asked_on > short):
            return "passed"
        return "unknown" if self.asked_on > short else "open"

    def rescission_words(self) -> str:
        """The periods of the right to rescind, and the days they come to."""
        years, most = self.parameter("limit.rescission"), self.parameter("limit.rescission_long")
        known = f"知道或者应当知道之日起{years}年内,最长自行为之日起{most}年"
        if self.context["date_assumed"]:
            return known
        short, long = self._rescission()
        since = "知道的日子" if self.context["knew_on"] else "行为日"
        passed = "已过" if self.asked_on > short else "到"
        return f"{known};从{since}算{passed} {short},最长{'已过' if self.asked_on > long else '到'} {long}"

    def prosecution_words(self) -> str:
        """The limitation of prosecution for the tier the amount reaches, and the day it comes to."""
        years = int(self.parameter(f"limit.prosecution_{self._prosecution_tier()}"))
        until = plus_months(self.last, 12 * years)
        return f"追诉期限{years}年,从行为终了算{'已过' if self.asked_on > until else '到'} {until}"

    def _prosecution_tier(self) -> int:
        """The years 刑法 87 gives by the highest sentence of the tier: under five, ten and more, life."""
        amount = self.context["amount_yuan"] or 0
        huge = self.context["local_huge"]
        if amount >= self.parameter("fraud.extreme"):
            return 20
        return 15 if amount >= (huge.value if huge else self.parameter("fraud.huge")[1]) else 5

    def court_fee_words(self) -> str:
        """The fee of a suit for the amount told, and what the simple procedure halves it to."""
        amount = self.context["amount_yuan"]
        bounds = self.parameter("court_fee.tiers.up_to")
        rates = self.parameter("court_fee.tiers.permille")
        fee, lower = float(self.parameter("court_fee.small")), bounds[0]
        for bound, permille in zip([*bounds[1:], float("inf")], rates, strict=True):
            fee += max(min(amount or 0, bound) - lower, 0) * permille / 1000
            lower = bound
        half = fee * self.parameter("court_fee.half") / 100
        scope = "" if amount is not None else f"{money(bounds[0])}以下"
        return f"{scope}受理费{money(fee)},简易程序减半{money(half)};败诉方负担"

    def penalty(self, on: date | None = None) -> str:
        """The penalties in words, for each version the days of the conduct (or a day given) fall under."""
        found = []
        for day in dict.fromkeys((on,) if on else (self.first, self.last)):
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


def _areas(value: Dated) -> str:
    return f"({'、'.join(value.areas)})" if value.areas else ""


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
