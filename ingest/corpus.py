"""Reads a corpus, an object a line (JSONL, or that gzipped): a bad line is named and left out, the rest goes in."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ingest.readers import CONTROL, Document, Refused, check_size, garbled

SIZE_LIMIT = 500 * 1024 * 1024
UNPACKED_LIMIT = 2 * 1024 * 1024 * 1024
LINE_LIMIT = 4 * 1024 * 1024
TEXT_LIMIT = 100_000
NAMED = 200  # bad lines that a report names one by one
_SAMPLE = 1_000


class _BadLine(Exception):
    """What is wrong with a line."""


def read(path: Path) -> Document:
    """Every sound line's text, label (law and article) and id; raises :class:`Refused` when there is none.

    A line is ``{"text": …}``, with ``id``, ``law`` and ``article`` where it has them.
    """
    check_size(path, SIZE_LIMIT)
    document, seen, problems = Document("jsonl", []), dict[str, int](), list[str]()
    try:
        encoding = _encoding(path)
        for number, line in enumerate(_lines(path), 1):
            try:
                _take(document, seen, number, line, encoding)
            except _BadLine as problem:
                problems.append(f"第 {number} 行{problem},已跳过")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        # What a cut file lacks would be taken for lines that were removed.
        raise Refused("压缩包不完整或不是 gzip,请重新生成") from error
    except OSError as error:
        raise Refused(f"打不开文件:{error.strerror or error}") from error
    document.refused = len(problems)
    document.warnings = problems[:NAMED]
    if len(problems) > NAMED:
        document.warnings.append(f"另有 {len(problems) - NAMED} 行有误,已跳过")
    if not document.pages:
        raise Refused("没有可读的文字:" + (problems[0] if problems else "每一行都是空的"))
    return document


def _take(document: Document, seen: dict[str, int], number: int, line: bytes | None, encoding: str) -> None:
    if line is None:
        raise _BadLine(f"超过 {LINE_LIMIT // 1024 // 1024} MB")
    try:
        words = line.decode(encoding).strip()
    except UnicodeDecodeError as error:
        raise _BadLine(f"不是 {'GBK' if encoding == 'gb18030' else 'UTF-8'} 文本") from error
    if not words:
        return
    try:
        record = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise _BadLine(" 不是带“text”的 JSON 对象") from error
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise _BadLine(" 不是带“text”的 JSON 对象")
    text, name = record["text"], _word(record, "id")
    law, article = _word(record, "law"), _word(record, "article")
    if not text.strip():
        raise _BadLine("的 text 是空的")
    if len(text) > TEXT_LIMIT:
        raise _BadLine(f"的 text 有 {len(text):,} 字,超过 {TEXT_LIMIT:,} 字的上限")
    if CONTROL.search(text) or CONTROL.search(name + law + article):
        raise _BadLine("含有 NUL、控制字符或不成对的代理字符")
    if garbled(text):
        raise _BadLine("的 text 是乱码")
    if name and seen.setdefault(name, number) != number:
        raise _BadLine(f"的 id“{name[:80]}”与第 {seen[name]} 行重复")
    document.pages.append(f"{text}\n\n")
    document.labels.append(f"{law} {article}".strip() if article.isascii() else law + article)
    document.ids.append(name)


def _word(record: dict[str, object], key: str) -> str:
    value = record.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _BadLine(f"的 {key} 不是文字")
    return str(value).strip()


def _lines(path: Path) -> Iterator[bytes | None]:
    """The lines, without a byte order mark; None for one that is too long. None is ever held whole beyond the limit."""
    with _open(path) as file:
        total, first = 0, True
        while line := file.readline(LINE_LIMIT + 1):
            total += len(line)
            whole = len(line) <= LINE_LIMIT
            while not line.endswith(b"\n") and (rest := file.readline(LINE_LIMIT + 1)):
                total, line, whole = total + len(rest), rest, False
                if total > UNPACKED_LIMIT:
                    break
            if total > UNPACKED_LIMIT:
                raise Refused(f"解开后超过 {UNPACKED_LIMIT // 1024**3} GB,没有读取")
            if first and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise Refused("是 UTF-16 编码,请另存为 UTF-8")
            yield line.removeprefix(b"\xef\xbb\xbf") if first and whole else line if whole else None
            first = False


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _encoding(path: Path) -> str:
    """GBK when the first lines beyond ASCII are all of that and none is UTF-8; UTF-8 otherwise."""
    usual = foreign = 0
    for number, line in enumerate(_lines(path)):
        if number >= _SAMPLE:
            break
        if line is None or line.isascii():
            continue
        if _decodes(line, "utf-8"):
            usual += 1
        elif _decodes(line, "gb18030"):
            foreign += 1
        else:
            return "utf-8"
    return "gb18030" if foreign and not usual else "utf-8"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
