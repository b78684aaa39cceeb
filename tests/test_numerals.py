"""Article numbers between the law's words and ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.numerals import article_of, heading, sort_key, to_chinese, to_int


@given(st.integers(min_value=1, max_value=9999))
def test_every_number_survives_the_way_there_and_back(number: int) -> None:
    assert to_int(to_chinese(number)) == number
    assert article_of(heading(str(number))) == str(number)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "一"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (58, "五十八"),
        (100, "一百"),
        (101, "一百零一"),
        (110, "一百一十"),
        (119, "一百一十九"),
        (266, "二百六十六"),
        (1000, "一千"),
        (1008, "一千零八"),
        (1010, "一千零一十"),
        (1165, "一千一百六十五"),
        (1260, "一千二百六十"),
    ],
)
def test_numbers_are_written_as_the_law_writes_them(number: int, words: str) -> None:
    assert to_chinese(number) == words
    assert to_int(words) == number


@pytest.mark.parametrize(
    ("written", "number"), [("58", 58), ("58", 58), ("二六六", 266), ("一〇八", 108), ("两百", 200), (" 四十九 ", 49)]
)
def test_other_ways_of_writing_are_read(written: str, number: int) -> None:
    assert to_int(written) == number


@pytest.mark.parametrize("written", ["", "条", "五八条", "１.5", "-3", "abc"])
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"不是数字|invalid literal"):
        to_int(written)


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_numbers_no_law_has_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="超出范围"):
        to_chinese(number)


@pytest.mark.parametrize(
    ("words", "article"),
    [
        ("第二百五十三条之一", "253之一"),
        ("第253条之一", "253之一"),
        ("第一百二十条之六", "120之六"),
        ("第十七条", "17"),
    ],
)
def test_articles_inserted_later_keep_their_suffix(words: str, article: str) -> None:
    assert article_of(words) == article


@pytest.mark.parametrize("name", ["二(一)", "附录E", "数额标准"])
def test_what_has_no_number_stays_as_it_is(name: str) -> None:
    assert article_of(name) == name
    assert heading(name) == name


def test_articles_are_ordered_as_in_the_law() -> None:
    shuffled = ["附录E", "254", "253之二", "9", "253", "100", "253之一"]
    assert sorted(shuffled, key=sort_key) == ["9", "100", "253", "253之一", "253之二", "254", "附录E"]
