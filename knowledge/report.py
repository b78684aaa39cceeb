"""What ``python -m knowledge check`` reports of sound files: what is wrong on the day, what to look at, and counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.library import Library
from knowledge.schema import Provision
from knowledge.source import Place, broken_at
from knowledge.uses import Use

SOON = timedelta(days=90)
YEAR = timedelta(days=365)


class Remark(NamedTuple):
    """Something about one file; ``kind`` groups the remarks that want the same done."""

    kind: str
    path: Path
    line: int | None
    why: str

    def __str__(self) -> str:
        return f"{self.path}{f' 第{self.line}行' if self.line else ''}:{self.why}"


def _at(kind: str, path: Path, place: Place, why: str) -> Remark:
    found = broken_at(path, place, why)
    return Remark(kind, found.path, found.line, found.why)


def errors(library: Library, today: date) -> list[Remark]:
    """What must be mended: a card or rule of today that rests on repealed law without the law that took its place."""
    by_record: dict[tuple[str, str], list[tuple[Use, Provision]]] = {}
    for use in library.uses:
        past = use.kind == "card" and not library.cards[use.id].valid(today)
        if use.kind in ("card", "rule") and not past and (provision := library.resolve(use.ref, today)):
            by_record.setdefault((use.kind, use.id), []).append((use, provision))
    return [remark for cited in by_record.values() for remark in _repealed(library, cited, today)]


def _repealed(library: Library, cited: list[tuple[Use, Provision]], today: date) -> Iterator[Remark]:
    named = {provision.statute_id for _, provision in cited}
    for use, provision in cited:
        if provision.repealed and provision.repealed <= today and not named & _heirs(library, provision.statute_id):
            heir, mend = library.successor(provision), "改引现行条文;专讲旧法的卡片写上 valid_until"
            now = f",对应现行 {heir.law}({heir.version}) {heir.article}" if heir else ""
            why = f"“{use.id}”引用的“{use.ref}”自 {provision.repealed} 起不再适用{now}:{mend}"
            found = use.broken(why)
            yield Remark("repealed", found.path, found.line, why)


def _heirs(library: Library, statute_id: str) -> set[str]:
    heirs: set[str] = set()
    statute = library.statutes[statute_id]
    while (heir := library.next(statute)) and heir.id not in heirs:
        heirs.add(heir.id)
        statute = heir
    return heirs


def warnings(library: Library, today: date) -> list[Remark]:
    """What is worth a look and breaks nothing."""
    return [
        *_unused(library),
        *_unchecked(library, today),
        *_beginning(library, today),
        *_ending(library, today),
        *_same_asks(library),
    ]


def _unused(library: Library) -> Iterator[Remark]:
    used = set(library.asks)
    for use in library.uses:
        used |= {
            f"{s.id}/{use.ref.article}" for s in library.versions(use.ref.law) if use.ref.version in (None, s.version)
        }
    for statute in library.statutes.values():
        idle = [p.article for p in library.provisions.values() if p.statute_id == statute.id and p.key not in used]
        if idle:
            why = f"{statute.short}({statute.version}):卡片、案例、规则、数值和问法都没有用到 {'、'.join(idle)}"
            yield Remark("unused", library.paths[statute.id], None, why)


def _unchecked(library: Library, today: date) -> Iterator[Remark]:
    dated: list[tuple[str, Place, date]] = []
    for statute in library.statutes.values():
        dated.append((statute.id, ("checked_on",), statute.checked_on))
        notes = statute.article_notes.items()
        dated += [(statute.id, ("article_notes", a), note.checked_on) for a, note in notes if note.checked_on]
    dated += [
        (item.id, ("checked_on",), item.checked_on) for item in (*library.cards.values(), *library.cases.values())
    ]
    for parameter in library.parameters.values():
        for number, value in enumerate(parameter.values):
            dated.append((parameter.id, ("parameters", ("id", parameter.id), "values", number), value.checked_on))
    for name, place, day in dated:
        if day + YEAR < today:
            yield _at("unchecked", library.paths[name], place, f"“{name}”自 {day} 起一年多没有核对过")


def _beginning(library: Library, today: date) -> Iterator[Remark]:
    for statute in library.statutes.values():
        if statute.effective > today:
            yield _at(
                "begins", library.paths[statute.id], ("effective",), f"{statute.short} {statute.effective} 起施行"
            )
        for article, note in statute.article_notes.items():
            if note.effective and note.effective > today:
                why = f"{statute.short} {article} {note.effective} 起施行"
                yield _at("begins", library.paths[statute.id], ("article_notes", article), why)
    for parameter in library.parameters.values():
        for number, value in enumerate(parameter.values):
            if value.effective > today:
                place: Place = ("parameters", ("id", parameter.id), "values", number, "effective")
                yield _at(
                    "begins", library.paths[parameter.id], place, f"“{parameter.id}”的新值 {value.effective} 起用"
                )


def _ending(library: Library, today: date) -> Iterator[Remark]:
    for card in library.cards.values():
        if card.valid_until and today <= card.valid_until <= today + SOON:
            why = f"“{card.id}”只到 {card.valid_until}:备好接替它的卡片"
            yield _at("ends", library.paths[card.id], ("valid_until",), why)
    for statute in library.statutes.values():
        if statute.repealed and today < statute.repealed <= today + SOON:
            why = f"{statute.short}({statute.version}){statute.repealed} 起不再适用"
            yield _at("ends", library.paths[statute.id], ("repealed",), why)
    for parameter in library.parameters.values():
        for number, value in enumerate(parameter.values):
            followed = any(
                v.region == value.region and v.areas == value.areas and v.effective == value.until
                for v in parameter.values
            )
            if value.until and today < value.until <= today + SOON and not followed:
                place: Place = ("parameters", ("id", parameter.id), "values", number, "until")
                yield _at(
                    "ends", library.paths[parameter.id], place, f"“{parameter.id}”到 {value.until} 为止,还没有新值"
                )


def _same_asks(library: Library) -> Iterator[Remark]:
    seen: dict[str, str] = {}
    asked = [(c.id, library.paths[c.id], ("asks", n), a) for c in library.cards.values() for n, a in enumerate(c.asks)]
    for name, path, place, ask in asked:
        plain = re.sub(r"[\s\W_]", "", ask)
        if plain in seen:
            where = "同一张卡片里" if seen[plain] == name else f"“{seen[plain]}”里"
            yield _at("same_ask", path, place, f"“{name}”的问法“{ask}”在{where}已有:留一处")
        seen.setdefault(plain, name)
    asked_of: dict[str, str] = {}
    for key, ways in library.asks.items():
        for way in ways:
            plain = re.sub(r"[\s\W_]", "", way)
            if asked_of.setdefault(plain, key) != key or [re.sub(r"[\s\W_]", "", w) for w in ways].count(plain) > 1:
                path = library.root / "questions"
                yield Remark("same_ask", path, None, f"{key} 的问法“{way}”与 {asked_of[plain]} 相同:留一处或说得具体些")


def counts(library: Library) -> dict[str, Any]:
    """How much there is of everything, and how sure we are of it."""
    provisions, cards, cases = library.provisions.values(), library.cards.values(), library.cases.values()
    values = [value for parameter in library.parameters.values() for value in parameter.values]
    return {
        "statutes": len(library.statutes),
        "provisions": len(library.provisions),
        "cards": len(library.cards),
        "cases": len(library.cases),
        "parameters": len(library.parameters),
        "values": len(values),
        "questions": sum(map(len, library.asks.values())),
        "articles_with_questions": len(library.asks),
        "rules": sum(len(file.named) for file in library.rules),
        "kind": _tally(p.kind for p in provisions),
        "instrument": _tally(f"{p.law}({p.version})" for p in provisions),
        "audience": _tally(who for card in cards for who in card.audience),
        "aspect": _tally(aspect for card in cards for aspect in card.aspects),
        "topic": _tally(card.topic for card in cards),
        "prevailed": _tally(case.prevailed for case in cases),
        "confidence": {
            "provisions": _tally(p.confidence for p in provisions),
            "cards": _tally(card.confidence for card in cards),
            "cases": _tally(case.confidence for case in cases),
            "values": _tally(value.confidence for value in values),
        },
    }


def _tally(values: Iterator[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
