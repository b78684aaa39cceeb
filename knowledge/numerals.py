"""Article numbers between the law's words (第二百五十三条之一) and ours ("253之一")."""

from __future__ import annotations

import re

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
NUMERAL = r"[0-90-9]{1,8}|[零〇一二两三四五六七八九十百千]{1,8}"


def to_int(numeral: str) -> int:
    """Read ``58``, ``58`` or ``五十八``; raises ``ValueError`` for anything else."""
    numeral = numeral.strip()
    if numeral.isdigit():
        return int(numeral)
    if not re.fullmatch(r"[零〇一二两三四五六七八九十百千]+", numeral):
        raise ValueError(f"“{numeral}”不是数字")
    if not re.search(r"[十百千]", numeral):
        return int("".join(str(_DIGITS[c]) for c in numeral))
    total, digit = 0, 0
    for char in numeral:
        if char in _UNITS:
            total += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return total + digit


def to_chinese(number: int) -> str:
    """Write 1 to 9999 as the law does: 10 → 十, 110 → 一百一十, 1008 → 一千零八."""
    if not 0 < number < 10000:
        raise ValueError(f"条号超出范围:{number}")
    words, pending_zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            words += ("零" if pending_zero else "") + "零一二三四五六七八九"[digit] + name
            pending_zero = False
        elif words and number:
            pending_zero = True
    return words.removeprefix("一") if words.startswith("一十") else words


def heading(article: str) -> str:
    """The law's name of an article: "253之一" → 第二百五十三条之一; what has no number stays as it is."""
    match = re.fullmatch(r"(\d+)(之.+)?", article)
    if match and 0 < int(match[1]) < 10_000:
        return f"第{to_chinese(int(match[1]))}条{match[2] or ''}"
    return f"第{article}条" if match else article


def article_of(text: str) -> str:
    """The article a heading names: 第二百五十三条之一 → "253之一"; what is no article number stays as it is."""
    match = re.fullmatch(rf"第({NUMERAL})条(之[一二三四五六七八九十]+)?", text.strip())
    return f"{to_int(match[1])}{match[2] or ''}" if match else text.strip()


def asked_article(text: str) -> str:
    """The article someone types: 58, 五十八, 第五十八条, 253之一, 第二百五十三条之一; other words stay as they are."""
    match = re.fullmatch(rf"第?({NUMERAL})条?(之[一二三四五六七八九十]+)?条?", text.strip())
    return f"{to_int(match[1])}{match[2] or ''}" if match else text.strip()


def sort_key(article: str) -> tuple[int, int, str]:
    """Orders articles as the law does; those without a number come last."""
    match = re.fullmatch(r"(\d+)(?:之(.+))?", article)
    return (int(match[1]), to_int(match[2]) if match[2] else 0, "") if match else (10_000, 0, article)
