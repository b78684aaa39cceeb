"""What must agree before anything starts: versions, articles, names and every reference from one record to another."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from knowledge.numerals import heading
from knowledge.schema import Dated, Statute
from knowledge.source import Place, broken, broken_at

if TYPE_CHECKING:
    from knowledge.library import Library

_NUMBER = re.compile(r"\bP\('([^']+)'\)")


def check(library: Library) -> None:
    """Raise :class:`BrokenKnowledge` at the first thing that does not agree, saying file, line and mend."""
    for statute in library.statutes.values():
        _articles(library, statute)
        _heir(library, statute)
    _versions(library)
    _names(library)
    _references(library)
    _links(library)
    _values(library)
    _numbers(library)


def _articles(library: Library, statute: Statute) -> None:
    path = library.paths[statute.id]
    for article, note in statute.article_notes.items():
        place: Place = ("article_notes", article)
        if article not in statute.texts:
            raise broken_at(path, place, f"article_notes 里的“{article}”没有条文:改正条号,或补上条文")
        begins, ends = note.effective or statute.effective, note.repealed or statute.repealed
        if ends and ends <= begins:
            raise broken_at(path, place, f"“{article}”的施行日 {begins} 不早于废止日 {ends}:请核对这两个日期")
    for article in statute.texts:
        if not statute.has_article(article):
            mend = "改正条号,或者改正 articles"
            raise broken(path, f"## {heading(article)}", f"“{article}”不在 articles 所列的条号之内:{mend}")


def _heir(library: Library, statute: Statute) -> None:
    """A law that was replaced ends on the day its heir begins, unless its note says otherwise."""
    if not statute.replaced_by:
        return
    path, heir, note = library.paths[statute.id], library.next(statute), statute.note or ""
    place: Place = ("replaced_by",)
    if heir is None:
        raise broken_at(path, place, f"replaced_by 指向不存在的“{statute.replaced_by}”:改正 id,或先加上那一版")
    if statute.repealed is None:
        raise broken_at(path, place, f"写了 replaced_by 就要写 repealed:通常是“{heir.id}”的施行日 {heir.effective}")
    if statute.repealed != heir.effective and str(statute.repealed) not in note:
        mend = f"改成同一天,确实不同的,在 note 里写明 {statute.repealed} 和原因"
        raise broken_at(path, ("repealed",), f"废止日与“{heir.id}”的施行日 {heir.effective} 不同:{mend}")
    if heir.short != statute.short and not any(n and n in note for n in (heir.short, heir.title, heir.document_number)):
        mend = f"改正 replaced_by;换了名称的,在 note 里写明“{heir.title}”或它的文号"
        raise broken_at(path, place, f"“{statute.short}”由名称不同的“{heir.short}”取代:{mend}")
    for old, new in statute.successors.items():
        for law, article in ((statute, old), (heir, new)):
            if not law.has_article(article):
                raise broken_at(path, ("successors", old), f"“{law.id}”没有“{article}”这一条:改正 successors 里的条号")


def _versions(library: Library) -> None:
    """No two versions of one law hold on one day, and each names the next."""
    by_law: dict[str, list[Statute]] = {}
    for statute in sorted(library.statutes.values(), key=lambda s: (s.effective, s.id)):
        by_law.setdefault(statute.short, []).append(statute)
    for versions in by_law.values():
        for old, new in combinations(versions, 2):
            path, other = library.paths[old.id], library.paths[new.id]
            if old.version == new.version:
                raise broken_at(other, ("version",), f"与 {path} 是同一部法的同一版本:改 version,或者删去一个文件")
            if _overlap(library, old, new):
                mend = (
                    f"在 {path} 写上 repealed(通常是后一版的施行日)和 replaced_by,或者用 article_notes 分开各条的日子"
                )
                raise broken_at(other, ("effective",), f"与 {path} 在同一天都有效:{mend}")
        for old, new in pairwise(versions):
            if not old.replaced_by:
                raise broken_at(
                    library.paths[old.id], ("repealed",), f"后面有“{new.id}”这一版,请写 replaced_by: {new.id}"
                )


def _overlap(library: Library, old: Statute, new: Statute) -> bool:
    if old.repealed is not None and old.repealed <= new.effective:
        return False
    both = [
        (library.provisions[f"{old.id}/{a}"], library.provisions[f"{new.id}/{a}"]) for a in old.texts if a in new.texts
    ]
    return not both or any(o.in_force(n.effective) or n.in_force(o.effective) for o, n in both)


def _names(library: Library) -> None:
    """A name means one law, or laws of which one took the other's place."""
    for name, versions in library.names.items():
        for one, other in combinations(versions, 2):
            if one.short != other.short and library.next(one) != other and library.next(other) != one:
                path, rest = library.paths[one.id], library.paths[other.id]
                raise broken(path, name, f"“{name}”也是 {rest} 的名称:一个名称只能指一部法,请从一处删去")


def _references(library: Library) -> None:
    for use in library.uses:
        provision = library.resolve(use.ref, date.max)
        if provision is None:
            why = f"引用的“{use.ref}”不在条文库里:改正法名、版本或条号,或先补上条文"
        elif use.ref.paragraph and use.ref.paragraph > len(provision.paragraphs):
            why = f"“{use.ref}”:这一条只有 {len(provision.paragraphs)} 款,改正款号或者删去“/{use.ref.paragraph}”"
        else:
            continue
        raise use.broken(why)


def _links(library: Library) -> None:
    for card in library.cards.values():
        for number, name in enumerate(card.cases):
            if name not in library.cases:
                mend = "写 knowledge/cases 里的文件名(不带 .md),或者删去"
                raise broken_at(library.paths[card.id], ("cases", number), f"案例“{name}”不存在:{mend}")
    for file in library.rules:
        for rule in file.findings:
            for name in rule.elements:
                if name not in library.element_sets:
                    raise broken(
                        library.paths[rule.id], name, f"“{rule.id}”的要件“{name}”没有定义:见 rules/elements.yaml"
                    )


def _values(library: Library) -> None:
    """A parameter has one value a day for one place."""
    for parameter in library.parameters.values():
        for old, new in _pairs(parameter.values):
            if old.holds(new.effective) or new.holds(old.effective):
                place: Place = ("parameters", ("id", parameter.id), "values", parameter.values.index(new), "effective")
                mend = f"给较早的值写上 until: {max(old.effective, new.effective)},或者删去一个"
                raise broken_at(library.paths[parameter.id], place, f"“{parameter.id}”在同一天有两个值:{mend}")


def _numbers(library: Library) -> None:
    """A rule takes its numbers from parameters there are."""
    for file in library.rules:
        for item in file.named:
            for name in _NUMBER.findall(item.model_dump_json()):
                if name not in library.parameters:
                    near = difflib.get_close_matches(name, library.parameters, 3)
                    mend = f"改成{'、'.join(near)}" if near else "改正名字,或先在 parameters 里加上"
                    raise broken(library.paths[item.id], f"P('{name}')", f"“{item.id}”要的数值“{name}”不存在:{mend}")


def _pairs(values: list[Dated]) -> Iterator[tuple[Dated, Dated]]:
    for old, new in combinations(values, 2):
        if (old.region, old.areas) == (new.region, new.areas):
            yield old, new
