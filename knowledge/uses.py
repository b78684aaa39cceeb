"""Who cites what: every reference to a provision in every card, case, parameter and rule, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from knowledge.files import CITE
from knowledge.schema import BrokenKnowledge, Ref, Strict
from knowledge.source import Place, broken, broken_at

if TYPE_CHECKING:
    from knowledge.library import Library

Kind = Literal["card", "case", "parameter", "rule", "derived"]

# A provision named inside an expression or a template: by_day('治安管理处罚法(2025修订) 50', …).
_QUOTED = re.compile(r"'([^'{}]+ [^'{}\s]+)'")


class Use(NamedTuple):
    """One citation: the record it stands in, the file, the place in it, and in running text the words as written."""

    kind: Kind
    id: str
    path: Path
    place: Place
    written: str | None
    ref: Ref

    def broken(self, why: str) -> BrokenKnowledge:
        """The error for this citation, at its line."""
        found = broken(self.path, self.written, why) if self.written else None
        return found if found and found.line else broken_at(self.path, self.place, why)


def uses(library: Library) -> Iterator[Use]:
    """Every citation; raises :class:`BrokenKnowledge` at one in running text that can't be read."""
    records: list[tuple[Kind, str, Place, Strict]] = [
        *(("card", card.id, (), card) for card in library.cards.values()),
        *(("case", case.id, (), case) for case in library.cases.values()),
        *(("parameter", p.id, ("parameters", ("id", p.id)), p) for p in library.parameters.values()),
    ]
    for file in library.rules:
        for room, items in file:
            for number, item in enumerate(items):
                kind: Kind = "derived" if room == "derived" else "rule"
                records.append((kind, getattr(item, "id", getattr(item, "name", "")), (room, number), item))
    paths = {**library.paths, **_derived_paths(library)}
    for of, name, start, record in records:
        path = paths[name]
        for place, written, ref in _references(record, start, path, library):
            yield Use(of, name, path, place, written, ref)


def _derived_paths(library: Library) -> dict[str, Path]:
    """The file of each derived fact, which has a name and no id."""
    paths = sorted((library.root / "rules").glob("*.yaml"))
    return {item.name: path for path, file in zip(paths, library.rules, strict=True) for item in file.derived}


def _references(value: Any, place: Place, path: Path, library: Library) -> Iterator[tuple[Place, str | None, Ref]]:
    if isinstance(value, Ref):
        yield place, None, value
    elif isinstance(value, Strict):
        for name, below in value:
            yield from _references(below, (*place, name), path, library)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _references(below, (*place, number), path, library)
    elif isinstance(value, str):
        for match in CITE.finditer(value):
            yield place, match[0], _parse(match, path)
        for match in _QUOTED.finditer(value):
            ref = _quoted(match[1])
            if ref and library.versions(ref.law):  # else these are words, not a citation
                yield place, match[0], ref


def _parse(match: re.Match[str], path: Path) -> Ref:
    try:
        return Ref.parse(match[1])
    except ValueError as error:
        raise broken(path, match[0], str(error)) from error


def _quoted(written: str) -> Ref | None:
    try:
        return Ref.parse(written)
    except ValueError:
        return None
