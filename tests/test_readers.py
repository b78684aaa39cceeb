"""A user's file is read, or refused with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import readers
from ingest.readers import Refused, read
from tests import files


def written(data: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "make", "why"),
    [
        ("empty.md", written(b""), "空"),
        ("blank.txt", written(b" \n\t\n"), "没有可读的文字"),
        ("picture.png", written(b"\x89PNG"), "不支持"),
        ("old.doc", written(b"\xd0\xcf\x11\xe0"), "不支持"),
        ("noname", written(b"text"), "不支持"),
        ("binary.txt", written(bytes(range(128, 256)) * 20), "UTF-8|乱码"),
        ("garbled.txt", written("\ue000\ue001\ufffd\u0e01".encode() * 100), "乱码"),
        ("picture.pdf", files.jpeg, "PDF"),
        ("half.pdf", files.truncated_pdf, "PDF"),
        ("noise.pdf", written(b"%PDF-1.7\nnothing here"), "PDF"),
        ("secret.pdf", lambda path: files.pdf(path, "refund", password="x"), "密码"),
        ("scan.pdf", lambda path: files.pdf(path, "", ""), "扫描"),
        ("picture.docx", files.jpeg, "DOCX"),
        ("bomb.docx", lambda path: files.bomb(path, 201 << 20), "过大"),
        ("blank.docx", lambda path: files.word(path, ""), "没有可读的文字"),
        ("lines.jsonl", written(b'{"a": 1}\nnot json\n'), "没有可读的文字"),
    ],
)
def test_a_hard_file_is_refused_with_its_reason(
    tmp_path: Path, name: str, make: Callable[[Path], Path], why: str
) -> None:
    path = make(tmp_path / name)
    with pytest.raises(Refused, match=why):
        read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    for path in (tmp_path / "gone.md", tmp_path / "folder.md"):
        with pytest.raises((Refused, OSError)):
            read(path)


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "SIZE_LIMIT", 2 << 20)
    with pytest.raises(Refused, match="上限"):
        read(written(b"a" * (3 << 20))(tmp_path / "big.txt"))


def test_a_pdf_with_too_many_pages_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "PAGE_LIMIT", 2)
    with pytest.raises(Refused, match="页"):
        read(files.pdf(tmp_path / "long.pdf", "a", "b", "c"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_chinese_text_is_read_in_the_usual_encodings(tmp_path: Path, encoding: str) -> None:
    path = written("买家退款要如实。".encode(encoding))(tmp_path / "rule.txt")
    assert read(path).pages == ["买家退款要如实。"]


def test_pdf_pages_are_kept_apart_and_empty_ones_pointed_out(tmp_path: Path) -> None:
    document = read(files.pdf(tmp_path / "two.PDF", "refund rule", "", "third page"))
    assert document.kind == "pdf"
    assert [page.strip() for page in document.pages] == ["refund rule", "", "third page"]
    assert any("2" in warning for warning in document.warnings)


def test_word_paragraphs_and_tables_are_read(tmp_path: Path) -> None:
    path = files.word(tmp_path / "rule.docx", "第一段", "第二段", table=[["金额", "86元"], ["日期", "3月12日"]])
    text = read(path).pages[0]
    assert text.index("第一段") < text.index("第二段") < text.index("金额 | 86元") < text.index("日期 | 3月12日")


def test_bad_lines_of_jsonl_are_pointed_out_and_skipped(tmp_path: Path) -> None:
    lines = [json.dumps({"text": "第一"}), "{", "[1]", json.dumps({"other": 1}), "", json.dumps({"text": "第二"})]
    path = written("\n".join(lines).encode())(tmp_path / "rows.jsonl")
    document = read(path)
    assert "".join(document.pages).split() == ["第一", "第二"]
    assert [warning.split()[1] for warning in document.warnings] == ["2", "3", "4"]
