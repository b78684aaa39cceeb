"""Reads one knowledge file into its typed record; says file and line where it can't."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from knowledge.numerals import article_of
from knowledge.schema import (
    BrokenKnowledge,
    Card,
    Case,
    Lexicon,
    Parameter,
    ParameterFile,
    Ref,
    RuleFile,
    Signal,
    Statute,
)

T = TypeVar("T", bound=BaseModel)


CITE = re.compile(r"\[\[([^\[\]]+)\]\]")


_MENDS = {"missing": "缺少这一项,请补上", "extra_forbidden": "不认识这一项,请改正拼写或者删去"}


_CARD_PARTS = {"短答": "short", "理由": "why", "做法": "steps"}


_CASE_PARTS = {"事实": "facts", "结果": "outcome", "启示": "lesson"}


def citations(text: str) -> list[Ref]:
    """The references written ``[[…]]`` in a text, in order."""
    return [Ref.parse(match[1]) for match in CITE.finditer(text)]


def cited(path: Path, text: str) -> list[Ref]:
    """The references in a file's text; raises :class:`BrokenKnowledge` at one that can't be read."""
    try:
        return citations(text)
    except ValueError as error:
        wrong = str(error).removeprefix("“").split("”")[0]
        raise broken(path, f"[[{wrong}]]", str(error)) from error


def _line_of(text: str, needle: str) -> int | None:
    return next((number for number, line in enumerate(text.split("\n"), 1) if needle in line), None)


def broken(path: Path, needle: str, why: str) -> BrokenKnowledge:
    """The error for a file, at the line where the needle stands."""
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
        raise broken(path, blocks[0].strip().split("\n")[0], "“## 标题”之前不应有文字")
    for name, body in zip(blocks[1::2], blocks[2::2], strict=True):
        if name.strip() in parts:
            raise broken(path, f"## {name}", f"标题“{name.strip()}”重复")
        if not body.strip():
            raise broken(path, f"## {name}", f"“{name.strip()}”下面没有文字")
        parts[name.strip()] = body.strip()
    return match[1], front, parts


def _parts(path: Path, parts: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    for name in parts:
        if name not in names:
            raise broken(path, f"## {name}", f"不认识的标题“{name}”,应为:{'、'.join(names)}")
    return {names[name]: body for name, body in parts.items()}


def read_statute(path: Path) -> Iterator[Statute]:
    """The statute of a file."""
    source, front, parts = _split(path)
    texts = {article_of(name): "\n".join(filter(None, body.split("\n"))) for name, body in parts.items()}
    yield _build(Statute, path, front | {"texts": texts}, source, 1)


def read_card(path: Path) -> Iterator[Card]:
    """The card of a file; its folder is its topic."""
    source, front, parts = _split(path)
    yield _build(Card, path, front | {"topic": path.parent.name} | _parts(path, parts, _CARD_PARTS), source, 1)


def read_case(path: Path) -> Iterator[Case]:
    """The case of a file."""
    source, front, parts = _split(path)
    yield _build(Case, path, front | _parts(path, parts, _CASE_PARTS), source, 1)


def read_parameters(path: Path) -> Iterator[Parameter]:
    """The parameters of a file."""
    text = _text(path)
    yield from _build(ParameterFile, path, _yaml(path, text), text).parameters


def read_signals(path: Path) -> Iterator[Signal]:
    """The signals of a file."""
    text = _text(path)
    yield from _build(Lexicon, path, _yaml(path, text), text).signals


def read_rules(path: Path, paths: dict[str, Path]) -> RuleFile:
    """The rules of a file, each name noted in ``paths``."""
    text = _text(path)
    rules = _build(RuleFile, path, _yaml(path, text), text)
    said = [item.id for item in [*rules.leads, *rules.avoid, *rules.needs]]
    for name in [*said, *(rule.id for rule in rules.findings), *(step.id for step in rules.steps)]:
        if name in paths:
            raise broken(path, name, f"“{name}”与 {paths[name]} 重复,请改一个名字")
        paths[name] = path
    return rules
