"""The shapes of what we know: statutes, commentary, cases, parameters and the lexicon of facts.

Every model forbids unknown keys, so that a misspelt field stops the start-up instead of being ignored.
"""

from __future__ import annotations

import datetime as dt
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

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

ARTICLE = re.compile(r"^\d+(?:之[一二三四五六七八九十]+)?$|^[^\s/]{1,12}$")


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


class ArticleNote(Strict):
    """What differs for one article from its statute's front matter."""

    effective: date | None = None
    governs: Governs | None = None
    confidence: Confidence | None = None
    source: str | None = None
    checked_on: date | None = None
    note: str | None = None


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
        return {str(key): entry for key, entry in value.items()} if isinstance(value, dict) else value


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
    asks: list[str] = Field(min_length=5, max_length=20)
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

    def valid(self, on: date) -> bool:
        """Whether the card speaks of the law as it stands on that day (``valid_until`` is the last such day)."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )


class Case(Strict):
    """A real case or report, told in our own words."""

    id: str
    title: str
    date: str
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


class Dated(Strict):
    """One value of a parameter, for a span of days, perhaps for one region or tier."""

    value: int | list[int] | str
    effective: date
    until: date | None = None
    region: str | None = None
    areas: list[str] = []
    provision: RefField
    reference: str
    confidence: Confidence
    checked_on: date
    note: str | None = None

    def holds(self, on: date) -> bool:
        """Whether this is the value on that day; ``until`` is the first day it is not."""
        return self.effective <= on and (self.until is None or on < self.until)


class Parameter(Strict):
    """A number the law gives, with every value it has had; ``unit`` is what one of it is."""

    id: str
    title: str
    unit: Literal["yuan", "day", "workday", "month", "year", "age", "count", "percent", "hour", "text"]
    values: list[Dated] = Field(min_length=1)


class ParameterFile(Strict):
    """A file of parameters that belong together."""

    parameters: list[Parameter]


class Signal(Strict):
    """How people say one fact: regular expressions that state it (``says``) or deny it (``denies``).

    ``methods`` are the case methods the fact corresponds to; ``implies`` whose story it usually is, where nobody says.
    """

    name: str
    label: str
    says: list[str] = []
    denies: list[str] = []
    values: dict[str, list[str]] = {}
    unless: list[str] = []
    negatable: bool = True
    methods: list[str] = []
    implies: Role | None = None

    @model_validator(mode="after")
    def _patterns(self) -> Signal:
        for pattern in [*self.says, *self.denies, *self.unless, *(p for group in self.values.values() for p in group)]:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"事实“{self.name}”的写法“{pattern}”不是有效的正则表达式:{error}") from error
        return self


class Lexicon(Strict):
    """A file of signals that belong together."""

    signals: list[Signal]


class Element(Strict):
    """One thing the law asks for; ``state`` is an expression over the facts."""

    name: str
    state: str
    why: str = ""


class Rule(Strict):
    """When the facts are such (``when``), this is what they amount to in one respect."""

    id: str
    aspect: Aspect
    when: str
    status: str
    headline: str
    turns_on: str = ""
    provisions: list[RefField] = []
    elements: list[Element] = []
    unless_found: bool = False
    compare: bool = False


class Said(Strict):
    """Words that fit when the facts are such: a lead, a thing to avoid, a question still to ask."""

    id: str
    when: str
    text: str


class Step(Strict):
    """What to do when the facts are such; ``deadline`` is an expression giving a day or words."""

    id: str
    when: str
    step: str
    deadline: str = ""
    provisions: list[RefField] = []


class Derived(Strict):
    """A name for an expression over the facts, usable in all later expressions."""

    name: str
    is_: str = Field(alias="is")


class RuleFile(Strict):
    """Rules that belong together, in the order they are tried."""

    derived: list[Derived] = []
    leads: list[Said] = []
    findings: list[Rule] = []
    steps: list[Step] = []
    avoid: list[Said] = []
    needs: list[Said] = []


class BrokenKnowledge(Exception):
    """A knowledge file can't be used: where, what is wrong and what to mend."""

    def __init__(self, path: Path, line: int | None, why: str) -> None:
        self.path, self.line, self.why = path, line, why
        super().__init__(f"知识文件有误:{path}{f' 第{line}行' if line else ''}:{why}")
