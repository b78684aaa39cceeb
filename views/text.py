"""Makes text safe for the page and citations clickable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import date

    from knowledge.library import Library

STATUTE_PAGE = "statute"


def plain(text: str) -> str:
    """A user's words as Markdown that shows them as they are: no markup, no links, no images, no formulas."""
    escaped = re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:])", r"\\\1", text)
    return escaped.replace("\n", "  \n")


def linked(answer: str, library: Library, on: date) -> str:
    """An answer with every citation of a provision we hold linked to its text; no formulas and no images."""
    from advisor import citations, mentions

    parts, position = [], 0
    for mention in mentions.find(answer, library):
        verdict = citations.judge(mention, library, on)
        statute = next((s for s in library.versions(verdict.law or "") if s.version == verdict.version), None)
        if statute is None or mention.article not in statute.texts or mention.start < position:
            continue
        words = mention.text.strip()
        begin = answer.find(words, mention.start)
        if begin < position or begin < 0:
            continue
        parts += [answer[position:begin], f"[{words}]({link(statute.id, mention.article)})"]
        position = begin + len(words)
    return ("".join(parts) + answer[position:]).replace("$", r"\$").replace("![", r"!\[")


def link(statute_id: str, article: str) -> str:
    """The permanent link of an article."""
    return f"/{STATUTE_PAGE}?id={quote(f'{statute_id}/{article}')}"
