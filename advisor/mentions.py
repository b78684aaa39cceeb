"""Finds every provision a text names, however it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from knowledge.library import Library
from knowledge.numerals import NUMERAL, to_int

_SUB = r"之[一二三四五六七八九十]"


_ITEM = (
    rf"第?\s*(?P<number>{NUMERAL})\s*条?\s*(?P<sub>{_SUB})?\s*条?"
    rf"(?:[ 　]*第\s*(?P<paragraph>{NUMERAL})\s*款)?(?:\s*第?[((]?(?:{NUMERAL})[))]?项)?"
)


_NOT_ARTICLE = (
    r"(?!\s*(?:元|块|日|天|年|月|号|个|种|大|类|编|章|节|回|版|万|千元|倍|次|单|人|岁|件|%|%|[.:::]\d|[-—至到]))"
)


_LIST = re.compile(_ITEM)


_OUTLINE = re.compile(r"(?P<major>[一二三四五六七八九十]+)、?\((?P<minor>[一二三四五六七八九十]+)\)")


_JOIN = re.compile(
    r"\s*(?:、|和|及|与|以及|,|,)\s*(?=第?\s*[0-90-9零〇一二两三四五六七八九十百千])"
    rf"|\s*(?:至|到|[-—–~])\s*(?=第?\s*(?:{NUMERAL})\s*条)"
)


_BARE = re.compile(rf"(?:第\s*|(?<=[法例定释]))(?:{NUMERAL})\s*条(?:{_SUB})?")


_DOCUMENT = (
    r"(?:[法高检发释公通字国信办苏粤鄂云沪政令第]{1,8}[〔\[((【]\d{4}[〕\]))】]\s*\d+\s*号"
    rf"|(?:主席|国务院|公安部|(?:国家)?市场(?:监管|监督管理)总局|国家网信办)令第\s*(?:{NUMERAL})\s*号)"
)


_VERSION = r"\d{4}年?(?:修订|修正|公布|版)"


_QUOTED = r"[“\"](?P<words>[^“”\"]{%d,})[”\"]"


_QUOTES = (
    re.compile(r"[的,:\s]*" + _QUOTED % 10),
    re.compile(r"(?:规定|明确|写明|写道|原文|内容|指出)[^。“”\"]{0,12}" + _QUOTED % 10),
    re.compile(r"[的,]?(?:明确)?(?:规定|写道|原文):" + _QUOTED % 4),
)


# The name of a law we don't hold, written without 《》 right before an article.
_UNLISTED = re.compile(
    r"([\u4e00-\u9fff]{1,30}?(?:法|条例|办法|规定|解释|意见|规则|通则|修正案)(?:\([一二三四五六七八九十]+\))?)的?\s*$"
)


_LEADING = re.compile(r"^.*(?:根据|依据|依照|按照|参照|违反|适用|触犯|符合|属于|引用|以及|[和与])|^[按看查见]")


_NO_NAME = re.compile(r"^(?:[本该此其这那]|上述|前述|相关|有关|.?规定$|.法$)")


@dataclass(frozen=True)
class Mention:
    """One article a text names. ``law`` is as written; None where only a number stands."""

    text: str
    law: str | None
    document: str | None
    version: str | None
    article: str
    paragraph: int | None
    start: int
    sentence: str
    quote: str | None


@cache
def _name_pattern(library: Library) -> re.Pattern[str]:
    names = sorted({unicodedata.normalize("NFKC", name) for name in library.names}, key=len, reverse=True)
    known = "|".join(re.escape(name) for name in names)
    title = r"《(?P<title>(?:[^《》<>\[\]!`|\n]|《[^《》<>\[\]!`|\n]*》){2,80})》"
    return re.compile(
        rf"(?P<year>{_VERSION}的?)?(?:{title}|(?P<name>{known})"
        rf"|(?P<anaphor>该法|(?<!合)同法|本法|该解释|该办法|该条例|该规定)|(?P<lone>{_DOCUMENT}))"
        rf"(?:[((](?P<note>[^()()]{{2,30}})[))])?\s*(?P<year2>{_VERSION})?\s*(?P<doc2>{_DOCUMENT})?(?:的|中|里)?"
        rf"(?:\s*(?=第?\s*(?:{NUMERAL}))|(?:(?:相关|有关)?规定(?:的|中)?)?[,:]?\s*(?=第\s*(?:{NUMERAL})\s*条))"
    )


@cache
def _topic_pattern(library: Library) -> re.Pattern[str]:
    """A law named without an article: what a bare number after it means."""
    names = {s.short for s in library.statutes.values()} | {n for n in library.names if len(n) > 3}
    known = "|".join(re.escape(unicodedata.normalize("NFKC", n)) for n in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"《(?P<title>[^《》<>\[\]!`|\n]{{1,60}}(?:法|典|条例|办法|规定|解释|意见|规则|通则))》|(?P<name>{known})"
    )


def document_number(document: str) -> str:
    """A document number in one form: 国家市场监督管理总局令第一百二十一号 → 市场监管总局令第121号."""
    plain = squash(document).replace("国家市场监督管理总局", "市场监管总局")
    return re.sub(rf"第({NUMERAL})号", lambda m: f"第{to_int(m[1])}号", plain)


def find(text: str, library: Library) -> Iterator[Mention]:
    """Every article a text names, one mention an article, in order of appearance."""
    text = _flat(text)
    taken = 0
    last: tuple[str | None, str | None, str | None, int] = (None, None, None, -1)  # law, document, version, line
    marks = sorted(
        [(m.start(), 0, m) for m in _name_pattern(library).finditer(text)]
        + [(m.start(), 1, m) for m in _BARE.finditer(text)]
        + [(m.start(), 2, m) for m in _topic_pattern(library).finditer(text)],
        key=lambda mark: mark[:2],
    )
    for start, kind, match in marks:
        if start < taken:
            continue
        line = text.count("\n", 0, start)
        if kind == 2:
            last = (match["title"] or match["name"], None, None, line)
            taken = match.end()
            continue
        if kind == 0:
            law, document, version = _named(match.groupdict(), last)
            if match["name"] and text[:start].endswith(("法", "典")):  # 食品安全法 + 实施条例 is neither by itself
                law = _unlisted(text[: match.end("name")]) or law
            position = match.end()
            last = (law, document, version, line)
        else:
            law, document, version = last[:3] if last[3] == line else (None, None, None)
            if unlisted := _unlisted(text[:start]):
                law, document, version = unlisted, None, None
                last = (law, document, version, line)
                position, start = start, text.rfind(unlisted, 0, start)
            else:
                position = start
        sentence_start = max(text.rfind(mark, 0, start) for mark in "。!?\n;") + 1
        ends = [end for mark in "。!?\n;" if (end := text.find(mark, position)) >= 0]
        sentence = text[sentence_start : min(ends, default=len(text))]
        first = True
        while item := _LIST.match(text, position):
            outline = _OUTLINE.match(text, position) if first and kind == 0 else None
            if not outline and not _is_article(item, text, first, law):
                break
            position = outline.end() if outline else item.end()
            yield Mention(
                text=(text[start:position] if first else item[0]).strip(),
                law=law,
                document=document,
                version=version,
                article=f"{outline['major']}({outline['minor']})" if outline else _article(item),
                paragraph=to_int(item["paragraph"]) if item["paragraph"] and not outline else None,
                start=start if first else item.start(),
                sentence=sentence,
                quote=_quote(text, position, min(ends, default=len(text))),
            )
            first, taken = False, position
            joined = _JOIN.match(text, position)
            if not joined:
                break
            position = joined.end()


def _article(item: re.Match[str]) -> str:
    return f"{to_int(item['number'])}{item['sub'] or ''}"


def _is_article(item: re.Match[str], text: str, first: bool, law: str | None) -> bool:
    """A number with 条 is an article; another only right after a law and where it counts nothing else."""
    if "条" in item[0]:
        return True
    after = text[item.end() :]
    if not item["number"].isdigit() and not _JOIN.match(after):
        return False
    return bool(re.match(_NOT_ARTICLE, after)) and (first or law is not None)


def _unlisted(before: str) -> str | None:
    """The law named right before an article that no name of ours matched."""
    match = _UNLISTED.search(before[-40:])
    if not match:
        return None
    name = _LEADING.sub("", match[1])
    return None if len(name) < 3 or _NO_NAME.match(name) else name


def _quote(text: str, position: int, end: int) -> str | None:
    """The words in quotation marks that are said to be the article's, up to the next article named."""
    tail = text[position : min(end, position + 400) + 300]
    sentence = tail.split("。")[0]
    following = _BARE.search(tail)
    limit = following.start() if following else len(tail)
    found = _QUOTES[0].match(tail) or _QUOTES[2].match(tail) or _QUOTES[1].match(tail.lstrip("的,:"))
    found = found or _QUOTES[1].search(sentence)
    return found["words"] if found and found.start("words") <= limit else None


def _flat(text: str) -> str:
    """Half-width forms, character by character, so that positions stay those of the text."""
    forms = ((char, unicodedata.normalize("NFKC", char)) for char in text.replace("「", "“").replace("」", "”"))
    return "".join(form if len(form) == 1 else char for char, form in forms)


def _named(
    groups: dict[str, str | None], last: tuple[str | None, str | None, str | None, int]
) -> tuple[str | None, str | None, str | None]:
    if groups["anaphor"]:
        return last[0], None, last[2]
    law = groups["title"] or groups["name"]
    document, version = groups["lone"] or groups["doc2"], groups["year"] or groups["year2"]
    if law and (dated := re.fullmatch(r"(.+)\((\d{4}[^()]*)\)", law)):
        law, version = dated[1], dated[2]
    if note := groups["note"]:
        if re.search(_DOCUMENT, note):
            document = note
        elif re.match(r"\d{4}", note):
            version = note
        elif law:
            law = f"{law}({note})"
    return law, document, version


def squash(text: str | None) -> str:
    """Without white space and with one form of punctuation and brackets."""
    plain = unicodedata.normalize("NFKC", text or "")
    return re.sub(r"[\s,.;:!?、。“”\"'‘’()〔〕\[\]【】《》〈〉<>·—–-]", "", plain)
