"""What we hold is what was researched: every article word for word, with its dates, number, source and confidence.

The research lies beside the repository where the knowledge was made, and these tests run only there.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from knowledge.library import ROOT, Library
from knowledge.numerals import article_of, to_chinese
from knowledge.schema import Dated, Provision, Statute

RESEARCH = ROOT.parent.parent / "shared" / "research"
MEMORY = re.compile("memory|记忆")

needs_research = pytest.mark.skipif(not RESEARCH.is_dir(), reason="研究资料不在仓库里")

Record = dict[str, Any]


def plain(text: str) -> str:
    """A text without white space and punctuation, in one width."""
    return re.sub(r"[\s\W_]", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="module")
def researched() -> list[Record]:
    """Every article researched."""
    files = ("law_admin_criminal.json", "law_civil_platform_ai.json")
    return [record for file in files for record in json.loads((RESEARCH / file).read_text(encoding="utf-8"))]


def of_law(statute: Statute, researched: list[Record]) -> list[Record]:
    """What was researched of one version of one law."""
    title, year = plain(statute.title), statute.version[:4]
    found = [r for r in researched if plain(r["law"].split("〔")[0]) == title]
    found = found or [r for r in researched if title in plain(r["law"])]  # a standard goes by its number first
    return [r for r in found if year in r["version"]] or found


def of_article(provision: Provision, records: list[Record]) -> list[Record]:
    """What was researched of an article; where research calls its part of the text otherwise, what reads the same."""
    named = [r for r in records if article_of(r["article"].replace(" ", "")) == provision.article]
    return named or [r for r in records if plain(r["text"]) == plain(provision.text)]


def pairs(library: Library, researched: list[Record]) -> Iterator[tuple[Provision, list[Record]]]:
    by_law = {statute.id: of_law(statute, researched) for statute in library.statutes.values()}
    for provision in library.provisions.values():
        yield provision, of_article(provision, by_law[provision.statute_id])


@needs_research
def test_every_article_is_word_for_word_what_was_researched(library: Library, researched: list[Record]) -> None:
    compared, wrong = 0, []
    for provision, records in pairs(library, researched):
        compared += bool(records)
        if plain(provision.text) not in {plain(r["text"]) for r in records}:
            wrong.append(provision.key)
    print(f"逐字核对 {compared} 条,共 {len(library.provisions)} 条")
    assert wrong == []
    assert compared == len(library.provisions)


@needs_research
def test_nothing_held_is_from_memory_or_told_again(library: Library, researched: list[Record]) -> None:
    for provision, records in pairs(library, researched):
        sources = {source for record in records for source in record["sources"] if not MEMORY.search(source)}
        assert sources, provision.key
        assert not any("转述" in record["article"] or "记忆" in record["text"] for record in records), provision.key


@needs_research
def test_we_are_as_sure_as_research_was(library: Library, researched: list[Record]) -> None:
    wrong = {p.key: p.confidence for p, records in pairs(library, researched) if p.confidence not in _sure(records)}
    assert wrong == {}


def _sure(records: list[Record]) -> set[str]:
    return {record["confidence"] for record in records}


def _days(records: list[Record], key: str) -> set[str]:
    return {day for record in records for day in re.findall(r"\d{4}-\d{2}-\d{2}", str(record[key] or ""))}


@needs_research
@pytest.mark.parametrize(
    ("ours", "theirs"), [("promulgated", "promulgated"), ("effective", "effective"), ("repealed", "expired_or_null")]
)
def test_dates_are_those_researched(library: Library, researched: list[Record], ours: str, theirs: str) -> None:
    for statute in library.statutes.values():
        records, day = of_law(statute, researched), getattr(statute, ours)
        if day is not None and (days := _days(records, theirs)):
            assert day.isoformat() in days, f"{statute.id}: {ours}"
        elif ours == "repealed":
            assert day is None, statute.id


@needs_research
def test_a_date_from_memory_is_said_to_be_unchecked(library: Library, researched: list[Record]) -> None:
    for statute in library.statutes.values():
        for record in of_law(statute, researched):
            if "memory" in record["effective"]:
                assert statute.note and re.search("未核|通行资料", statute.note), statute.id


@needs_research
def test_document_numbers_are_those_researched_and_not_from_memory(library: Library, researched: list[Record]) -> None:
    for statute in library.statutes.values():
        if statute.document_number:
            numbers = {r["doc_no"] for r in of_law(statute, researched)}
            sure = {plain(part) for number in numbers for part in re.split("[;,]", number) if not MEMORY.search(part)}
            number = re.search(r"(?:〔\d{4}〕|第).+号$|^GB.+$", statute.document_number)
            assert number and any(plain(number[0]) in known for known in sure), statute.id


@needs_research
def test_the_source_is_the_official_page_where_research_knows_one(library: Library, researched: list[Record]) -> None:
    for statute in library.statutes.values():
        named = json.dumps([r["sources"] for r in of_law(statute, researched)], ensure_ascii=False)
        official = re.findall(r"https?://(?:flk\.npc|www\.cac)\.gov\.cn/[\w/.?=-]+", named)
        if official:
            assert statute.source in official, statute.id
        elif not re.search(r"\.gov\.cn/", statute.source):
            assert statute.note and re.search("文字读自|未能直接打开", statute.note), f"{statute.id}: 说明是转录"


def _forms(number: int, unit: str) -> set[str]:
    """The ways the law may write a figure."""
    if unit == "permille":
        return {f"{number / 10:g}%"}
    if unit == "percent":
        return {f"百分之{to_chinese(number)}", "减半"} if number == 50 else {f"百分之{to_chinese(number)}"}
    if unit == "month" and number % 12 == 0:
        return _forms(number // 12, "year")
    if number >= 10_000 and number % 10_000 == 0:
        return {f"{form}万" for form in _forms(number // 10_000, "")} | {str(number)}
    return {to_chinese(number), str(number), "两" if number == 2 else str(number)}


def _close(text: str) -> str:
    return re.sub(r"[\s,\uff0c\u3001]", "", text)


def _figures(value: Dated) -> list[int | str]:
    return list(value.value) if isinstance(value.value, list) else [value.value]


def test_every_figure_stands_in_the_article_it_names(library: Library) -> None:
    """But for two provinces, whose papers were seen only in part: their figures name the national rule."""
    for parameter in library.parameters.values():
        for value in parameter.values:
            provision = library.resolve(value.provision, date.max)
            assert provision is not None
            text = _close(provision.text)
            for figure in _figures(value):
                words = {_close(figure)} if isinstance(figure, str) else _forms(figure, parameter.unit)
                by_province = value.region in ("浙江", "山东") and value.confidence == "medium"
                assert by_province or any(form in text for form in words), f"{parameter.id} {value.value}"
