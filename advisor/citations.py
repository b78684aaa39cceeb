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
    rf"(?:[  ]*第\s*(?P<paragraph>{NUMERAL})\s*款)?(?:\s*第?[((]?(?:{NUMERAL})[))]?项)?"
)
_NOT_ARTICLE = r"(?!\s*(?:元|块|日|天|年|月|号|个|万|千元|倍|次|单|人|岁|%|%|[.:::]\d|[-—至到]))"
_LIST = re.compile(_ITEM)
_JOIN = re.compile(r"\s*(?:、|和|及|与|以及|,|,)\s*(?=第?\s*[0-90-9零〇一二两三四五六七八九十百千])")
_BARE = re.compile(rf"第\s*(?:{NUMERAL})\s*条(?:{_SUB})?")
_DOCUMENT = r"[法高检发释公通字国信办苏粤鄂云沪政令第]{1,8}[〔\[((【]\d{4}[〕\]))】]\s*\d+\s*号"
_QUOTE = re.compile(r"(?:规定|明确|写明|写道|原文|内容|指出)[^。“”]{0,12}“([^“”]{10,})”")


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
    return re.compile(
        rf"(?P<year>\d{{4}}年?(?:修订|修正|版)的?)?(?:《(?P<title>[^《》]{{2,80}})》|(?P<name>{known})"
        rf"|(?P<anaphor>该法|同法|本法|该解释|该办法|该条例|该规定)|(?P<lone>{_DOCUMENT}))"
        rf"(?:[((](?P<note>[^()()]{{2,30}})[))])?\s*(?P<doc2>{_DOCUMENT})?(?:的|中|里)?\s*(?=第?\s*(?:{NUMERAL}))"
    )


@cache
def _documents(library: Library) -> dict[str, list[Statute]]:
    found: dict[str, list[Statute]] = {}
    for statute in library.statutes.values():
        if statute.document_number:
            found.setdefault(_squash(statute.document_number), []).append(statute)
    return found


def find(text: str, library: Library) -> Iterator[Mention]:
    """Every article a text names, one mention an article, in order of appearance."""
    text = _flat(text)
    taken = 0
    last: tuple[str | None, str | None, str | None, int] = (None, None, None, -1)  # law, document, version, line
    marks = sorted(
        [(m.start(), m) for m in _name_pattern(library).finditer(text)]
        + [(m.start(), m) for m in _BARE.finditer(text)],
        key=lambda mark: mark[0],
    )
    for start, match in marks:
        if start < taken:
            continue
        groups = match.groupdict()
        line = text.count("\n", 0, start)
        if groups:
            law, document, version = _named(groups, last)
            position = match.end()
            last = (law, document, version, line)
        else:
            law, document, version = last[:3] if last[3] == line else (None, None, None)
            position = start
        sentence_start = max(text.rfind(mark, 0, start) for mark in "。!?\n;") + 1
        ends = [end for mark in "。!?\n;" if (end := text.find(mark, position)) >= 0]
        sentence = text[sentence_start : min(ends, default=len(text))]
        first = True
        while item := _LIST.match(text, position):
            explicit = "条" in item[0] or item[0].lstrip().startswith("第")
            if not explicit and not re.match(_NOT_ARTICLE, text[item.end() :]):
                break
            if not explicit and not first and law is None:
                break
            position = item.end()
            tail = text[position : min(ends, default=len(text)) + 300]
            quote = _QUOTE.match(re.sub(r"^[的,:]+", "", tail)) or _QUOTE.search(tail.split("。")[0])
            yield Mention(
                text=text[start:position] if first else item[0].strip(),
                law=law,
                document=document,
                version=version,
                article=f"{to_int(item['number'])}{item['sub'] or ''}",
                paragraph=to_int(item["paragraph"]) if item["paragraph"] else None,
                start=start if first else item.start(),
                sentence=sentence,
                quote=quote[1] if quote else None,
            )
            first, taken = False, position
            joined = _JOIN.match(text, position)
            if not joined:
                break
            position = joined.end()


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
    document, version = groups["lone"] or groups["doc2"], groups["year"]
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
    numbered = _documents(library).get(_squash(mention.document), []) if mention.document else []
    if not (named or numbered):
        return say("unknown_law", f"没有收录“{mention.law or mention.document}”")
    versions = named or numbered
    mismatch = bool(named and mention.document and not set(map(id, named)) & set(map(id, numbered)))
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


def _versions(library: Library, law: str) -> list[Statute]:
    for name in (law, law.split("(")[0], law.removeprefix("中华人民共和国")):
        for written in (name, name.replace("(", "(").replace(")", ")"), name.replace("(", "（").replace(")", "）")):
            if found := library.versions(written):
                return found
    return []


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
    return re.sub(r"[\s,.;:!?、。“”\"'‘’()〔〕\[\]【】《》]", "", plain)


def _bigrams(text: str) -> set[str]:
    plain = _squash(text)
    return {plain[i : i + 2] for i in range(len(plain) - 1) if re.fullmatch(r"[\u4e00-\u9fff]{2}", plain[i : i + 2])}
