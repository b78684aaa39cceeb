"""Reads one knowledge file into its typed records; says file, line and mend where it can't."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from knowledge.numerals import article_of
from knowledge.rulebook import Lexicon, RuleFile, Signal
from knowledge.schema import BrokenKnowledge, Card, Case, Parameter, ParameterFile, Questions, Ref, Statute
from knowledge.source import Source, broken, line_at, read_markdown, read_yaml

T = TypeVar("T", bound=BaseModel)


CITE = re.compile(r"\[\[([^\[\]]+)\]\]")


# What to do about the errors pydantic finds, by its names for them; the rest say it in their own words.
_MENDS = {
    "missing": "缺少这一项,请补上",
    "extra_forbidden": "不认识这一项,请改正拼写或者删去",
    "literal_error": "“{input}”不是可用的值,请改成其中之一:{expected}",
    "string_type": "应当是文字,请加上引号",
    "string_too_short": "不能空着,请写上",
    "int_type": "应当是整数",
    "int_parsing": "应当是整数",
    "int_from_float": "应当是整数;小数请加引号写成文字",
    "float_type": "应当是数字",
    "float_parsing": "应当是数字",
    "bool_type": "应当是 true 或 false",
    "bool_parsing": "应当是 true 或 false",
    "list_type": "应当是列表:[甲, 乙],或者每项一行、前面加“- ”",
    "dict_type": "应当是“键: 值”的形式",
    "model_type": "应当是“键: 值”的形式",
    "too_short": "现有 {actual_length} 项,至少要 {min_length} 项,请补足",
    "too_long": "现有 {actual_length} 项,至多 {max_length} 项,请删减",
    "date_type": "应当是日期,写作 2026-01-31",
    "date_parsing": "应当是日期,写作 2026-01-31",
    "date_from_datetime_parsing": "应当是日期,写作 2026-01-31",
}


_CARD_PARTS = {"短答": "short", "理由": "why", "做法": "steps"}


_CASE_PARTS = {"事实": "facts", "结果": "outcome", "启示": "lesson"}


def citations(text: str) -> list[Ref]:
    """The references written ``[[…]]`` in a text, in order."""
    return [Ref.parse(match[1]) for match in CITE.finditer(text)]


def _build(model: type[T], source: Source, data: dict[str, Any]) -> T:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors()
        first = next((item for item in errors if item["type"] == "extra_forbidden"), errors[0])  # a misspelt name
        place = tuple(step for step in first["loc"] if step not in ("int", "str", "list[int]"))  # pydantic's, not ours
        mend = _MENDS.get(first["type"])
        why = mend.format(input=first["input"], **first.get("ctx", {})) if mend else first["msg"]
        if first["type"] == "extra_forbidden" and (meant := _meant(model, place)):
            why += f"(是不是“{meant}”?)"
        line = line_at(source.yaml, place) + source.before
        said = f"{'.'.join(map(str, place)) or '内容'}:{why.removeprefix('Value error, ')}"
        raise BrokenKnowledge(source.path, line, said) from error


def _meant(model: type[BaseModel], place: tuple[int | str, ...]) -> str | None:
    known = list(model.model_fields) if len(place) == 1 else []
    return next(iter(difflib.get_close_matches(str(place[-1]), known, 1)), None)


def _parts(source: Source, names: dict[str, str]) -> dict[str, str]:
    for name in source.sections:
        if name not in names:
            raise broken(source.path, f"## {name}", f"不认识的标题“{name}”,应为:{'、'.join(names)}")
    return {names[name]: body for name, body in source.sections.items()}


def read_statute(path: Path) -> Iterator[Statute]:
    """The statute of a file."""
    source = read_markdown(path)
    texts: dict[str, str] = {}
    for name, body in source.sections.items():
        if (article := article_of(name)) in texts:  # 第58条 beside 第五十八条
            raise broken(path, f"## {name}", f"第 {article} 条重复:同一条只写一次,删去一处")
        texts[article] = "\n".join(filter(None, body.split("\n")))
    yield _build(Statute, source, source.data | {"texts": texts})


def read_card(path: Path) -> Iterator[Card]:
    """The card of a file; its folder is its topic."""
    source = read_markdown(path)
    yield _build(Card, source, source.data | {"topic": path.parent.name} | _parts(source, _CARD_PARTS))


def read_case(path: Path) -> Iterator[Case]:
    """The case of a file."""
    source = read_markdown(path)
    yield _build(Case, source, source.data | _parts(source, _CASE_PARTS))


def read_parameters(path: Path) -> Iterator[Parameter]:
    """The parameters of a file."""
    source = read_yaml(path)
    yield from _build(ParameterFile, source, source.data).parameters


def read_questions(path: Path) -> Questions:
    """The questions of a file, by article."""
    source = read_yaml(path)
    return _build(Questions, source, source.data)


def read_signals(path: Path) -> Iterator[Signal]:
    """The signals of a file."""
    source = read_yaml(path)
    yield from _build(Lexicon, source, source.data).signals


def read_rules(path: Path, paths: dict[str, Path]) -> RuleFile:
    """The rules of a file, each name noted in ``paths``."""
    source = read_yaml(path)
    rules = _build(RuleFile, source, source.data)
    for name in [item.id for item in rules.named]:
        if name in paths:
            raise broken(path, name, f"“{name}”与 {paths[name]} 重复,请改一个名字")
        paths[name] = path
    return rules
