"""Splits a law's text by article, and any other text by heading and paragraph, losing nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.numerals import NUMERAL, article_of

PIECE_LIMIT = 800
_ARTICLE = re.compile(rf"^[ \t ]*(?:#+ *)?(第(?:{NUMERAL})条(?:之[一二三四五六七八九十]+)?)(?=[\s ::、]|$)", re.M)
_HEADING = re.compile(r"^(?:#+ .+|[ \t ]*第[^\s条]{1,6}[编章节][\s ].*)$", re.M)


@dataclass(frozen=True)
class Section:
    """A piece of a document, its text exactly as it stood; the texts of all sections join back into the document."""

    text: str
    heading: str
    article: str | None = None


def is_statute(text: str) -> bool:
    """A text is split as a law when at least three lines begin with an article number."""
    return len(_ARTICLE.findall(text)) >= 3


def split(text: str) -> list[Section]:
    """The sections of a document, in order, none empty; a document without text gives none."""
    if not text:
        return []
    return _by_article(text) if is_statute(text) else _by_paragraph(text)


def _by_article(text: str) -> list[Section]:
    marks = sorted(
        [(m.start(), m[1].strip(), article_of(m[1])) for m in _ARTICLE.finditer(text)]
        + [
            (m.start(), m[0].replace("#", "").strip(), None)
            for m in _HEADING.finditer(text)
            if not _ARTICLE.match(m[0])
        ]
    )
    if marks[0][0] > 0:
        marks.insert(0, (0, text.strip().split("\n")[0][:60], None))
    ends = [start for start, _, _ in marks[1:]] + [len(text)]
    return [Section(text[a:b], name, article) for (a, name, article), b in zip(marks, ends, strict=True)]


def _by_paragraph(text: str) -> list[Section]:
    sections: list[Section] = []
    heading, block = "", ""
    for paragraph in re.findall(r".*?(?:\n\s*\n|\Z)", text, re.S):
        is_heading = bool(_HEADING.match(paragraph.lstrip("\n")))
        if block and (is_heading or len(block) + len(paragraph) > PIECE_LIMIT):
            sections.append(Section(block, heading))
            block = ""
        if is_heading:
            heading = paragraph.strip().split("\n")[0].strip("# ")
        block += paragraph
        while len(block) > PIECE_LIMIT:
            cut = max(block.rfind(mark, 0, PIECE_LIMIT) for mark in "。!?!?\n") + 1 or PIECE_LIMIT
            sections.append(Section(block[:cut], heading))
            block = block[cut:]
    if block:
        sections.append(Section(block, heading))
    return sections
