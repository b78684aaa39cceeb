"""A knowledge file as it is written: its YAML, its ``##`` sections, and the line on which each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from knowledge.schema import BrokenKnowledge

# The C reader is ten times as fast; it is not part of every build of PyYAML.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Step = int | str | tuple[str, str]
"""A step down into YAML: the number of an item, a key, or (key, value) for the item that has it."""
Place = tuple[Step, ...]


class Source(NamedTuple):
    """A file read: its YAML as written, the line before it begins, as data, and its sections by heading."""

    path: Path
    yaml: str
    before: int
    data: dict[str, Any]
    sections: dict[str, str]


def broken(path: Path, needle: str, why: str) -> BrokenKnowledge:
    """The error for a file, at the first line where the needle stands."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return BrokenKnowledge(path, next((n for n, line in enumerate(lines, 1) if needle in line), None), why)


def broken_at(path: Path, place: Place, why: str) -> BrokenKnowledge:
    """The error for a file, at the line of a place in its YAML."""
    text = path.read_text(encoding="utf-8")
    front = re.match(r"---\n(.*?\n)---\n", text, re.S)
    return BrokenKnowledge(path, line_at(front[1], place) + 1 if front else line_at(text, place), why)


def line_at(source: str, place: Place) -> int:
    """The line of a YAML text where a value stands, or what it would stand in when it is missing."""
    node = yaml.compose(source, Loader=_LOADER)
    line = node.start_mark.line if node else 0
    for step in place:
        if isinstance(node, yaml.MappingNode):
            below = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if below is None:
                break
            line, node = below[0].start_mark.line, below[1]
        elif isinstance(node, yaml.SequenceNode):
            item = _item(node, step)
            if item is None:
                break
            line, node = item.start_mark.line, item
    return int(line) + 1


def _item(node: yaml.SequenceNode, step: Step) -> yaml.Node | None:
    if isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    for item in node.value:
        if isinstance(item, yaml.MappingNode) and any((key.value, value.value) == step for key, value in item.value):
            return item
    return None


def read_yaml(path: Path) -> Source:
    """Read a YAML file; raises :class:`BrokenKnowledge` where it is not UTF-8, not YAML or says a thing twice."""
    text = _text(path)
    return Source(path, text, 0, _data(path, text, 0), {})


def read_markdown(path: Path) -> Source:
    """Read front matter and the sections under ``##`` headings; raises :class:`BrokenKnowledge` as above."""
    text = _text(path)
    front = re.match(r"---\n(.*?\n)---\n", text, re.S)
    if not front:
        raise BrokenKnowledge(path, 1, "文件开头没有说明部分:第一行写“---”,写完各项再用一行“---”收尾")
    return Source(path, front[1], 1, _data(path, front[1], 1), dict(_sections(path, text, front.end())))


def _sections(path: Path, text: str, start: int) -> Iterator[tuple[str, str]]:
    first, *blocks = re.split(r"^## +(.+)$", text[start:], flags=re.M)
    if first.strip():
        raise broken(path, first.strip().split("\n")[0], "“## 标题”之前不应有文字:删去,或者移到标题下面")
    before = text.count("\n", 0, start) + first.count("\n") + 1
    seen: dict[str, int] = {}
    for heading, body in zip(blocks[::2], blocks[1::2], strict=True):
        name = heading.strip()
        if name in seen:
            raise BrokenKnowledge(path, before, f"标题“{name}”重复(第{seen[name]}行已有):删去一处或者改正标题")
        if not body.strip():
            raise BrokenKnowledge(path, before, f"“{name}”下面没有文字:补上,或者连标题一起删去")
        seen[name] = before
        before += body.count("\n")
        yield name, body.strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BrokenKnowledge(path, line, f"不是 UTF-8 文本({error.reason}),请另存为 UTF-8") from error


def _data(path: Path, text: str, before: int) -> dict[str, Any]:
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        if (twice := _repeated(node, set())) is not None:
            line = twice.start_mark.line + 1 + before
            raise BrokenKnowledge(path, line, f"“{twice.value}”这一项写了两次:删去一处,或者合并成一处")
        data = loader.construct_document(node) if node else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 + before if mark else before + 1
        mend = "检查这一行和上一行的引号、括号、冒号后的空格和缩进"
        raise BrokenKnowledge(path, line, f"YAML 写法有误({getattr(error, 'problem', error)}):{mend}") from error
    except ValueError as error:  # a day no calendar has
        day = next((m for m in re.finditer(r"\d{4}-\d+-\d+", text) if not _is_day(m[0])), None)
        line = text.count("\n", 0, day.start()) + 1 + before if day else before + 1
        raise BrokenKnowledge(path, line, f"日期有误:{day[0] if day else error},请改成日历上有的日子") from error
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise BrokenKnowledge(path, before + 1, "应当是“键: 值”的形式,例如“id: zhian-2025”")
    return data


def _repeated(node: Any, seen: set[int]) -> Any:
    """The first key that stands twice in one mapping (58 and "58" are the same to us), or nothing."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return None
    seen.add(id(node))
    if not isinstance(node, yaml.MappingNode):
        return next((twice for item in node.value if (twice := _repeated(item, seen)) is not None), None)
    keys: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in keys:
            return key
        keys.add(str(key.value))
        if (twice := _repeated(value, seen)) is not None:
            return twice
    return None


def _is_day(text: str) -> bool:
    try:
        date(*map(int, text.split("-")))
    except ValueError:
        return False
    return True
