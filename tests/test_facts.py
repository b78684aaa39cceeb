"""Facts read from free text: amounts, days, places, who speaks, what is denied or only suspected."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.consultation import Consultation, Fact, Turn
from advisor.facts import FactReader
from knowledge.library import load

TODAY = date(2026, 11, 23)  # a Monday
NEW_YEAR = date(2026, 1, 2)  # a Friday


def read(reader: FactReader, text: str, asked_on: date = TODAY, **more: Any) -> dict[str, Fact]:
    return reader.read(Consultation(question=text, **more), asked_on)


def value(facts: dict[str, Fact], name: str) -> Any:
    return facts[name].value if name in facts else None


@pytest.mark.parametrize(
    ("written", "yuan"),
    [
        ("86元", 86),
        ("86块", 86),
        ("86块钱", 86),
        ("86.5元", 86.5),
        ("86块5", 86.5),
        ("86元5角", 86.5),
        ("八十六块", 86),
        ("¥299", 299),
        ("¥299.00", 299),
        ("RMB 300", 300),
        ("300rmb", 300),
        ("人民币4500元", 4500),
        ("200元", 200),
        ("6200", 6200),
        ("6,200元", 6200),
        ("6200多元", 6200),
        ("六千二百元", 6200),
        ("六千二", 6200),
        ("6千2", 6200),
        ("两千三", 2300),
        ("3千", 3000),
        ("3k", 3000),
        ("3K", 3000),
        ("1千2百元", 1200),
        ("三百多", 300),
        ("五百来块", 500),
        ("1万", 10_000),
        ("1.2万", 12_000),
        ("1万2", 12_000),
        ("1万2千元", 12_000),
        ("一万二", 12_000),
        ("一万二千元", 12_000),
        ("1.5w元", 15_000),
        ("2w", 20_000),
        ("两万五千六百元", 25_600),
        ("10万", 100_000),
        ("十万元", 100_000),
    ],
)
def test_amounts_as_people_write_them(reader: FactReader, written: str, yuan: float) -> None:
    assert value(read(reader, f"买家骗我退了{written},怎么办"), "amount_yuan") == yuan


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("下单1299,退了299", 299),
        ("他退了3单,一共1500元", 1500),
        ("他退了12单,每单50元", 600),
        ("十二单每单五十块", 600),
        ("退了12单,每单50元,总共580元", 580),
        ("2026年3月12日退了86元", 86),
        ("根据刑法第266条,他骗了我500元", 500),
        ("不是6200元,是2600元", 2600),
        ("标准是3000元,我被骗2800元", 2800),
        ("法释〔2011〕7号怎么规定", None),
        ("买家是2025年的老客户", None),
        ("退了3单", None),
    ],
)
def test_the_amount_at_stake_is_told_from_other_numbers(reader: FactReader, text: str, yuan: float | None) -> None:
    assert value(read(reader, text), "amount_yuan") == yuan


@pytest.mark.parametrize(
    ("asked_on", "when", "first", "last"),
    [
        (TODAY, "今天", "2026-11-23", "2026-11-23"),
        (TODAY, "昨天", "2026-11-22", "2026-11-22"),
        (TODAY, "前天", "2026-11-21", "2026-11-21"),
        (TODAY, "三天前", "2026-11-20", "2026-11-20"),
        (TODAY, "上周", "2026-11-16", "2026-11-22"),
        (TODAY, "上周五", "2026-11-20", "2026-11-20"),
        (TODAY, "上个月", "2026-10-01", "2026-10-31"),
        (TODAY, "这个月", "2026-11-01", "2026-11-23"),
        (TODAY, "两个月前", "2026-09-01", "2026-09-30"),
        (TODAY, "八个月前", "2026-03-01", "2026-03-31"),
        (TODAY, "去年", "2025-01-01", "2025-12-31"),
        (TODAY, "2025年", "2025-01-01", "2025-12-31"),
        (TODAY, "2025年12月", "2025-12-01", "2025-12-31"),
        (TODAY, "今年3月", "2026-03-01", "2026-03-31"),
        (TODAY, "3月", "2026-03-01", "2026-03-31"),
        (TODAY, "12月", "2025-12-01", "2025-12-31"),
        (TODAY, "11月份", "2026-11-01", "2026-11-23"),
        (TODAY, "十二月", "2025-12-01", "2025-12-31"),
        (TODAY, "3月12日", "2026-03-12", "2026-03-12"),
        (TODAY, "3月12号", "2026-03-12", "2026-03-12"),
        (TODAY, "11月20日", "2026-11-20", "2026-11-20"),
        (TODAY, "12月20日", "2025-12-20", "2025-12-20"),
        (TODAY, "去年11月20日", "2025-11-20", "2025-11-20"),
        (TODAY, "前年5月1日", "2024-05-01", "2024-05-01"),
        (TODAY, "2025年11月20日", "2025-11-20", "2025-11-20"),
        (TODAY, "2025-11-20", "2025-11-20", "2025-11-20"),
        (TODAY, "2025/11/20", "2025-11-20", "2025-11-20"),
        (TODAY, "2025.11.20", "2025-11-20", "2025-11-20"),
        (TODAY, "十一月二十日", "2026-11-20", "2026-11-20"),
        (TODAY, "二〇二五年十一月二十日", "2025-11-20", "2025-11-20"),
        (TODAY, "2025年12月到2026年1月", "2025-12-01", "2026-01-31"),
        (TODAY, "12月28日到1月3日", "2025-12-28", "2026-01-03"),
        (NEW_YEAR, "昨天", "2026-01-01", "2026-01-01"),
        (NEW_YEAR, "前天", "2025-12-31", "2025-12-31"),
        (NEW_YEAR, "三天前", "2025-12-30", "2025-12-30"),
        (NEW_YEAR, "上周", "2025-12-22", "2025-12-28"),
        (NEW_YEAR, "上个月", "2025-12-01", "2025-12-31"),
        (NEW_YEAR, "两个月前", "2025-11-01", "2025-11-30"),
        (NEW_YEAR, "12月30日", "2025-12-30", "2025-12-30"),
        (NEW_YEAR, "1月20日", "2025-01-20", "2025-01-20"),
        (NEW_YEAR, "12月", "2025-12-01", "2025-12-31"),
        (NEW_YEAR, "去年12月31日", "2025-12-31", "2025-12-31"),
        (date(2024, 3, 1), "昨天", "2024-02-29", "2024-02-29"),
        (date(2024, 3, 1), "2月29日", "2024-02-29", "2024-02-29"),
        (date(2024, 3, 1), "三个月前", "2023-12-01", "2023-12-31"),
    ],
)
def test_days_are_counted_from_the_day_of_asking(
    reader: FactReader, asked_on: date, when: str, first: str, last: str
) -> None:
    facts = read(reader, f"{when}买家骗了我86元退款", asked_on)
    assert (value(facts, "date_from"), value(facts, "date_to")) == (first, last)
    assert facts["date"].source != "assumed"


@pytest.mark.parametrize(
    "text",
    [
        "买家骗了我86元退款",
        "根据2012年修正的治安管理处罚法,买家这样算什么",
        "2月30日买家骗了我",
        "去年2月29日买家骗了我",
        "保修三个月,买家骗了我",
    ],
)
def test_without_a_day_today_is_assumed_and_said_so(reader: FactReader, text: str) -> None:
    facts = read(reader, text)
    assert value(facts, "date_from") == value(facts, "date_to") == "2026-11-23"
    assert facts["date_from"].source == "assumed"


def test_the_day_of_the_conduct_is_not_that_of_the_order_or_the_report(reader: FactReader) -> None:
    facts = read(reader, "我3月1日发货,3月12日买家P图骗退款,4月2日我报警")
    assert value(facts, "date_from") == "2026-03-12"


@pytest.mark.parametrize(
    ("text", "name", "state"),
    [
        ("买家调包了", "swap", True),
        ("买家没有调包", "swap", False),
        ("我怀疑买家调包", "swap", "doubted"),
        ("可能是买家调包了", "swap", "doubted"),
        ("如果买家调包怎么办", "swap", True),  # a first question that supposes is answered as supposed
        ("退回来的是空包裹,买家骗我", "empty_parcel", True),
        ("疑似空包", "empty_parcel", "doubted"),
        ("买家用AI生成的假图骗我", "ai_fake", True),
        ("图不是AI生成的", "ai_fake", False),
        ("我没有P图", "ai_fake", False),
        ("我有发货视频", "packing_video", True),
        ("我没有发货视频", "packing_video", False),
    ],
)
def test_said_denied_doubted_and_supposed_are_told_apart(
    reader: FactReader, text: str, name: str, state: bool | str | None
) -> None:
    assert value(read(reader, text), name) == state


@pytest.mark.parametrize(
    "text",
    [
        "商家说我P图,我没有P图,货真的坏了",
        "商家说图是AI生成的",
        "商家一直说我造假",
        "客服怀疑我调包",
        "商家咬定我退的是空包,其实我原样退的",
    ],
)
def test_what_the_seller_says_is_no_confession_of_the_buyer(reader: FactReader, text: str) -> None:
    facts = read(reader, text)
    assert value(facts, "role") == "consumer"
    for name in ("confessed", "claim_false", "ai_fake", "swap", "empty_parcel"):
        assert value(facts, name) is not True, name


@pytest.mark.parametrize(
    ("text", "role", "source"),
    [
        ("我是商家,被人退款了", "merchant", None),
        ("买家退回来一包石头", "merchant", None),
        ("我是买家", "consumer", None),
        ("我在网上买了个杯子,商家不给退", "consumer", None),
        ("我是新来的客服,培训要考试", "trainee", None),
        ("刑法第266条是什么", "consumer", "assumed"),
    ],
)
def test_who_is_asking(reader: FactReader, text: str, role: str, source: str | None) -> None:
    fact = read(reader, text)["role"]
    assert fact.value == role
    assert source is None or fact.source == source


@pytest.mark.parametrize(
    ("text", "province", "place"),
    [
        ("买家在浙江", "浙江", "浙江"),
        ("我在深圳开店", "广东", "深圳"),
        ("汕头的买家", "广东", "汕头"),
        ("买家骗了我", None, None),
    ],
)
def test_places(reader: FactReader, text: str, province: str | None, place: str | None) -> None:
    facts = read(reader, text)
    assert (value(facts, "province"), value(facts, "place")) == (province, place)


@pytest.mark.parametrize(("text", "age"), [("我15岁", 15), ("我儿子十三岁", 13), ("买家骗了我150元", None)])
def test_ages(reader: FactReader, text: str, age: int | None) -> None:
    assert value(read(reader, text), "age") == age


def test_what_is_given_goes_before_what_is_read(reader: FactReader) -> None:
    facts = read(reader, "昨天买家骗了我,我在浙江", role="trainee", province="江苏", date=date(2025, 12, 1))
    assert (value(facts, "role"), value(facts, "province"), value(facts, "date_from")) == (
        "trainee",
        "江苏",
        "2025-12-01",
    )
    assert {facts[name].source for name in ("role", "province", "date_from", "date_to")} == {"given"}


def test_corrections_go_before_everything(reader: FactReader) -> None:
    corrections = {"amount_yuan": 500, "swap": None, "date": "2025-12-01至2026-01-10"}
    facts = read(reader, "昨天买家调包,退了6200元", corrections=corrections)
    assert value(facts, "amount_yuan") == 500
    assert "swap" not in facts
    assert (value(facts, "date_from"), value(facts, "date_to")) == ("2025-12-01", "2026-01-10")
    assert facts["amount_yuan"].source == "given"


def test_a_later_turn_corrects_an_earlier_one(reader: FactReader) -> None:
    history = [
        Turn(role="user", content="买家在浙江,昨天骗我退了6200元"),
        Turn(role="assistant", content="买家在北京,退了9999元"),
    ]
    facts = read(reader, "说错了,是2600元", history=history)
    assert (value(facts, "amount_yuan"), value(facts, "province")) == (2600, "浙江")
    assert value(facts, "date_from") == "2026-11-22"


def parts(fact: Fact) -> list[str]:
    """The words a source is made of: two spans of days or a price and a count are named together."""
    return [part for part in re.split("[×、]", fact.source) if part not in ("given", "assumed", "")]


@pytest.mark.parametrize(
    "text",
    [
        "昨天买家用AI P图骗我退了6200元,我在杭州,有发货视频,想报警",
        "買家調包,退了１２單,每單５０元,12月28日到1月3日的事",
        "我15岁,在淘宝退了３００块,商家说我造假,我没有造假",
        "TB上買家退回來空包,疑似調包,總共¥1,299.00",
    ],
)
def test_every_fact_names_words_of_the_text(reader: FactReader, text: str) -> None:
    facts = read(reader, text)
    assert len(facts) > 5
    for name, fact in facts.items():
        assert all(part in text for part in parts(fact)), (name, fact.source)


WORDS = [
    "买家",
    "商家",
    "没有",
    "怀疑",
    "调包",
    "P图",
    "退了",
    "6200元",
    "３块",
    "上周",
    "3月",
    "12日",
    "去年",
    "、",
    "×",
    "。",
]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=12).map("".join))
def test_no_text_breaks_the_reader_and_no_source_is_invented(text: str) -> None:
    facts = FactReader(load()).read(Consultation(question=text), TODAY)
    assert date.fromisoformat(facts["date_from"].value) <= date.fromisoformat(facts["date_to"].value)
    for name, fact in facts.items():
        assert all(part in text for part in parts(fact)), (name, fact.source)


@pytest.mark.parametrize(
    "text", ["30000个月前", "万万个月前", "9999年12月31日", "退了万万元", f"退了{'9' * 400}元", "万岁"]
)
def test_absurd_numbers_are_no_facts(reader: FactReader, text: str) -> None:
    facts = read(reader, f"{text}买家骗了我")
    assert facts["date_from"].source == "assumed"
    assert not {"amount_yuan", "age"} & set(facts)
