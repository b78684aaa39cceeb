"""Splitting loses nothing, and a law is split by article."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.articles import PIECE_LIMIT, is_statute, split

LAW = """中华人民共和国示范法

目录
(2026年1月1日施行)

第一编 总则

第一章 一般规定

第一条 为了示范,制定本法。

第二条 本法适用于:
(一)买家;
(二)卖家。

第二款不另起条号。

第二章 退款

第一节 七日

第二百五十三条 退款应当真实。

第二百五十三条之一 用假图的,依第二条处理。

第二百五十四条
没有空格也是一条。
"""
PIECES = [
    "第一条 ",
    "第二百五十三条之一 ",
    "第三条",
    "\n",
    "\n\n",
    " ",
    "# 标题\n",
    "第一章 总则\n",
    "买家退款。",
    "长" * 500,
    "",
    "\r\n",
    "\u3000",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=30), max_size=40).map("".join))
@example("")
@example(" \n\n \n")
@example(LAW)
@example("无标点" * 2_000)
def test_splitting_loses_nothing(text: str) -> None:
    sections = split(text)
    assert "".join(section.text for section in sections) == text
    assert all(section.text for section in sections)


def test_a_law_is_split_by_article() -> None:
    assert is_statute(LAW)
    articles = {section.article: section for section in split(LAW) if section.article}
    assert list(articles) == ["1", "2", "253", "253之一", "254"]
    assert "卖家" in articles["2"].text
    assert "第二款不另起条号" in articles["2"].text
    assert articles["253之一"].heading == "第二百五十三条之一"
    assert "依第二条处理" in articles["253之一"].text
    assert "没有空格也是一条" in articles["254"].text


def test_parts_chapters_and_sections_belong_to_no_article() -> None:
    headings = [section.heading for section in split(LAW) if section.article is None]
    assert headings[1:] == ["第一编 总则", "第一章 一般规定", "第二章 退款", "第一节 七日"]
    assert all("第二章" not in section.text for section in split(LAW) if section.article)


def test_markdown_headings_of_articles() -> None:
    text = "# 法\n\n## 第一条\n\n甲。\n\n## 第二条\n\n乙。\n\n## 第十条之一\n\n丙。\n"
    assert [section.article for section in split(text)] == [None, "1", "2", "10之一"]


def test_an_article_named_in_a_sentence_begins_nothing() -> None:
    text = "第一条 甲。\n依照第二条处理,\n第二条规定的除外。\n第二条 乙。\n第三条 丙。\n"
    assert [section.article for section in split(text)] == ["1", "2", "3"]


def test_other_text_is_split_by_paragraph_under_its_heading() -> None:
    text = "# 售后规则\n\n" + "退款要如实。" * 300 + "\n\n# 运费\n\n谁错谁付。\n"
    sections = split(text)
    assert not is_statute(text)
    assert all(len(section.text) <= PIECE_LIMIT for section in sections)
    assert sections[0].heading == "售后规则"
    assert sections[-1].heading == "运费"
    assert all(section.article is None for section in sections)


@pytest.mark.parametrize(("text", "count"), [("", 0), ("一句话", 1)])
def test_little_text(text: str, count: int) -> None:
    assert len(split(text)) == count
