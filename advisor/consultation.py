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
    """One thing the law asks for: supported, disputed, unknown or absent, and why."""

    name: str
    state: Literal["supported", "disputed", "unknown", "absent"]
    why: str


class Cited(BaseModel):
    """A provision a finding or a step rests on."""

    law: str
    version: str
    article: str
    paragraph: int | None = None


class Finding(BaseModel):
    """What the facts amount to in one respect."""

    aspect: Aspect
    status: Verdict
    headline: str
    turns_on: str = ""
    elements: list[Element] = []
    provisions: list[Cited] = []


class Action(BaseModel):
    """A step, with its last day where the law gives one (ISO date or words)."""

    step: str
    deadline: str | None = None
    provisions: list[Cited] = []


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
    actions: list[Action] = []
    citations: list[Citation] = []
    retrieved: list[Retrieved] = []
    questions: list[str] = []
    notices: list[str] = []
    ms: float = 0.0
