"""Finds every provision a text cites and judges each one by itself: one true citation excuses no false one."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache
from typing import Literal

from pydantic import BaseModel

from advisor.mentions import Mention, document_number, find, squash
from knowledge.library import Library, has_article
from knowledge.numerals import heading
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
def _documents(library: Library) -> dict[str, list[Statute]]:
    found: dict[str, list[Statute]] = {}
    for statute in library.statutes.values():
        if statute.document_number:
            found.setdefault(document_number(statute.document_number), []).append(statute)
    return found


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
    numbered = _documents(library).get(document_number(mention.document), []) if mention.document else []
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
        titles = [squash(statute.title) for statute in numbered]
        return not any(_within(squash(mention.law), title) for title in titles)
    if numbered:
        return not set(map(id, named)) & set(map(id, numbered))
    return all(statute.document_number for statute in named)


def _within(short: str, title: str) -> bool:
    """Whether all characters of a shortened title stand in the full one, in order."""
    rest = iter(title)
    return all(char in rest for char in short)


def _versions(library: Library, law: str) -> list[Statute]:
    names = _plain_names(library)
    wanted = squash(law)
    for name in (wanted, wanted.removeprefix("中华人民共和国")):
        if found := names.get(name):
            return found
    bare = re.sub(r"\((?![一二三四五六七八九十]+\)).*", "", unicodedata.normalize("NFKC", law))
    return names.get(squash(bare), [])


@cache
def _plain_names(library: Library) -> dict[str, list[Statute]]:
    return {squash(name): versions for name, versions in library.names.items()}


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
    article = squash(text)
    return all(squash(part) in article for part in re.split(r"…+|\.{3,}", quote) if squash(part))


def _bigrams(text: str) -> set[str]:
    plain = squash(text)
    return {plain[i : i + 2] for i in range(len(plain) - 1) if re.fullmatch(r"[\u4e00-\u9fff]{2}", plain[i : i + 2])}
