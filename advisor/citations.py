"""Finds every provision a text cites and judges each one by itself: one true citation excuses no false one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from pydantic import BaseModel

from knowledge.library import Library, has_article
from knowledge.numerals import NUMERAL, heading, to_int
from knowledge.schema import Statute

Status = Literal[
    "unknown_law",
    "not_found",
    "not_held",
    "not_yet_in_force",
    "repealed",
    "paragraph_missing",
    "misquoted",
    "title_mismatch",
    "unclear",
    "in_force",
]
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


class Judgement(BaseModel):
    """What the check says of one mention."""

    text: str
    law: str | None
    version: str | None
    article: str
    status: Status
    why: str
    replaced_by: str | None = None


def check(text: str, library: Library, on: date) -> list[Judgement]:
    """Judge every citation of a text as of a day, in order of appearance; an empty list is not a pass."""
    return [judge(mention, library, on) for mention in find(text, library)]


@cache
def _name_pattern(library: Library) -> re.Pattern[str]:
    names = sorted({unicodedata.normalize("NFKC", name) for name in library.names}, key=len, reverse=True)
    known = "|".join(re.escape(name) for name in names)
    title = r"《(?P<title>(?:[^《》]|《[^《》]*》){2,80})》"
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
    return re.compile(rf"《(?P<title>[^《》]{{1,60}}(?:法|典|条例|办法|规定|解释|意见|规则|通则))》|(?P<name>{known})")


@cache
def _documents(library: Library) -> dict[str, list[Statute]]:
    found: dict[str, list[Statute]] = {}
    for statute in library.statutes.values():
        if statute.document_number:
            found.setdefault(_number(statute.document_number), []).append(statute)
    return found


def _number(document: str) -> str:
    """A document number in one form: 国家市场监督管理总局令第一百二十一号 → 市场监管总局令第121号."""
    plain = _squash(document).replace("国家市场监督管理总局", "市场监管总局")
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
    tail = text[position : end + 300]
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


def judge(mention: Mention, library: Library, on: date) -> Judgement:
    """Judge one mention as of a day: the first status that fits, in the order of :data:`Status`."""

    def say(status: Status, why: str, statute: Statute | None = None, replaced_by: str | None = None) -> Judgement:
        return Judgement(
            text=mention.text,
            law=statute.short if statute else mention.law,
            version=statute.version if statute else None,
            article=mention.article,
            status=status,
            why=why,
            replaced_by=replaced_by,
        )

    if mention.law is None and mention.document is None:
        return say("unclear", "没有写是哪部法")
    named = _versions(library, mention.law) if mention.law else []
    numbered = _documents(library).get(_number(mention.document), []) if mention.document else []
    if not (named or numbered):
        return say("unknown_law", f"没有收录“{mention.law or mention.document}”")
    versions = named or numbered
    mismatch = _mismatch(mention, named, numbered)
    if mention.version:
        dated = [s for s in versions if s.version[:4] == mention.version[:4]]
        mismatch = mismatch or not dated
        versions = dated or versions
    having = [s for s in versions if has_article(s, mention.article)]
    name = versions[0].short
    if not having:
        return say("not_found", f"{name}没有{heading(mention.article)}(条号范围 {_range(versions[0])})", versions[0])
    statute = _meant(mention, having, on)
    if mention.article not in statute.texts:
        return say("not_held", f"{name}有{heading(mention.article)},本库没有收录原文,不能核对", statute)
    provision = library.provisions[f"{statute.id}/{mention.article}"]
    if on < provision.effective:
        return say("not_yet_in_force", f"{provision.effective} 起才施行", statute)
    if provision.repealed and on >= provision.repealed:
        successor = _successor(library, statute, mention.article)
        replaced = f",由{successor}取代" if successor else ""
        return say("repealed", f"{provision.repealed} 起不再适用{replaced}", statute, successor)
    if mention.paragraph and mention.paragraph > len(provision.paragraphs):
        return say("paragraph_missing", f"这一条只有 {len(provision.paragraphs)} 款", statute)
    if mention.quote and not _quoted(mention.quote, provision.text):
        return say("misquoted", "引号里的话不是这一条的原文", statute)
    if mismatch:
        return say("title_mismatch", "名称与文号或版本对不上", statute)
    return say("in_force", f"{on} 有效", statute)


def _range(statute: Statute) -> str:
    return (statute.articles or "未核").split(",")[0]


def _mismatch(mention: Mention, named: list[Statute], numbered: list[Statute]) -> bool:
    """Whether the name and the document number are not one law's; an unknown number contradicts only known ones."""
    if not (mention.law and mention.document):
        return False
    if not named:
        titles = [_squash(statute.title) for statute in numbered]
        return not any(_within(_squash(mention.law), title) for title in titles)
    if numbered:
        return not set(map(id, named)) & set(map(id, numbered))
    return all(statute.document_number for statute in named)


def _within(short: str, title: str) -> bool:
    """Whether all characters of a shortened title stand in the full one, in order."""
    rest = iter(title)
    return all(char in rest for char in short)


def _versions(library: Library, law: str) -> list[Statute]:
    names = _plain_names(library)
    wanted = _squash(law)
    for name in (wanted, wanted.removeprefix("中华人民共和国")):
        if found := names.get(name):
            return found
    bare = re.sub(r"\((?![一二三四五六七八九十]+\)).*", "", unicodedata.normalize("NFKC", law))
    return names.get(_squash(bare), [])


@cache
def _plain_names(library: Library) -> dict[str, list[Statute]]:
    return {_squash(name): versions for name, versions in library.names.items()}


def _meant(mention: Mention, versions: list[Statute], on: date) -> Statute:
    """The version in force, unless the words beside the number are another version's article of that number."""
    current = next((s for s in versions if s.effective <= on and (s.repealed is None or on < s.repealed)), versions[0])
    if mention.version or len(versions) == 1:
        return current
    beside = _bigrams(mention.sentence.replace(mention.law or "", ""))
    here = len(beside & _bigrams(current.texts.get(mention.article, "")))
    for other in versions:
        there = len(beside & _bigrams(other.texts.get(mention.article, "")))
        if (
            other is not current
            and there >= 1
            and (there > 2 * here or (here == 0 and mention.article not in current.texts))
        ):
            return other
    return current


def _successor(library: Library, statute: Statute, article: str) -> str | None:
    if not statute.replaced_by or article not in statute.successors:
        return None
    following = library.statutes[statute.replaced_by]
    return f"{following.short}({following.version}){heading(statute.successors[article])}"


def _quoted(quote: str, text: str) -> bool:
    article = _squash(text)
    return all(_squash(part) in article for part in re.split(r"…+|\.{3,}", quote) if _squash(part))


def _squash(text: str | None) -> str:
    """Without white space and with one form of punctuation and brackets."""
    plain = unicodedata.normalize("NFKC", text or "")
    return re.sub(r"[\s,.;:!?、。“”\"'‘’()〔〕\[\]【】《》〈〉<>·—–-]", "", plain)


def _bigrams(text: str) -> set[str]:
    plain = _squash(text)
    return {plain[i : i + 2] for i in range(len(plain) - 1) if re.fullmatch(r"[\u4e00-\u9fff]{2}", plain[i : i + 2])}
