"""Reads facts from free Chinese text, each with the words it came from. What people say is in knowledge/lexicon."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from advisor.consultation import Consultation, Fact
from ingest.embedder import normalize
from knowledge.library import Library
from knowledge.numerals import to_int
from knowledge.schema import Signal

_CLAUSE = re.compile(r"[^,,。;;!!??\n]+")
_CHINESE = "零一二两三四五六七八九十百千万"
_UNITS = (
    r"单|个|件|次|天|日|月|年|号|条|岁|人|斤|包|双|kg|公斤|%|盒|只|瓶|分|点|小时|g|克|倍|家|张|套|款|袋|里|公里|笔|米|级"
    r"|后|周|码|页|项|支|台|部|箱|份"
)
_COUNTER = re.compile(rf"^\s*(?:{_UNITS})")
_LAST = rf"[1-9一二三四五六七八九](?!\s*(?:[\d.{_CHINESE}]|{_UNITS}))"
_MONEY = re.compile(
    rf"(?<![\d.〔])(?P<mark>¥|rmb\s*)?(?P<number>\d+(?:,\d{{3}})*(?:\.\d+)?|[{_CHINESE}]+)"
    rf"(?:(?P<scale>万|千|百|k|w)(?:(?P<low>\d+)(?P<low_scale>千|百))?(?P<tail>{_LAST})?)?(?P<more>多|余|来|几)?"
    rf"(?:(?P<unit>元|块钱?|rmb|圆)(?:(?P<dime>[1-9一二三四五六七八九])[角毛]|(?<=块)(?P<half>{_LAST}))?)?"
)
_MOST = 1e12
_FACTOR = {"": 1, "百": 100, "千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000}
_COUNT = re.compile(
    rf"(?P<number>\d+|[{_CHINESE}]+)(?P<more>多|余|来|几)?\s*(?:单|次|笔|起|个订单|张订单)(?!价|号|销售|加工|元)"
)
_AGE = re.compile(rf"(?P<number>\d{{1,2}}|[{_CHINESE}]{{1,3}})周?岁|才(?P<bare>1\d)(?!\d|元|块|单)")
_CITED = re.compile(
    rf"(?:[〔\[(]\d{{4}}[〕\])]\s*\d+\s*号|\d{{4}}\s*年?(?:修订|修正|公布|版)|第?[\d{_CHINESE}]+\s*条)|(?:刑法|民法典|消法|治安法)\s*\d+"
)


# A month alone; one with a year beside it is left to the reader of dates.
_MONTH = re.compile(
    r"(?<![\d年个半每零一二两三四五六七八九十])(1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月份?(?!\s*(?:[\d一二三四五六七八九十]|以?[前内后]|[初中上下底末]))"
)


_NO_DAY = re.compile(r"第.{1,3}天|内|后|现在|目前|此刻|[一三]时|以来|明天|后天|将来|未来")
_DAY = re.compile(r"[年月日号天周节昨前去上今末旬]|双十|国庆|春节|元旦|\d[-/.]\d")
_TO = re.compile(r"(?:号|日|份)?(?:开始|起)?,?(?:一直)?(?:到|至|—+|-+|~)")


@dataclass(frozen=True)
class Money:
    """An amount found in a text, in yuan."""

    value: float
    words: str
    start: int
    end: int


@dataclass(frozen=True)
class Day:
    """A span of days a text speaks of."""

    first: date
    last: date
    words: str
    start: int
    end: int


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
        for name, value in (("role", consultation.role), ("province", consultation.province)):
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
                facts[name] = Fact(value=value, source="given", label=self.label(name))
        if "role" not in facts:
            facts["role"] = Fact(value=self._likely_role(facts), source="assumed", label=self.label("role"))
        if "date_from" not in facts:
            facts |= _span(asked_on, asked_on, "assumed")
        return facts

    def _likely_role(self, facts: dict[str, Fact]) -> str:
        """The role most of the facts told speak for; consumer when none does."""
        told = [self.signals[name].implies for name, fact in facts.items() if name in self.signals and fact.value]
        return "merchant" if told.count("merchant") > told.count("consumer") else "consumer"

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
        if (match := _AGE.search(plain)) and 0 < (age := _whole(match["number"] or match["bare"])) < 120:
            facts["age"] = Fact(value=age, source=match[0], label=_LABELS["age"])
        if places := _places(plain):
            provinces = list(dict.fromkeys(province for province, _ in places))
            place = next((name for province, name in places if name != province), places[0][1])
            facts["province"] = Fact(value="、".join(provinces), source=places[0][1], label=_LABELS["province"])
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
        for clause in _CLAUSE.finditer(plain):
            if _search(signal.unless, clause[0]):
                continue
            for pattern in signal.says:
                match = _compiled(pattern).search(plain[clause.start() :])
                if not match or match.start() >= len(clause[0]):
                    continue
                before = clause[0][: match.start()]
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
        counts = [(m, _whole(m["number"])) for m in _COUNT.finditer(plain) if not _denied(plain, m.start())]
        counts = [(m, n) for m, n in counts if n > 1 or m["more"]]
        if counts:
            match, number = max(counts, key=lambda pair: pair[1])
            facts["count"] = Fact(value=number, source=match[0], label=_LABELS["count"])
        found = [m for m in money(plain) if not _denied(plain, m.start)]
        if not found:
            return facts

        def context(name: str, item: Money) -> bool:
            before = re.split(r"[,,。;;!!??\n]", plain[: item.start])[-1]
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
        plain_ones = [item for item in found if not context("other", item) and not _standard(plain, item)]
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


def _standard(plain: str, item: Money) -> bool:
    """Whether an amount is a line somebody speaks of ("三千块以下") and not a sum involved."""
    return bool(re.match(r"(?:元|块钱?)?\s*(?:以下|以上|以内|起步|起点|门槛|标准)", plain[item.end :]))


def _denied(plain: str, start: int) -> bool:
    return bool(re.search(r"(?:不是|并非|没有|不到|没到)$", plain[:start].rstrip()))


def _whole(words: str) -> int:
    """Reads 40, 四十, 两千三 (2300), 一万二 (12000); 0 for what is no number (万万)."""
    try:
        return int(words) if words.isdigit() else _chinese(words)
    except ValueError:
        return 0


def _chinese(words: str) -> int:
    high, _, low = words.rpartition("万")
    base = to_int(high) * 10_000 if high else 0
    if not low:
        return base
    if match := re.fullmatch(r"(.*([百千]))([一二三四五六七八九])", low):
        return base + to_int(match[1]) + to_int(match[3]) * (100 if match[2] == "千" else 10)
    if high and re.fullmatch(r"[一二三四五六七八九]", low):
        return base + to_int(low) * 1_000
    return base + to_int(low)


def money(plain: str) -> Iterator[Money]:
    """The amounts a normalized text names, however written: 86元, 1280.5, 两千三, 3k, 五千多, 1.2万."""
    masked = _CITED.sub(lambda m: " " * len(m[0]), plain)
    for match in _MONEY.finditer(masked):
        number, scale, unit = match["number"], match["scale"], match["unit"]
        after = masked[match.end() :]
        arabic = number[0].isdigit()
        large = bool(scale) or (not arabic and re.search(r"[百千万]", number))
        if not (unit or match["mark"]):
            if _COUNTER.match(after) or re.match(r"\s*[-/.:年月]", after):
                continue
            before = masked[: match.start()]
            spoken = re.search(
                r"(?:退|骗|款|亏|损失|价|花了?|值|要|了|我|共|走|差|是|才|只|约|近|卖|给|单|次|额|每.)$",
                before.rstrip(),
            )
            alone = re.match(r"\s*(?:[,,。;;!!??\s]|$|[一二三](?:家|单|个|次))", after) and len(number) <= 6
            counted = re.search(r"(?:第|号|尾|编|有|月|:|[a-z])\s*$", before)
            told = spoken or re.match(r"\s*(?:的|一单|每单|够|算|能)", after)
            bare = arabic and alone and not counted and float(number.replace(",", "")) >= 20
            if not (large or bare or (arabic and told)):
                continue
            if arabic and not large and not spoken and float(number.replace(",", "")) < 10:
                continue
            if arabic and not scale and re.fullmatch(r"(?:19|20)\d\d", number) and re.match(r"\s*(?:年|[-/.])", after):
                continue
        value = float(number.replace(",", "")) if arabic else float(_whole(number))
        factor = _FACTOR[match["scale"] or ""]
        value *= factor
        if match["low"]:
            factor = _FACTOR[match["low_scale"]]
            value += int(match["low"]) * factor
        value += to_int(match["tail"]) * factor / 10 if match["tail"] else 0
        value += to_int(match["dime"] or match["half"]) / 10 if match["dime"] or match["half"] else 0
        if 0 < value < _MOST:
            yield Money(round(value, 2), match[0], match.start(), match.end())


@cache
def _jio() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        import jionlp

        return jionlp


def days(plain: str, asked_on: date) -> list[Day]:
    """The days a normalized text names, counted from the day of asking; a day without a year lies in the past."""
    masked = _CITED.sub(lambda m: " " * len(m[0]), plain)
    found: list[Day] = []
    unreal: list[tuple[int, int]] = []
    base = {"year": asked_on.year, "month": asked_on.month, "day": asked_on.day}
    for match in re.finditer(rf"(\d+|[{_CHINESE}]+)个?月(?:以)?前|上个?月|这个月|本月", masked):
        back = _whole(match[1]) if match[1] else 1 if match[0].startswith("上") else 0
        if back > 12 * 50 or (match[1] and not back):
            continue
        year, month = divmod(asked_on.year * 12 + asked_on.month - 1 - back, 12)
        found.append(Day(date(year, month + 1, 1), min(_month_end(year, month + 1), asked_on), match[0], *match.span()))
    for match in re.finditer(r"(今年|去年|前年|\d{4}年)?(\d{1,2})月(\d{1,2})(?:日|号)?", masked):
        back = {"去年": 1, "前年": 2}.get(match[1] or "", 0)
        year = int(match[1][:4]) if match[1] and match[1][0].isdigit() else asked_on.year - back
        try:
            day = date(year, int(match[2]), int(match[3]))
        except ValueError:  # a day no calendar has is no day at all
            unreal.append(match.span())
            continue
        day = _year_before(day) if day > asked_on and not match[1] else day
        found.append(Day(day, day, match[0], *match.span()))
    for match in _MONTH.finditer(masked):
        month = to_int(match[1])
        year = asked_on.year - (month > asked_on.month)
        if 1 <= month <= 12:
            last = min(_month_end(year, month), asked_on)
            found.append(Day(date(year, month, 1), last, match[0], *match.span()))
    for item in _times(masked, base):
        start, end = item["offset"]
        if _NO_DAY.search(item["text"]) or masked[end : end + 1] == "后" or not _DAY.search(item["text"]):
            continue
        if any(a < end and start < b for a, b in [*unreal, *((day.start, day.end) for day in found)]):
            continue
        try:
            first, last = (date.fromisoformat(moment[:10]) for moment in item["detail"]["time"])
        except (ValueError, TypeError):
            continue
        if first > asked_on and re.search(r"[月节一]", item["text"]) and not re.search(r"\d{4}|明年|下", item["text"]):
            first, last = _year_before(first), _year_before(last)
        if first > asked_on:
            continue
        found.append(Day(first, last, item["text"], start, end))
    found = [day for day in found if day.first.year >= 1949 and day.last.year <= asked_on.year + 1]
    return sorted(found, key=lambda day: day.start)


def _times(text: str, base: dict[str, int]) -> list[dict[str, Any]]:
    try:
        items = _jio().ner.extract_time(text, time_base=base, with_parsing=True)
    except Exception:  # noqa: BLE001 - the reader of dates must never cost the user the answer
        return []
    return [item for item in items if item["type"] in ("time_point", "time_span")]


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, _month_end(day.year - 1, day.month).day))


@cache
def _regions() -> list[tuple[str, str, bool]]:
    """(place, province short name, whether it needs a mark after it): provinces, then cities, then county towns."""
    table = _jio().china_location_loader()
    provinces: list[tuple[str, str, bool]] = []
    cities: list[tuple[str, str, bool]] = []
    towns: list[tuple[str, str, bool]] = []
    for name, below in table.items():
        if name.startswith("_"):
            continue
        short = re.sub(r"(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)$", "", name)
        provinces.append((short, short, False))
        for city, counties in below.items():
            if city.startswith("_") or not isinstance(counties, dict):
                continue
            cities.append((re.sub(r"市$", "", city), short, False))
            towns.extend((c[:-1], short, True) for c in counties if c.endswith("市") and len(c) > 2)
    return [region for region in provinces + cities + towns if len(region[0]) >= 2]


def _places(plain: str) -> list[tuple[str, str]]:
    """(province, place) for every place a normalized text names, in order."""
    found: dict[str, tuple[int, str]] = {}
    for place, province, marked in _regions():
        if place not in plain:
            continue
        after = r"(?=市|县|区|的|人|买家|这边|那边|发|$|[\s,,。])" if marked else r"(?!话|菜|口味|大闸蟹|蜜桃|特产)"
        if match := re.search(rf"{place}{after}", plain):
            found.setdefault(place, (match.start(), province))
    return [(province, place) for place, (_, province) in sorted(found.items(), key=lambda item: item[1][0])]
