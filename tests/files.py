"""Hard files, made on the spot."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def pdf(path: Path, *pages: str, password: str | None = None) -> Path:
    """A PDF with one line of Latin text a page; an empty text is a page without words."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(width=400, height=400)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): writer._add_object(font)})}
        )
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode() if text else b"")
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    with path.open("wb") as out:
        writer.write(out)
    assert len(PdfReader(path, password=password).pages) == len(pages)
    return path


def truncated_pdf(path: Path) -> Path:
    """The first half of a PDF."""
    whole = pdf(path, "refund " * 50).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def jpeg(path: Path) -> Path:
    """A picture, whatever the name says."""
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "JPEG")
    path.write_bytes(data.getvalue())
    return path


def word(path: Path, *paragraphs: str, table: list[list[str]] | None = None) -> Path:
    """A Word document."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if table:
        grid = document.add_table(rows=len(table), cols=len(table[0]))
        for row, cells in zip(grid.rows, table, strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
    document.save(str(path))
    return path


def bomb(path: Path, size: int) -> Path:
    """A small Word document that unpacks to ``size`` bytes more."""
    word(path, "退款")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/media/big.bin", "w") as entry:
        block = bytes(1 << 20)
        for _ in range(size // len(block) + 1):
            entry.write(block)
    return path
