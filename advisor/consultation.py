"""A turn: what is asked, and everything answered. Shapes follow the command-line contract."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from advisor.citations import Status
from knowledge.schema import Aspect, Confidence, Role

Verdict = Literal["likely", "possible", "unlikely", "not_established", "information"]


class Turn(BaseModel):
    """One earlier message."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: str


class Consultation(BaseModel):
    """A question with what is known beside it; other keys of a batch line are left alone.

    ``corrections`` are facts the user set by hand (None removes one).
    """

    model_config = ConfigDict(extra="ignore")

    id: str | int | None = None
    question: str
    role: Role | None = None
    date: dt.date | None = None
    asked_on: dt.date | None = None
    province: str | None = None
    history: list[Turn] = []
    corrections: dict[str, Any] = {}


class Fact(BaseModel):
    """A fact relied on; ``source`` is the words it was read from, or "given" / "assumed"."""

    value: Any
    source: str
    label: str = Field(exclude=True)


class Element(BaseModel):
    """One thing the law asks for: supported, disputed, unknown or absent, why, and what would settle it."""

    name: str
    state: Literal["supported", "disputed", "unknown", "absent"]
    why: str
    proof: str = ""


class Cited(BaseModel):
    """A provision a finding or a step rests on."""

    law: str
    version: str
    article: str
    paragraph: int | None = None


class Finding(BaseModel):
    """What the facts amount to in one respect; ``burden`` says who must prove it and to what standard."""

    aspect: Aspect
    status: Verdict
    headline: str
    turns_on: str = ""
    burden: str = ""
    elements: list[Element] = []
    provisions: list[Cited] = []
    aside: bool = Field(default=False, exclude=True)


class Action(BaseModel):
    """A step, with its last day where the law gives one (ISO date or words)."""

    step: str
    deadline: str | None = None
    provisions: list[Cited] = []


class Exchange(BaseModel):
    """What may be answered on a way, and the reply to it."""

    they: str
    reply: str


class Precedent(BaseModel):
    """A case that went this way, and who prevailed."""

    id: str
    title: str
    prevailed: str


class Way(BaseModel):
    """One way out, to be set beside the others."""

    name: str
    fit: Literal["fits", "perhaps", "unfit"]
    why: str
    deadline: str
    bring: str
    answers: list[Exchange] = []
    cost: str
    ends: str
    cases: list[Precedent] = []
    provisions: list[Cited] = []


class Outcome(BaseModel):
    """What a possible answer to a question would make of the findings, where they would differ."""

    answer: str
    statuses: dict[Aspect, Verdict]


class Question(BaseModel):
    """A question still open; ``weight`` grows with what its answers would change."""

    text: str
    weight: int
    outcomes: list[Outcome] = []


class Citation(BaseModel):
    """A provision the answer cites, judged on its own day."""

    law: str
    version: str
    article: str
    status: Status
    as_of: dt.date
    confidence: Confidence | None


class Retrieved(BaseModel):
    """A search result that stood behind the answer."""

    kind: Literal["provision", "commentary", "case", "document"]
    law: str | None = None
    version: str | None = None
    article: str | None = None
    id: str
    score: float


class Reply(BaseModel):
    """The answer to one question."""

    id: str | int | None = None
    answer: str
    mode: Literal["offline", "model"] = "offline"
    refused: bool = False
    facts: dict[str, Fact] = {}
    findings: list[Finding] = []
    ways: list[Way] = []
    actions: list[Action] = []
    citations: list[Citation] = []
    retrieved: list[Retrieved] = []
    questions: list[str] = []
    notices: list[str] = []
    ms: float = 0.0
