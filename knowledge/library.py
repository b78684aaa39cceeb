"""Loads all knowledge once, cross-checks every reference, and refuses to start on a broken corpus."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from knowledge.numerals import article_of, heading, sort_key
from knowledge.schema import (
    BrokenKnowledge,
    Card,
    Case,
    Dated,
    Lexicon,
    Parameter,
    ParameterFile,
    Provision,
    Ref,
    RuleFile,
    Signal,
    Statute,
)

T = TypeVar("T", bound=BaseModel)
ROOT = Path(__file__).parent
CITE = re.compile(r"\[\[([^\[\]]+)\]\]")
_MENDS = {"missing": "缺少这一项,请补上", "extra_forbidden": "不认识这一项,请改正拼写或者删去"}
_CARD_PARTS = {"短答": "short", "理由": "why", "做法": "steps"}
_CASE_PARTS = {"事实": "facts", "结果": "outcome", "启示": "lesson"}


class Library:
    """All knowledge, by id and by name. Build it with :func:`load`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: dict[str, Path] = {}
        self.statutes = {s.id: s for s in self._read("statutes", "*.md", _statute)}
        self.cards = {c.id: c for c in self._read("commentary", "**/*.md", _card)}
        self.cases = {c.id: c for c in self._read("cases", "*.md", _case)}
        self.parameters = {p.id: p for p in self._read("parameters", "*.yaml", _parameters)}
        self.signals = {s.name: s for s in self._read("lexicon", "*.yaml", _signals)}
        self.rules = [_rules(path, self.paths) for path in sorted((root / "rules").glob("*.yaml"))]
        self.provisions = {p.key: p for s in self.statutes.values() for p in _provisions(s)}
        self._check()

    def _read(self, room: str, pattern: str, reader: Any) -> list[Any]:
        found: dict[str, Any] = {}
        for path in sorted((self.root / room).glob(pattern)):
            for item in reader(path):
                name = item.name if isinstance(item, Signal) else item.id
                if name in found:
                    raise _broken(path, name, f"“{name}”与 {self.paths[name]} 重复,请改一个名字")
                found[name] = item
                self.paths[name] = path
        return list(found.values())

    @cached_property
    def names(self) -> dict[str, list[Statute]]:
        """Every name a law goes by → its versions, newest first."""
        found: dict[str, list[Statute]] = {}
        for statute in sorted(self.statutes.values(), key=lambda s: s.effective, reverse=True):
            for name in {statute.short, statute.title, *statute.aliases}:
                found.setdefault(name, []).append(statute)
        return found

    def versions(self, name: str) -> list[Statute]:
        """The versions of a law by short name, title or alias, newest first; empty when unknown."""
        return self.names.get(name, [])

    def resolve(self, ref: Ref, on: date) -> Provision | None:
        """The provision a reference means: the named version, else the one in force on that day, else the newest."""
        held = [
            self.provisions[f"{s.id}/{ref.article}"]
            for s in self.versions(ref.law)
            if ref.version in (None, s.version) and ref.article in s.texts
        ]
        return next((p for p in held if p.in_force(on)), held[0] if held else None)

    def parameter(self, name: str, on: date) -> Dated | None:
        """The country-wide value of a parameter on that day."""
        values: list[Dated] = self.parameters[name].values
        return next((v for v in values if v.region is None and v.holds(on)), None)

    def cards_for(self, provision: Provision) -> list[Card]:
        """The cards that rest on a provision, those it matters most to first."""
        places = {
            card.id: next((n for n, ref in enumerate(card.provisions) if self._same(ref, provision)), None)
            for card in self.cards.values()
        }
        found = [(place, name) for name, place in places.items() if place is not None]
        return [self.cards[name] for _, name in sorted(found)]

    def cases_for(self, provision: Provision) -> Iterator[Case]:
        """The cases decided on a provision."""
        for case in self.cases.values():
            if any(self._same(ref, provision) for ref in case.basis):
                yield case

    def _same(self, ref: Ref, provision: Provision) -> bool:
        if ref.article != provision.article or ref.version not in (None, provision.version):
            return False
        return any(s.id == provision.statute_id for s in self.versions(ref.law))

    def _check(self) -> None:
        """Every reference must lead somewhere; raises :class:`BrokenKnowledge` at the first that doesn't."""
        for statute in self.statutes.values():
            path = self.paths[statute.id]
            if statute.replaced_by and statute.replaced_by not in self.statutes:
                raise _broken(path, "replaced_by", f"replaced_by 指向不存在的“{statute.replaced_by}”")
            for article in statute.article_notes:
                if article not in statute.texts:
                    raise _broken(path, article, f"article_notes 里的“{article}”没有条文")
            for article in statute.texts:
                if not has_article(statute, article):
                    raise _broken(path, heading(article), f"“{article}”不在 articles 所列的条号之内")
        for card in self.cards.values():
            path = self.paths[card.id]
            self._check_refs(path, card.provisions)
            self._check_refs(path, _cited(path, f"{card.short}\n{card.why}\n{card.steps}"))
            for case_id in card.cases:
                if case_id not in self.cases:
                    raise _broken(path, case_id, f"案例“{case_id}”不存在")
        for case in self.cases.values():
            self._check_refs(self.paths[case.id], case.basis)
        for rules in self.rules:
            for rule in rules.findings:
                self._check_refs(self.paths[rule.id], rule.provisions)
            for step in rules.steps:
                self._check_refs(self.paths[step.id], step.provisions)
            for said in [*rules.leads, *rules.avoid, *rules.needs]:
                self._check_refs(self.paths[said.id], _cited(self.paths[said.id], said.text))
        for parameter in self.parameters.values():
            self._check_refs(self.paths[parameter.id], [value.provision for value in parameter.values])

    def _check_refs(self, path: Path, refs: Iterable[Ref]) -> None:
        for ref in refs:
            provision = self.resolve(ref, date.max)
            if provision is None:
                raise _broken(path, str(ref), f"引用的“{ref}”不在条文库里:改正法名、版本或条号,或先补上条文")
            if ref.paragraph and ref.paragraph > len(provision.paragraphs):
                raise _broken(path, str(ref), f"“{ref}”:这一条只有 {len(provision.paragraphs)} 款")


def citations(text: str) -> list[Ref]:
    """The references written ``[[…]]`` in a text, in order."""
    return [Ref.parse(match[1]) for match in CITE.finditer(text)]


def _cited(path: Path, text: str) -> list[Ref]:
    try:
        return citations(text)
    except ValueError as error:
        wrong = str(error).removeprefix("“").split("”")[0]
        raise _broken(path, f"[[{wrong}]]", str(error)) from error


@cache
def _ranges(articles: str) -> tuple[list[tuple[int, int]], frozenset[str]]:
    spans, singles = [], set()
    for part in re.split(r"[,,]\s*", articles.strip()):
        if match := re.fullmatch(r"(\d+)[-–—](\d+)", part):
            spans.append((int(match[1]), int(match[2])))
        else:
            singles.add(part)
    return spans, frozenset(singles)


def has_article(statute: Statute, article: str) -> bool:
    """Whether the law has such an article; where its range is not known, only what it can't have is refused."""
    if article in statute.texts and not statute.articles:
        return True
    if not statute.articles:
        return bool(re.fullmatch(r"\d+", article))
    spans, singles = _ranges(statute.articles)
    return article in singles or (article.isdigit() and any(low <= int(article) <= high for low, high in spans))


def _provisions(statute: Statute) -> Iterator[Provision]:
    for article in sorted(statute.texts, key=sort_key):
        note = statute.article_notes.get(article)
        yield Provision(
            statute_id=statute.id,
            law=statute.short,
            title=statute.title,
            version=statute.version,
            kind=statute.kind,
            article=article,
            text=statute.texts[article],
            governs=(note and note.governs) or statute.governs,
            effective=(note and note.effective) or statute.effective,
            repealed=statute.repealed,
            replaced_by=statute.replaced_by,
            source=(note and note.source) or statute.source,
            checked_on=(note and note.checked_on) or statute.checked_on,
            confidence=(note and note.confidence) or statute.confidence,
            note=(note and note.note) or None,
        )


def _line_of(text: str, needle: str) -> int | None:
    return next((number for number, line in enumerate(text.split("\n"), 1) if needle in line), None)


def _broken(path: Path, needle: str, why: str) -> BrokenKnowledge:
    return BrokenKnowledge(path, _line_of(path.read_text(encoding="utf-8"), needle), why)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BrokenKnowledge(path, line, f"不是 UTF-8 文本({error.reason}),请另存为 UTF-8") from error


def _yaml(path: Path, text: str, first_line: int = 0) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 + first_line if mark else None
        raise BrokenKnowledge(path, line, f"YAML 写法有误:{getattr(error, 'problem', error)}") from error
    except ValueError as error:  # a day no calendar has
        day = next((m for m in re.finditer(r"\d{4}-\d+-\d+", text) if not _is_day(m[0])), None)
        line = text.count("\n", 0, day.start()) + 1 + first_line if day else None
        raise BrokenKnowledge(path, line, f"日期有误:{day[0] if day else error}") from error
    if not isinstance(data, dict):
        raise BrokenKnowledge(path, first_line + 1, "应当是“键: 值”的形式")
    return data


def _is_day(text: str) -> bool:
    try:
        date(*map(int, text.split("-")))
    except ValueError:
        return False
    return True


def _build(model: type[T], path: Path, data: dict[str, Any], source: str, first_line: int = 0) -> T:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors()
        first = next((item for item in errors if item["type"] == "extra_forbidden"), errors[0])  # a misspelt name
        why = _MENDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        line = _line_at(source, first["loc"]) + first_line
        raise BrokenKnowledge(path, line, f"{'.'.join(map(str, first['loc'])) or '内容'}:{why}") from error


def _line_at(source: str, place: tuple[int | str, ...]) -> int:
    """The line of a YAML text where a value stands, or what it would stand in when it is missing."""
    node = yaml.compose(source)
    for step in place:
        if isinstance(node, yaml.MappingNode):
            below = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if below is None:
                break
            if not isinstance(below[1], yaml.CollectionNode):
                return int(below[0].start_mark.line) + 1
            node = below[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
    return int(node.start_mark.line) + 1 if node else 1


def _split(path: Path) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The front matter as written and as data, and the body by its ``##`` headings."""
    text = _text(path)
    match = re.match(r"---\n(.*?\n)---\n", text, re.S)
    if not match:
        raise BrokenKnowledge(path, 1, "文件应以“---”包起来的说明开头")
    front = _yaml(path, match[1], 1)
    parts: dict[str, str] = {}
    blocks = re.split(r"^## +(.+)$", text[match.end() :], flags=re.M)
    if blocks[0].strip():
        raise _broken(path, blocks[0].strip().split("\n")[0], "“## 标题”之前不应有文字")
    for name, body in zip(blocks[1::2], blocks[2::2], strict=True):
        if name.strip() in parts:
            raise _broken(path, f"## {name}", f"标题“{name.strip()}”重复")
        if not body.strip():
            raise _broken(path, f"## {name}", f"“{name.strip()}”下面没有文字")
        parts[name.strip()] = body.strip()
    return match[1], front, parts


def _parts(path: Path, parts: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    for name in parts:
        if name not in names:
            raise _broken(path, f"## {name}", f"不认识的标题“{name}”,应为:{'、'.join(names)}")
    return {names[name]: body for name, body in parts.items()}


def _statute(path: Path) -> Iterator[Statute]:
    source, front, parts = _split(path)
    texts = {article_of(name): "\n".join(filter(None, body.split("\n"))) for name, body in parts.items()}
    yield _build(Statute, path, front | {"texts": texts}, source, 1)


def _card(path: Path) -> Iterator[Card]:
    source, front, parts = _split(path)
    yield _build(Card, path, front | {"topic": path.parent.name} | _parts(path, parts, _CARD_PARTS), source, 1)


def _case(path: Path) -> Iterator[Case]:
    source, front, parts = _split(path)
    yield _build(Case, path, front | _parts(path, parts, _CASE_PARTS), source, 1)


def _parameters(path: Path) -> Iterator[Parameter]:
    text = _text(path)
    yield from _build(ParameterFile, path, _yaml(path, text), text).parameters


def _signals(path: Path) -> Iterator[Signal]:
    text = _text(path)
    yield from _build(Lexicon, path, _yaml(path, text), text).signals


def _rules(path: Path, paths: dict[str, Path]) -> RuleFile:
    text = _text(path)
    rules = _build(RuleFile, path, _yaml(path, text), text)
    said = [item.id for item in [*rules.leads, *rules.avoid, *rules.needs]]
    for name in [*said, *(rule.id for rule in rules.findings), *(step.id for step in rules.steps)]:
        if name in paths:
            raise _broken(path, name, f"“{name}”与 {paths[name]} 重复,请改一个名字")
        paths[name] = path
    return rules


@cache
def load(root: Path = ROOT) -> Library:
    """Read and check everything under ``root``; raises :class:`BrokenKnowledge`, naming file and line."""
    return Library(root)
