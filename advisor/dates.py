"""Finds the days a Chinese text speaks of, each by itself."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import islice
from typing import Any

from advisor.phrases import Phrases
from advisor.quantities import CHINESE, whole
from knowledge.numerals import to_int

# The reader of dates takes up to 0.1 s a date; a story tells its days early.
READ, MARKS, MOST = 1_500, 24, 40
_MARK = re.compile(r"[年月日号天周昨前今]")
# A month alone; one with a year beside it is left to the reader of dates.
_MONTH = re.compile(
    r"(?<![\d年个半每零一二两三四五六七八九十])(1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月份?"
    r"(?!\s*(?:[\d二三四五六七八九十]|一(?!共|直|起|个)|以?[前内后]|[初中上下底末旬]))"
)
_BACK = re.compile(
    rf"(?P<number>\d{{1,4}}|[{CHINESE}]{{1,6}})个?月(?:以|之)?前|(?P<half>半年)(?:多)?(?:以|之)?前"
    rf"|(?:(?P<last>上{{1,3}})个?月|这个?月|本月)(?P<part>月?[初中底末]|[上中下]旬)?(?![\d{CHINESE}])"
)
_PARTS = {"初": (1, 10), "上": (1, 10), "中": (11, 20), "底": (21, 31), "末": (21, 31), "下": (21, 31)}
_FULL = re.compile(
    r"(今年|去年|前年|\d{4}年|2\d年)?(?:(\d{1,2})月(\d{1,2})(?:日|号)?"
    r"|(?<![\d.])(1[0-2]|[1-9])\.([12]\d|3[01]|[1-9])(?:日|号|(?=那天|下单|签收|申请|报[警案]|收到|[他她我买][^\d]{0,4}[退申签下收报])))"
)
_NO_DAY = re.compile(
    r"^(?:早上|早晨|晚上|上午|下午|中午|凌晨|半夜|夜里|傍晚)[\d点半]*$|第.{1,3}天|内|后|现在|目前|此刻|[一三]时|以来|明天|后天|将来|未来|^前.{1,3}天"
)
_DAY = re.compile(r"[年月日号天周节昨前去上今末旬]|礼拜|星期|双十|国庆|元旦|端午|中秋|清明|七夕|五一|\d[-/.]\d")
_WEEKDAY = re.compile(r"(?:周|星期|礼拜)[一二三四五六日天末]")


@dataclass(frozen=True)
class Day:
    """A span of days a text speaks of, and where it does.

    ``dated`` when it tells its year; ``later`` when it is told as so many days after the day before it ("第二天").
    """

    first: date
    last: date
    start: int
    end: int
    dated: bool = True
    later: int | None = None


@cache
def jio() -> Any:
    """JioNLP, loaded without its greeting."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        import jionlp

    # It writes a traceback to the log for every date it can't read.
    logging.getLogger().addFilter(lambda record: "jionlp" not in record.pathname)
    return jionlp


def named(masked: str, asked_on: date, phrases: Phrases) -> Iterator[Day]:
    """Days with names of their own (双十一, 国庆期间, 刚才), as the lexicon has them."""
    for value, patterns in phrases.values("date.named"):
        for pattern in patterns:
            for match in islice(pattern.finditer(masked), MOST):
                if value == "0":
                    yield Day(asked_on, asked_on, *match.span())
                    continue
                said = re.search(r"今年|去年|前年|(\d{4})年", match[0])
                back = {"去年": 1, "前年": 2}.get(said[0], 0) if said else 0
                year = int(said[1]) if said and said[1] else asked_on.year - back
                first, last = (
                    date.fromisoformat(f"{year}-{day}") for day in (value.split("至")[0], value.split("至")[-1])
                )
                first = _year_before(first) if first > last else first
                if first > asked_on and not said:
                    first, last = _year_before(first), _year_before(last)
                if first <= asked_on:
                    yield Day(first, min(last, asked_on), *match.span())


def months_back(masked: str, asked_on: date) -> Iterator[Day]:
    """三个月前, 半年前, 上个月, 上个月底: the whole month, or the part of it."""
    for match in islice(_BACK.finditer(masked), MOST):
        number = match["number"]
        back = whole(number) if number else 6 if match["half"] else len(match["last"] or "")
        if back > 12 * 50 or (number and not back):
            continue
        year, month = divmod(asked_on.year * 12 + asked_on.month - 1 - back, 12)
        last = _month_end(year, month + 1)
        begin, end = _PARTS[match["part"].removeprefix("月")[0]] if match["part"] else (1, 31)
        first, last = date(year, month + 1, begin), last.replace(day=min(end, last.day))
        if first <= asked_on:
            yield Day(first, min(last, asked_on), *match.span())


def of_month(masked: str, asked_on: date) -> Iterator[Day]:
    """3月12日, 3月; a day no calendar has comes out with its end before its beginning."""
    for match in islice(_FULL.finditer(masked), MOST):
        said = match[1]
        back = {"去年": 1, "前年": 2}.get(said or "", 0)
        year = int(said[:-1]) % 2000 + 2000 if said and said[0].isdigit() and len(said) == 3 else asked_on.year - back
        year = int(said[:4]) if said and len(said) == 5 else year
        try:
            day = date(year, int(match[2] or match[4]), int(match[3] or match[5]))
        except ValueError:
            yield Day(date.max, date.min, *match.span())
            continue
        day = _year_before(day) if day > asked_on and not said else day
        yield Day(day, day, *match.span(), dated=said is not None)
    for match in islice(_MONTH.finditer(masked), MOST):
        month = to_int(match[1])
        year = asked_on.year - (month > asked_on.month)
        yield Day(date(year, month, 1), min(_month_end(year, month), asked_on), *match.span(), dated=False)


def parsed(masked: str, asked_on: date) -> Iterator[tuple[int, int, date, date]]:
    """(start, end, first, last) of what the reader of dates finds; an undated day to come lies in the past."""
    for item in _times(masked, {"year": asked_on.year, "month": asked_on.month, "day": asked_on.day}):
        start, end = item["offset"]
        words = item["text"]
        if _NO_DAY.search(words) or masked[end : end + 1] == "后" or not _DAY.search(words):
            continue
        try:
            time = item["detail"]["time"]
            time = time["point"]["time"] if isinstance(time, dict) else time  # 从今年5月起每个月
            first, last = (date.fromisoformat(moment[:10]) for moment in time)
        except (ValueError, TypeError, KeyError):
            continue
        if first > asked_on and _WEEKDAY.match(words):
            first, last = first - timedelta(days=7), last - timedelta(days=7)
        if first > asked_on and re.search(r"[月节一号日]", words) and not re.search(r"\d{4}|明年|下", words):
            back = _month_before if not re.search(r"[月节一]", words) else _year_before
            first, last = back(first), back(last)
        yield start, end, first, min(last, asked_on) if first <= asked_on else last


def _times(text: str, base: dict[str, int]) -> list[dict[str, Any]]:
    marks = [mark.start() for mark in _MARK.finditer(text, 0, READ)]
    text = text[: marks[MARKS] if len(marks) > MARKS else READ]
    try:
        items = jio().ner.extract_time(text, time_base=base, with_parsing=True)
    except Exception:  # noqa: BLE001 - the reader of dates must never cost the user the answer
        return []
    return [item for item in items if item["type"] in ("time_point", "time_span", "time_period")]


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def in_year(day: date, year: int) -> date:
    """The same day in another year, or that month's last day."""
    return day.replace(year=year, day=min(day.day, _month_end(year, day.month).day))


def _year_before(day: date) -> date:
    return in_year(day, day.year - 1)


def _month_before(day: date) -> date:
    year, month = divmod(day.year * 12 + day.month - 2, 12)
    return date(year, month + 1, min(day.day, _month_end(year, month + 1).day))
