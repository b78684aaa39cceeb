"""Amounts, counts and ages in free Chinese text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.numerals import to_int

CHINESE = "零一二两三四五六七八九十百千万"


_UNITS = (
    r"单|个|件|次|天|日|月|年|号|条|岁|人|斤|包|双|kg|公斤|%|盒|只|瓶|分|点|小时|g|克|倍|家|张|套|款|袋|里|公里|笔|米|级"
    r"|后|周|码|页|项|支|台|部|箱|份"
)


_COUNTER = re.compile(rf"^\s*(?:{_UNITS})")


_LAST = rf"[1-9一二三四五六七八九](?!\s*(?:[\d.{CHINESE}]|{_UNITS}))"


_MONEY = re.compile(
    rf"(?<![\d.〔])(?P<mark>¥|rmb\s*)?(?P<number>\d{{1,15}}(?:,\d{{3}}){{0,4}}(?:\.\d{{1,8}})?|[{CHINESE}]+)"
    rf"(?:(?P<scale>万|千|百|k|w)(?:(?P<low>\d+)(?P<low_scale>千|百))?(?P<tail>{_LAST})?)?(?P<more>多|余|来|几)?"
    rf"(?:(?P<unit>元|块钱?|rmb|圆)(?:(?P<dime>[1-9一二三四五六七八九])[角毛]|(?<=块)(?P<half>{_LAST}))?)?"
)


_MOST = 1e12


_FACTOR = {"": 1, "百": 100, "千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000}


COUNT = re.compile(
    rf"(?P<number>(?<!\d)\d{{1,7}}|(?<![{CHINESE}])[{CHINESE}]{{1,12}})(?P<more>多|余|来|几)?\s*(?:单|次|笔|起|个订单|张订单)(?!价|号|销售|加工|元)"
)


AGE = re.compile(rf"(?P<number>\d{{1,2}}|[{CHINESE}]{{1,3}})周?岁|才(?P<bare>1\d)(?!\d|元|块|单)")


UNDER_AGE = re.compile(
    rf"(?:没|未|不|不到|没到)满?\s*(?P<number>1[0-8]|十[二三四五六七八]?)(?:周?岁|(?![\d{CHINESE}元块单天个]))"
)


CITED = re.compile(
    rf"(?:[〔\[(]\d{{4}}[〕\])]\s*\d+\s*号|\d{{4}}\s*年?(?:修订|修正|公布|版)|第?[\d{CHINESE}]{{1,12}}\s*条)|(?:刑法|民法典|消法|治安法)\s*\d+"
)


@dataclass(frozen=True)
class Money:
    """An amount found in a text, in yuan."""

    value: float
    words: str
    start: int
    end: int


def is_standard(plain: str, item: Money) -> bool:
    """Whether an amount is a line somebody speaks of ("三千块以下") and not a sum involved."""
    return bool(re.match(r"(?:元|块钱?)?\s*(?:以下|以上|以内|起步|起点|门槛|标准)", plain[item.end :]))


def denied(plain: str, start: int) -> bool:
    """Whether what begins there is what somebody says it is not ("不是3000")."""
    return bool(re.search(r"(?:不是|并非|没有|不到|没到)$", plain[max(0, start - 12) : start].rstrip()))


def whole(words: str) -> int:
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
    masked = CITED.sub(lambda m: " " * len(m[0]), plain)
    for match in _MONEY.finditer(masked):
        number, scale, unit = match["number"], match["scale"], match["unit"]
        after = masked[match.end() : match.end() + 24]
        arabic = number[0].isdigit()
        large = bool(scale) or (not arabic and re.search(r"[百千万]", number))
        if not (unit or match["mark"]):
            if _COUNTER.match(after) or re.match(r"\s*[-/.:年月]", after):
                continue
            before = masked[max(0, match.start() - 24) : match.start()]
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
        value = float(number.replace(",", "")) if arabic else float(whole(number))
        factor = _FACTOR[match["scale"] or ""]
        value *= factor
        if match["low"]:
            factor = _FACTOR[match["low_scale"]]
            value += int(match["low"]) * factor
        value += to_int(match["tail"]) * factor / 10 if match["tail"] else 0
        value += to_int(match["dime"] or match["half"]) / 10 if match["dime"] or match["half"] else 0
        if 0 < value < _MOST:
            yield Money(round(value, 2), match[0], match.start(), match.end())
