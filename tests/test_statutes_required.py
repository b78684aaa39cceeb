"""The law the advisor must hold, and when it is in force, checked by hand against the official texts."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.library import Library
from knowledge.schema import Provision, Ref

REQUIRED = {
    "民法典": "6 7 143 146 148 149 152 155 157 179 188 500 509 577 582 584 591 610 615 620 621 985 986 987 995"
    " 1032 1034 1037 1165",
    "民法典总则编解释": "21",
    "民事诉讼法": "22 24",
    "民事诉讼法解释": "20 108 109",
    "诉讼费用交纳办法": "13 16",
    "行政处罚法": "37",
    "刑事诉讼法": "113",
    "行政复议法": "23",
    "公安机关办理行政案件程序规定": "10 11 61 154",
    "个人信息保护法": "25 47",
    "市场监督管理投诉举报处理办法": "3 17",
    "治安管理处罚法(2012修正)": "49",
    "治安管理处罚法(2025修订)": "12 20 22 25 50 58 90 121 136",
    "刑法": "13 17 22 23 24 25 26 27 37 52 53 61 64 67 72 87 266 274",
    "诈骗刑事案件解释": "1 2 3 4 5 6 7 8 9 10 11",
    "敲诈勒索刑事案件解释": "1 2 3 4 5 6 7 8 9",
    "电信网络诈骗意见": "二(一)",
    "反电信网络诈骗法": "2 38",
    "人工智能生成合成内容标识办法": "1 2 3 4 5 6 7 8 9 10 11 12 13 14",
}


def provision(library: Library, written: str, on: date = date(2026, 11, 23)) -> Provision:
    found = library.resolve(Ref.parse(written), on)
    assert found is not None, f"没有收录 {written}"
    return found


@pytest.mark.parametrize(
    "written", [f"{law} {article}" for law, articles in REQUIRED.items() for article in articles.split()]
)
def test_is_held(library: Library, written: str) -> None:
    assert len(provision(library, written).text) > 10


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("治安管理处罚法(2012修正) 49", "处五日以上十日以下拘留，可以并处五百元以下罚款"),
        ("治安管理处罚法(2025修订) 58", "处五日以上十日以下拘留或者二千元以下罚款"),
        ("治安管理处罚法(2025修订) 25", "六个月"),
        ("刑法 266", "三年以下有期徒刑、拘役或者管制，并处或者单处罚金"),
        ("诈骗刑事案件解释 1", "三千元至一万元以上"),
        ("敲诈勒索刑事案件解释 1", "二千元至五千元以上"),
        ("民法典 148", "受欺诈方有权请求人民法院或者仲裁机构予以撤销"),
        ("民法典 188", "三年"),
        ("民事诉讼法解释 109", "排除合理怀疑"),
        ("诉讼费用交纳办法 13", "50元"),
        ("消费者权益保护法 25", "七日"),
    ],
)
def test_says_what_everyone_relies_on(library: Library, written: str, words: str) -> None:
    assert words.replace("，", "") in provision(library, written).text.replace("，", "").replace(",", "")


@pytest.mark.parametrize(
    ("written", "day", "in_force"),
    [
        ("治安管理处罚法(2012修正) 49", date(2012, 12, 31), False),
        ("治安管理处罚法(2012修正) 49", date(2013, 1, 1), True),
        ("治安管理处罚法(2012修正) 49", date(2025, 12, 31), True),
        ("治安管理处罚法(2012修正) 49", date(2026, 1, 1), False),
        ("治安管理处罚法(2025修订) 58", date(2025, 12, 31), False),
        ("治安管理处罚法(2025修订) 58", date(2026, 1, 1), True),
        ("人工智能生成合成内容标识办法 10", date(2025, 8, 31), False),
        ("人工智能生成合成内容标识办法 10", date(2025, 9, 1), True),
        ("网络交易平台规则监督管理办法 19", date(2026, 1, 31), False),
        ("网络交易平台规则监督管理办法 19", date(2026, 2, 1), True),
        ("市场监督管理投诉举报处理办法 17", date(2026, 4, 14), False),
        ("市场监督管理投诉举报处理办法 17", date(2026, 4, 15), True),
        ("市场监督管理投诉举报处理暂行办法 15", date(2026, 4, 14), True),
        ("市场监督管理投诉举报处理暂行办法 15", date(2026, 4, 15), False),
        ("民法典 148", date(2020, 12, 31), False),
        ("民法典 148", date(2021, 1, 1), True),
        ("诈骗刑事案件解释 1", date(2011, 4, 7), False),
        ("诈骗刑事案件解释 1", date(2011, 4, 8), True),
        ("敲诈勒索刑事案件解释 1", date(2013, 4, 26), False),
        ("敲诈勒索刑事案件解释 1", date(2013, 4, 27), True),
        ("反电信网络诈骗法 38", date(2022, 11, 30), False),
        ("反电信网络诈骗法 38", date(2022, 12, 1), True),
        ("电信网络诈骗意见 二(一)", date(2016, 12, 20), True),
        ("个人信息保护法 25", date(2021, 11, 1), True),
        ("行政复议法 23", date(2024, 1, 1), True),
    ],
)
def test_is_in_force_from_its_day_to_its_day(library: Library, written: str, day: date, in_force: bool) -> None:
    assert provision(library, written, day).in_force(day) is in_force


@pytest.mark.parametrize(
    ("number", "law"),
    [
        ("市场监管总局、国家网信办令第116号", "网络交易平台规则监督管理办法"),
        ("市场监管总局令第121号", "市场监督管理投诉举报处理办法"),
        ("法释〔2011〕7号", "诈骗刑事案件解释"),
        ("法释〔2013〕10号", "敲诈勒索刑事案件解释"),
        ("法发〔2016〕32号", "电信网络诈骗意见"),
        ("国信办通字〔2025〕2号", "人工智能生成合成内容标识办法"),
        ("国务院令第481号", "诉讼费用交纳办法"),
    ],
)
def test_document_numbers(library: Library, number: str, law: str) -> None:
    assert [s.short for s in library.statutes.values() if s.document_number == number] == [law]


def test_every_provision_says_where_it_is_from_and_when_it_was_checked(library: Library) -> None:
    for held in library.provisions.values():
        assert held.source
        assert held.checked_on <= date(2026, 11, 23)
        assert held.confidence in ("high", "medium", "low")
        assert held.repealed is None or held.effective < held.repealed
