"""Numbers in free Chinese text: sums of money, counts and ages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from advisor.phrases import Phrases
from knowledge.numerals import to_int

CHINESE = "零一二两三四五六七八九十百千万"
# A number beside one of these measures something else than money.
_UNITS = (
    r"单|个|件|次|天|日|月|年|号|条|岁|人|斤|包(?!邮)|双|kg|公斤|%|盒|只|瓶|分|点|小时|g|克|倍|家|张|套|款|袋|里|公里|笔|米|级"
    r"|后|周|码|页|项|支|台|部|箱|份|回|折|寸|层|成|位|通|遍|句|把|名|档|组|轮|批|秒|度|升|ml|cm|mm"
)
_COUNTER = re.compile(rf"\s*(?:{_UNITS})")
_LAST = rf"[1-9一二三四五六七八九](?!\s*(?:[\d.{CHINESE}]|{_UNITS}))"
_MONEY = re.compile(
    rf"(?<![\d.〔a-z])(?P<mark>¥|rmb\s*)?"
    rf"(?P<number>\d{{1,15}}(?:,\d{{3}}){{0,4}}(?:\.\d{{1,8}})?|(?<![几数])[{CHINESE}]{{1,16}})"
    rf"(?:(?P<scale>万|千|百|k|w)(?:零?(?P<low>[\d一二三四五六七八九]{{1,4}})(?P<low_scale>千|百))?(?P<tail>{_LAST})?)?"
    rf"(?P<more>多|余|来|几|出头)?"
    rf"(?:(?P<unit>元|块钱?|rmb|圆|大洋)(?:(?P<dime>[1-9一二三四五六七八九])[角毛]|(?<=块)(?P<half>{_LAST}))?)?"
)
_MOST = 1e12
_FACTOR = {"": 1, "百": 100, "千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000}
_DATED = re.compile(r"\s*[-/.:]\s*\d|\s*[年月]")
# What may stand after a sum told without its unit.
_ALONE = re.compile(
    r"\s*(?:[,。;!?、\s]|$|[一二三](?:家|单|个|次|箱|件|盒|双|条|瓶|袋|份|笔|张|台|部)|[的多和跟与及加啊呢吧呀吗嘛])"
)
_COUNT = re.compile(
    rf"(?P<number>(?<![\d.])\d{{1,7}}|(?<![{CHINESE}])[{CHINESE}]{{1,12}})(?P<more>多|余|来|几)?\s*(?=[单次笔回起个家张])"
)
AGE = re.compile(
    rf"(?P<number>(?<!\d)\d{{1,2}}|[{CHINESE}]{{1,3}})周?岁|(?:才|刚|今年|只有)(?:满)?(?P<bare>1\d|十[一二三四五六七八])(?![\d元块单天个月年件次号:.])"
)
UNDER_AGE = re.compile(
    rf"(?:没|未|不|不到|没到|差几个月|还没)满?\s*(?P<number>1[0-8]|十[二三四五六七八]?)(?:周?岁|(?![\d{CHINESE}元块单天个]))"
)
CITED = re.compile(
    rf"(?:[〔\[(]\d{{4}}[〕\])]\s*\d+\s*号|\d{{4}}\s*年?(?:修订|修正|公布|版)|第?[\d{CHINESE}]{{1,12}}\s*条)"
    r"|(?:刑法|民法典|消法|治安法)\s*\d+"
)


@dataclass(frozen=True)
class Money:
    """An amount found in a text, in yuan; ``sure`` when its own words show it to be one (86元, 两千三, 3k)."""

    value: float
    start: int
    end: int
    sure: bool


@dataclass(frozen=True)
class Count:
    """A number of things found in a text; ``more`` when it is told as that many and some."""

    value: int
    more: bool
    start: int
    end: int


def counts(plain: str, most: int) -> Iterator[Count]:
    """The first numbers of a normalized text that count something."""
    for match in islice(_COUNT.finditer(plain), most):
        yield Count(whole(match["number"]), match["more"] is not None, *match.span())


def whole(words: str) -> int:
    """Reads 40, 四十, 两千三 (2300), 一万二 (12000), 三四 (4), 三四百 (400); 0 for what is no number (万万)."""
    if re.fullmatch("[一二三四五六七八九]{2}", words):
        words = words[1]
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


def money(plain: str, phrases: Phrases, most: int) -> Iterator[Money]:
    """The first amounts a normalized text names, however written: 86元, 1280.5, 两千三, 3k, 五千多, 1.2万."""
    masked = CITED.sub(lambda m: " " * len(m[0]), plain)
    for match in _MONEY.finditer(masked):
        if most <= 0:
            return
        if _is_sum(masked, match, phrases) and 0 < (value := _yuan(match)) < _MOST:
            most -= 1
            yield Money(value, *match.span(), sure=bool(match["mark"] or match["unit"] or _large(match)))


def _is_sum(plain: str, match: re.Match[str], phrases: Phrases) -> bool:
    """Whether a number is a sum of money, by its unit or else by what stands around it."""
    number, after = match["number"], plain[match.end() : match.end() + 12]
    arabic = number[0].isdigit()
    if match["mark"] or (match["unit"] or "块") != "块":
        return True
    around = f"{plain[max(0, match.start() - 12) : match.start()]}¤{after}"
    if phrases.find("amount.no_sum", around):
        return False
    if match["unit"]:
        return True
    if _COUNTER.match(after) or _DATED.match(after) or phrases.find("amount.hotline", number):
        return False
    if _large(match):
        return True
    spoken = phrases.find("amount.spoken", around)
    if not arabic:
        return len(number) > 1 and any(
            phrases.find(f"amount.{kind}", around) for kind in ("refund", "each", "demanded")
        )
    size = float(number.replace(",", ""))
    bare = bool(_ALONE.match(after)) and len(number) <= 6 and size >= 20
    return bare or bool(spoken and size >= 10) or bool(spoken and "." in number)


def _large(match: re.Match[str]) -> bool:
    return bool(match["scale"]) or (
        not match["number"][0].isdigit() and re.search("[百千万]", match["number"]) is not None
    )


def _yuan(match: re.Match[str]) -> float:
    number = match["number"]
    value = float(number.replace(",", "")) if number[0].isdigit() else float(whole(number))
    factor = _FACTOR[match["scale"] or ""]
    value *= factor
    if match["low"]:
        factor = _FACTOR[match["low_scale"]]
        value += whole(match["low"]) * factor
    value += to_int(match["tail"]) * factor / 10 if match["tail"] else 0
    small = match["dime"] or match["half"]
    return round(value + (to_int(small) / 10 if small else 0), 2)


def age(plain: str) -> Count | None:
    """The first age a normalized text tells: 十三岁, 才15, 没满16 (15)."""
    for pattern, off in ((UNDER_AGE, 1), (AGE, 0)):
        for match in islice(pattern.finditer(plain), 8):
            years = whole(match["number"] or match["bare"] if pattern is AGE else match["number"]) - off
            if 0 < years < 120:
                return Count(years, False, *match.span())
    return None
