"""Days and places in free Chinese text."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from advisor.quantities import CHINESE, CITED, whole
from knowledge.numerals import to_int

# A month alone; one with a year beside it is left to the reader of dates.
_MONTH = re.compile(
    r"(?<![\d年个半每零一二两三四五六七八九十])(1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月份?(?!\s*(?:[\d一二三四五六七八九十]|以?[前内后]|[初中上下底末]))"
)


# The reader of dates takes up to 0.1 s a date; a story tells its days early.
READ, MARKS = 1_500, 24
_MARK = re.compile(r"[年月日号天周昨前今]")
_NO_DAY = re.compile(r"第.{1,3}天|内|后|现在|目前|此刻|[一三]时|以来|明天|后天|将来|未来")


_DAY = re.compile(r"[年月日号天周节昨前去上今末旬]|双十|国庆|春节|元旦|\d[-/.]\d")


@dataclass(frozen=True)
class Day:
    """A span of days a text speaks of."""

    first: date
    last: date
    words: str
    start: int
    end: int


@cache
def _jio() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        import jionlp

        return jionlp


def days(plain: str, asked_on: date) -> list[Day]:
    """The days a normalized text names, counted from the day of asking; a day without a year lies in the past."""
    masked = CITED.sub(lambda m: " " * len(m[0]), plain)
    found: list[Day] = []
    unreal: list[tuple[int, int]] = []
    base = {"year": asked_on.year, "month": asked_on.month, "day": asked_on.day}
    for match in re.finditer(rf"(\d{{1,4}}|[{CHINESE}]{{1,6}})个?月(?:以)?前|上个?月|这个月|本月", masked):
        back = whole(match[1]) if match[1] else 1 if match[0].startswith("上") else 0
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
    marks = [mark.start() for mark in _MARK.finditer(text, 0, READ)]
    text = text[: marks[MARKS] if len(marks) > MARKS else READ]
    try:
        items = _jio().ner.extract_time(text, time_base=base, with_parsing=True)
    except Exception:  # noqa: BLE001 - the reader of dates must never cost the user the answer
        return []
    return [item for item in items if item["type"] in ("time_point", "time_span")]


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, _month_end(day.year - 1, day.month).day))


def short_province(name: str) -> str:
    """浙江省 → 浙江, 广西壮族自治区 → 广西."""
    return re.sub(r"(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)$", "", name.strip())


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
        short = short_province(name)
        provinces.append((short, short, False))
        for city, counties in below.items():
            if city.startswith("_") or not isinstance(counties, dict):
                continue
            cities.append((re.sub(r"市$", "", city), short, False))
            towns.extend((c[:-1], short, True) for c in counties if c.endswith("市") and len(c) > 2)
    return [region for region in provinces + cities + towns if len(region[0]) >= 2]


def places(plain: str) -> list[tuple[str, str]]:
    """(province, place) for every place a normalized text names, in order."""
    found: dict[str, tuple[int, str]] = {}
    for place, province, marked in _regions():
        if place not in plain:
            continue
        after = r"(?=市|县|区|的|人|买家|这边|那边|发|$|[\s,,。])" if marked else r"(?!话|菜|口味|大闸蟹|蜜桃|特产)"
        if match := re.search(rf"{place}{after}", plain):
            found.setdefault(place, (match.start(), province))
    return [(province, place) for place, (_, province) in sorted(found.items(), key=lambda item: item[1][0])]
