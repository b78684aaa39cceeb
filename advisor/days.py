"""The days a turn of the user's names, in order and in their years."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

from advisor.dates import MOST, Day, in_year, months_back, named, of_month, parsed
from advisor.phrases import Phrases
from advisor.quantities import CHINESE, CITED, whole

_LATER = re.compile(
    rf"当[天日]|(?P<next>第二天|隔天|次日)|(?<!超)(?<!经)过(?:了)?(?P<number>\d{{1,2}}|[{CHINESE}]{{1,3}})天"
)
_TO = re.compile(r"(?:号|日|份)?(?:开始|起)?,?(?:一直)?(?:到|至|—+|-+|~)")
_UNTIL_NOW = re.compile(r"(?:开始|起)?,?(?:一直)?(?:到|至)(?:现在|今天|目前|如今|这个月)")


def days(plain: str, asked_on: date, phrases: Phrases) -> list[Day]:
    """The days a normalized text names, counted from the day of asking; a day without a year lies in the past."""
    masked = CITED.sub(lambda m: " " * len(m[0]), plain)
    masked = re.sub(r"[从自](?=[今去前]年|\d)", " ", masked)  # the reader of dates takes 从三月 as lasting to this day
    found: list[Day] = []
    unreal: list[tuple[int, int]] = []
    for day in (*named(masked, asked_on, phrases), *months_back(masked, asked_on), *of_month(masked, asked_on)):
        if day.first > day.last:
            unreal.append((day.start, day.end))
        elif not _overlap(day.start, day.end, found):
            found.append(day)
    for start, end, first, last in parsed(masked, asked_on):
        if not _overlap(start, end, found) and not any(a < end and start < b for a, b in unreal):
            found.append(Day(first, last, start, end, bool(re.search(r"年|\d{4}", masked[start:end]))))
    for match in islice(_LATER.finditer(masked), MOST):
        off = 1 if match["next"] else whole(match["number"]) if match["number"] else 0
        found = [day for day in found if not _overlap(*match.span(), [day])]
        found.append(Day(asked_on, asked_on, *match.span(), later=off))
    found = sorted(
        (day for day in found if day.first.year >= 1949 and day.first <= asked_on), key=lambda day: day.start
    )
    return list(_in_order(found, masked, asked_on))


def _in_order(found: list[Day], masked: str, asked_on: date) -> Iterator[Day]:
    """The days, the later end of a span in the year of its beginning, or up to the day of asking."""
    before: Day | None = None
    for day in found:
        if day.later is not None:
            then = before.first + timedelta(days=day.later) if before and before.first == before.last else None
            if then is None or then > asked_on:
                continue
            day = replace(day, first=then, last=then)
        if before and before.dated and not day.dated and _TO.fullmatch(masked[before.end : day.start]):
            year = before.first.year + ((day.first.month, day.first.day) < (before.first.month, before.first.day))
            first, last = in_year(day.first, year), in_year(day.last, year)
            if first <= asked_on:
                day = replace(day, first=first, last=last if day.last < asked_on else asked_on, dated=True)
        if until := _UNTIL_NOW.match(masked, day.end):
            day = replace(day, last=asked_on, end=until.end())
        yield day
        before = day


def _overlap(start: int, end: int, found: list[Day]) -> bool:
    return any(day.start < end and start < day.end for day in found)
