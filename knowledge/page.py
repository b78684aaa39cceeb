"""The page of one article: its words, status, history and source, and what in the corpus uses it."""

from __future__ import annotations

import difflib
from datetime import date
from typing import Any

from knowledge.library import Library
from knowledge.numerals import heading, sort_key
from knowledge.schema import Provision, Ref

_STATUS = {"in_force": "现行有效", "not_yet_in_force": "尚未施行", "repealed": "已不适用"}


def reference(law: str, article: str) -> Ref:
    """What someone asks for; the law may carry a version: 治安管理处罚法(2012修正)."""
    try:
        return Ref.parse(f"{law} {article}")
    except ValueError:
        return Ref(law=law.strip(), article=article)


def _status(provision: Provision, day: date) -> str:
    if provision.in_force(day):
        return "in_force"
    return "not_yet_in_force" if day < provision.effective else "repealed"


def record(library: Library, provision: Provision, day: date) -> dict[str, Any]:
    """Everything we know of a provision, as JSON says it."""
    used = library.uses_of(provision)
    ids = {kind: sorted({use.id for use in used if use.kind == kind}) for kind in ("card", "case", "rule", "parameter")}
    heir = library.successor(provision)
    return provision.model_dump(mode="json") | {
        "as_of": day.isoformat(),
        "in_force": provision.in_force(day),
        "status": _status(provision, day),
        "file_note": library.statutes[provision.statute_id].note,
        "previous": [_version(p) for p in library.predecessors(provision)],
        "next": _version(heir) if heir else None,
        "asks": library.asks.get(provision.key, []),
        "cards": [{"id": name, "title": library.cards[name].title} for name in ids["card"]],
        "cases": [
            {"id": name, "title": library.cases[name].title, "prevailed": library.cases[name].prevailed}
            for name in ids["case"]
        ],
        "rules": ids["rule"],
        "parameters": [{"id": name, "title": library.parameters[name].title} for name in ids["parameter"]],
    }


def _version(provision: Provision) -> dict[str, Any]:
    keys = {"law", "version", "article", "effective", "repealed", "text"}
    return provision.model_dump(mode="json", include=keys)


def words(provision: Provision, record: dict[str, Any]) -> str:
    """The page as people read it, of the record."""
    end = f",{provision.repealed} 起不再适用" if provision.repealed else ""
    lines = [
        f"{provision.title}({provision.version}){heading(provision.article)}",
        f"{record['as_of']}:{_STATUS[record['status']]};{provision.effective} 起施行{end}",
        f"来源:{provision.source};核对于 {provision.checked_on},把握:{provision.confidence}",
        *(f"说明:{note}" for note in (provision.note, record["file_note"]) if note),
        "",
        provision.text,
        "",
        *(f"上一版:{_span(version)}" for version in record["previous"]),
        *([f"下一版:{_span(record['next'])}"] if record["next"] else []),
    ]
    for key, title in (("cards", "解说"), ("cases", "案例"), ("parameters", "数值")):
        lines += [f"{title}:{item['title']}({item['id']})" for item in record[key]]
    if record["rules"]:
        lines.append(f"规则:{'、'.join(record['rules'])}")
    if record["asks"]:
        lines.append(f"常见问法:{' / '.join(record['asks'])}")
    return "\n".join(lines).rstrip()


def _span(version: dict[str, Any]) -> str:
    until = f" 至 {version['repealed']} 前" if version["repealed"] else " 起"
    return f"{version['law']}({version['version']}){heading(version['article'])}({version['effective']}{until})"


def why_missing(library: Library, ref: Ref) -> str:
    """Why there is nothing to show, and what there is instead."""
    versions = library.versions(ref.law)
    if not versions:
        near = _near(library, ref.law)
        hint = f"相近的有:{'、'.join(near)}。" if near else "可用“python -m knowledge check”看收录了哪些法律。"
        return f"没有收录“{ref.law}”。{hint}"
    if ref.version and ref.version not in (known := [statute.version for statute in versions]):
        return f"“{ref.law}”没有“{ref.version}”这一版,收录的有:{'、'.join(known)}。"
    versions = [statute for statute in versions if ref.version in (None, statute.version)]
    if not any(statute.has_article(ref.article) for statute in versions):
        return f"“{ref.law}”没有{heading(ref.article)}(条号范围:{versions[0].articles or '未核'})。"
    held = sorted(versions[0].texts, key=lambda article: _distance(article, ref.article))[:6]
    beside = "、".join(sorted(held, key=sort_key))
    return f"“{ref.law}”有{heading(ref.article)},但本库没有收录它的原文(邻近收录的:{beside})。"


def _near(library: Library, law: str) -> list[str]:
    """The short names of the laws whose names are most like this one, at most five."""
    parts = [name for name in library.names if law in name or name in law]
    alike = difflib.get_close_matches(law, library.names, 10, 0.5)
    ranked = sorted({*parts, *alike}, key=lambda name: -difflib.SequenceMatcher(None, law, name).ratio())
    return list(dict.fromkeys(library.versions(name)[0].short for name in ranked))[:5]


def _distance(one: str, other: str) -> int:
    return abs(sort_key(one)[0] - sort_key(other)[0])
