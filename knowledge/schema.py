"""The shapes of what we know: statutes, commentary, cases and parameters (rules: rulebook.py).

Every model forbids unknown keys, so that a misspelt field stops the start-up instead of being ignored.
"""

from __future__ import annotations

import datetime as dt
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

Confidence = Literal["high", "medium", "low"]
Role = Literal["merchant", "consumer", "trainee"]
Aspect = Literal[
    "civil",
    "administrative",
    "criminal",
    "platform",
    "aigc",
    "consumer_rights",
    "procedure",
    "privacy",
    "evidence",
]
Governs = Literal["conduct", "step"]
StatuteKind = Literal[
    "law",
    "administrative_regulation",
    "judicial_interpretation",
    "department_rule",
    "normative_document",
    "local_document",
    "national_standard",
    "platform_rule",
]

_CASE_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


class Strict(BaseModel):
    """Base of all records: no unknown keys, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ref(Strict):
    """A pointer to a provision, written ``短名[(版本)] 条[/款]``, such as ``治安管理处罚法(2025修订) 58/1``."""

    law: str
    version: str | None = None
    article: str
    paragraph: int | None = None

    @classmethod
    def parse(cls, value: str) -> Ref:
        """Read the written form; raises ``ValueError`` when it is not one."""
        match = re.fullmatch(r"\s*(?P<law>\S.*?)\s+(?P<article>[^\s/]+)(?:/(?P<paragraph>\d+))?\s*", value)
        if not match:
            raise ValueError(f"“{value}”不是条文引用,应写作“短名[(版本)] 条号[/款]”,例如“治安管理处罚法(2025修订) 58”")
        law, version = match["law"], None
        # Only a year opens a version: "网络消费纠纷规定(一)" is a name.
        if dated := re.fullmatch(r"(.+)\((\d{4}[^()]*)\)", law):
            law, version = dated[1], dated[2]
        paragraph = int(match["paragraph"]) if match["paragraph"] else None
        return cls(law=law, version=version, article=match["article"], paragraph=paragraph)

    def __str__(self) -> str:
        version = f"({self.version})" if self.version else ""
        paragraph = f"/{self.paragraph}" if self.paragraph else ""
        return f"{self.law}{version} {self.article}{paragraph}"


def _ref(value: Any) -> Any:
    return Ref.parse(value) if isinstance(value, str) else value


RefField = Annotated[Ref, BeforeValidator(_ref)]


@cache
def _ranges(articles: str) -> tuple[list[tuple[int, int]], frozenset[str]]:
    spans, singles = [], set()
    for part in re.split(r"[,,]\s*", articles.strip()):
        if match := re.fullmatch(r"(\d+)[-–—](\d+)", part):
            spans.append((int(match[1]), int(match[2])))
        else:
            singles.add(part)
    return spans, frozenset(singles)


def _text_keys(value: Any) -> Any:
    """Articles as text: YAML reads 58 as a number."""
    return {str(key): entry for key, entry in value.items()} if isinstance(value, dict) else value


def _not_before(start: date | None, end: date | None, words: str) -> date | None:
    if start and end and end <= start:
        raise ValueError(f"{words}:{end} 不晚于 {start},请核对这两个日期")
    return end


class ArticleNote(Strict):
    """What differs for one article from its statute's front matter."""

    effective: date | None = None
    repealed: date | None = None
    governs: Governs | None = None
    confidence: Confidence | None = None
    source: str | None = None
    checked_on: date | None = None
    note: str | None = None

    @field_validator("repealed")
    @classmethod
    def _ends(cls, value: date | None, info: ValidationInfo) -> date | None:
        return _not_before(info.data.get("effective"), value, "废止日应在施行日之后")


class Statute(Strict):
    """One version of one instrument; ``texts`` maps an article ("58", "253之一") to its own words."""

    id: str
    title: str
    short: str
    aliases: list[str] = []
    version: str
    kind: StatuteKind
    governs: Governs
    issuer: str
    document_number: str | None = None
    promulgated: date | None = None
    effective: date
    repealed: date | None = None
    replaced_by: str | None = None
    successors: dict[str, str] = {}
    source: str
    checked_on: date
    confidence: Confidence
    articles: str | None = None
    article_notes: dict[str, ArticleNote] = {}
    note: str | None = None
    texts: dict[str, str] = Field(default={}, repr=False)

    @field_validator("article_notes", "successors", mode="before")
    @classmethod
    def _text_keys(cls, value: Any) -> Any:
        return _text_keys(value)

    @field_validator("repealed")
    @classmethod
    def _ends(cls, value: date | None, info: ValidationInfo) -> date | None:
        return _not_before(info.data.get("effective"), value, "废止日应在施行日之后")

    def has_article(self, article: str) -> bool:
        """Whether the law has such an article; where its range is not known, only what it can't have is refused."""
        if not self.articles:
            return article in self.texts or bool(re.fullmatch(r"\d+", article))
        spans, singles = _ranges(self.articles)
        return article in singles or (article.isdigit() and any(low <= int(article) <= high for low, high in spans))


class Provision(Strict):
    """One article of one version, with the notes of the article already applied."""

    statute_id: str
    law: str
    title: str
    version: str
    kind: StatuteKind
    article: str
    text: str
    governs: Governs
    effective: date
    repealed: date | None
    replaced_by: str | None
    source: str
    checked_on: date
    confidence: Confidence
    note: str | None

    @property
    def key(self) -> str:
        """The id used in the index and in permanent links."""
        return f"{self.statute_id}/{self.article}"

    @property
    def paragraphs(self) -> list[str]:
        """The article's 款, in order."""
        lines = self.text.split("\n")
        return lines[:1] + [line for line in lines[1:] if not re.match(r"^[（(][一二三四五六七八九十]+[）)]", line)]

    def in_force(self, on: date) -> bool:
        """Whether the article is in force on that day; the day of repeal is the first day it is not."""
        return self.effective <= on and (self.repealed is None or on < self.repealed)


class Card(Strict):
    """A commentary card: ``short`` answers, ``why`` explains, ``steps`` says what to do (each may cite ``[[…]]``)."""

    id: str
    title: str
    audience: list[Role]
    aspects: list[Aspect]
    asks: list[str] = Field(min_length=6, max_length=15)
    provisions: list[RefField] = Field(min_length=1)
    cases: list[str] = []
    valid_from: date | None = None
    valid_until: date | None = None
    confidence: Confidence
    checked_on: date
    topic: str
    short: str = Field(min_length=1)
    why: str = ""
    steps: str = ""

    @field_validator("valid_until")
    @classmethod
    def _ends(cls, value: date | None, info: ValidationInfo) -> date | None:
        if value != info.data.get("valid_from"):  # a card may hold for one day
            _not_before(info.data.get("valid_from"), value, "失效日应在生效日之后")
        return value

    def valid(self, on: date) -> bool:
        """Whether the card speaks of the law as it stands on that day (``valid_until`` is the last such day)."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )


class Case(Strict):
    """A real case or report, told in our own words; ``date`` is as exact as is known, ``date_note`` says the rest."""

    id: str
    title: str
    date: str | None = None
    date_note: str | None = None
    place: str
    authority: str
    amount_yuan: float | None = None
    orders: int | None = None
    methods: list[str]
    outcome_type: Literal["criminal", "administrative", "civil", "platform", "not_established"]
    prevailed: Literal["merchant", "merchant_partly", "consumer", "consumer_partly", "platform", "nobody", "pending"]
    basis: list[RefField]
    sources: list[str] = Field(min_length=1)
    confidence: Confidence
    checked_on: dt.date
    facts: str = Field(min_length=1)
    outcome: str = Field(min_length=1)
    lesson: str = Field(min_length=1)

    @field_validator("date", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        text = (
            str(value) if isinstance(value, dt.date | int) else value
        )  # YAML reads 2026-03-05 as a day, 2024 as a number
        if isinstance(text, str) and not _CASE_DATE.fullmatch(text):
            raise ValueError(f"“{text}”不是日期:写作 2026-03-05、2026-03 或 2026,其余的话写在 date_note 里")
        return text

    @property
    def when(self) -> str:
        """The date as people read it: 2026-05(审理中)."""
        if not self.date:
            return self.date_note or "日期未核"
        return f"{self.date}({self.date_note})" if self.date_note else self.date


class Dated(Strict):
    """One value of a parameter, for a span of days, perhaps for one region or tier."""

    value: int | list[int] | str
    effective: date
    until: date | None = None
    region: str | None = None
    areas: list[str] = []
    provision: RefField
    reference: str = Field(min_length=1)
    confidence: Confidence
    checked_on: date
    note: str | None = None

    @field_validator("until")
    @classmethod
    def _ends(cls, value: date | None, info: ValidationInfo) -> date | None:
        return _not_before(info.data.get("effective"), value, "截止日应在起始日之后")

    def holds(self, on: date) -> bool:
        """Whether this is the value on that day; ``until`` is the first day it is not."""
        return self.effective <= on and (self.until is None or on < self.until)


class Parameter(Strict):
    """A number the law gives, with every value it has had; ``unit`` is what one of it is."""

    id: str
    title: str
    unit: Literal["yuan", "day", "workday", "month", "year", "age", "count", "percent", "permille", "hour", "text"]
    values: list[Dated] = Field(min_length=1)


class ParameterFile(Strict):
    """A file of parameters that belong together."""

    parameters: list[Parameter]


class Questions(Strict):
    """What people ask that an article answers: ``asks`` maps an article of one statute to 2–8 ways of asking."""

    statute: str
    asks: dict[str, Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2, max_length=8)]]

    @field_validator("asks", mode="before")
    @classmethod
    def _text_keys(cls, value: Any) -> Any:
        return _text_keys(value)


class BrokenKnowledge(Exception):
    """A knowledge file can't be used: where, what is wrong and what to mend."""

    def __init__(self, path: Path, line: int | None, why: str) -> None:
        self.path, self.line, self.why = path, line, why
        super().__init__(f"知识文件有误:{path}{f' 第{line}行' if line else ''}:{why}")
