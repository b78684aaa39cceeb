"""Reads a user's own file into pages of text, or says why it can't be read."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

SIZE_LIMIT = 50 * 1024 * 1024
PAGE_LIMIT = 2_000
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Refused(Exception):
    """A file that can't be used, with what the user can do about it."""


@dataclass
class Document:
    """A file's text by page (one page where the format has none; a page a line for JSONL).

    ``labels`` and ``ids`` say for each line of a JSONL corpus whose text it is ("" where it doesn't say); ``refused``
    counts the lines left out, which ``warnings`` name.
    """

    kind: str
    pages: list[str]
    warnings: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    refused: int = 0


def read(path: Path) -> Document:
    """Read ``.md``, ``.txt``, ``.pdf``, ``.docx``, ``.jsonl`` or ``.jsonl.gz``; raises :class:`Refused`."""
    if path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        return _jsonl(path)
    readers = {".md": _plain, ".txt": _plain, ".pdf": _pdf, ".docx": _docx}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Refused(f"不支持“{path.suffix or '无后缀'}”文件,请另存为 PDF、DOCX、Markdown、TXT 或 JSONL")
    check_size(path, SIZE_LIMIT)
    document = reader(path)
    text = "".join(document.pages)
    if not text.strip():
        raise Refused("里面没有可读的文字(可能是扫描件),请换成带文字的文件")
    if garbled(text):
        raise Refused("读出来的是乱码(字体编码不标准),请用原软件重新导出,或换成 DOCX、TXT")
    if CONTROL.search(text):
        document.pages = [CONTROL.sub("", page) for page in document.pages]
        document.warnings.append("含有 NUL 等控制字符,已去掉")
    return document


def check_size(path: Path, limit: int) -> None:
    """Raises :class:`Refused` for a file that is missing, empty or larger than ``limit`` bytes."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Refused(f"打不开文件:{error.strerror}") from error
    if size == 0:
        raise Refused("文件是空的")
    if size > limit:
        raise Refused(f"文件有 {size // 1024 // 1024} MB,超过 {limit // 1024 // 1024} MB 的上限,请拆开再试")


def _plain(path: Path) -> Document:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return Document(path.suffix[1:].lower(), [data.decode(encoding)])
        except UnicodeDecodeError:
            continue
    raise Refused("不是 UTF-8 或 GBK 文本,请另存为 UTF-8")


def _pdf(path: Path) -> Document:
    from pypdf import PdfReader
    from pypdf.errors import PdfReadError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted:
            raise Refused("PDF 有密码,请解除密码后再试")
        if len(reader.pages) > PAGE_LIMIT:
            raise Refused(f"PDF 有 {len(reader.pages)} 页,超过 {PAGE_LIMIT} 页的上限,请拆开再试")
        pages = [page.extract_text() for page in reader.pages]
    except (PdfReadError, ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise Refused(f"不是完好的 PDF({error}),请重新导出") from error
    blank = [number for number, page in enumerate(pages, 1) if not page.strip()]
    warnings = [f"第 {'、'.join(map(str, blank[:10]))} 页没有文字(可能是扫描页)"] if blank else []
    return Document("pdf", [f"{page}\n" for page in pages], warnings)


def _docx(path: Path) -> Document:
    import docx
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 4 * SIZE_LIMIT:
                raise Refused("DOCX 解开后过大,疑似损坏或恶意文件,没有读取")
        blocks = []
        for item in docx.Document(str(path)).iter_inner_content():
            if isinstance(item, Paragraph):
                blocks.append(item.text)
            elif isinstance(item, Table):
                blocks.extend(" | ".join(cell.text for cell in row.cells) for row in item.rows)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise Refused("不是完好的 DOCX,请用 Word 或 WPS 重新保存") from error
    return Document("docx", ["\n\n".join(blocks)])


def _jsonl(path: Path) -> Document:
    from ingest import corpus  # which needs what is in here

    return corpus.read(path)


def garbled(text: str) -> bool:
    """Text whose characters are mostly unassigned, replacement or rare ones."""
    letters = re.sub(r"\s", "", text)
    usual = re.findall(r"[\x20-\x7e\u00a0-\u024f\u2000-\u206f\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+", letters)
    return sum(map(len, usual)) < 0.7 * len(letters)
