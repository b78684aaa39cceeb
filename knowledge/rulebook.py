"""The shapes of the lexicon of facts and of the rules over them."""

# ruff: noqa: RUF012 – these are pydantic models, which copy a default; ruff sees that only where BaseModel is named

from __future__ import annotations

import re
from typing import Annotated, Literal

from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import AfterValidator, Field, model_validator

from knowledge.schema import Aspect, RefField, Role, Strict

_JINJA = SandboxedEnvironment()


def _expression(text: str) -> str:
    try:
        _JINJA.compile_expression(text)
    except TemplateError as error:
        raise ValueError(f"“{text}”不是能算的式子({error}):检查引号、括号和 and、or、not") from error
    return text


def _template(text: str) -> str:
    try:
        _JINJA.parse(text)
    except TemplateError as error:
        raise ValueError(f"“{text}”里的 {{{{ }}}} 或 {{% %}} 写错了:{error}") from error
    return text


Expression = Annotated[str, AfterValidator(_expression)]
Template = Annotated[str, AfterValidator(_template)]


class Signal(Strict):
    """How people say one fact: regular expressions that state it (``says``) or deny it (``denies``).

    ``methods`` are the case methods the fact corresponds to; ``implies`` whose story it usually is, where nobody says;
    ``entails`` the facts that follow where nobody speaks of them; ``only`` in whose telling alone the words mean this.
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
    entails: list[str] = []
    only: Role | None = None

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
    """One thing the law asks for: ``state`` gives supported, disputed, unknown or absent; ``proof`` would settle it."""

    name: str
    state: Expression
    why: Template
    proof: Template


class ElementSet(Strict):
    """All the law asks for in one respect, who must prove it and to what standard (``burden``)."""

    id: str
    title: str
    burden: Template
    provisions: list[RefField] = []
    elements: list[Element] = Field(min_length=1)


class Rule(Strict):
    """When the facts are such (``when``), this is what they amount to in one respect; ``elements`` name its sets.

    What is ``aside`` stands among the findings, but is not written out in the answer.
    """

    id: str
    aspect: Aspect
    when: Expression
    status: Template
    headline: Template
    turns_on: Template = ""
    provisions: list[RefField] = []
    elements: list[str] = []
    unless_found: bool = False
    compare: bool = False
    aside: Expression = "false"


class Said(Strict):
    """Words that fit when the facts are such: a lead, a thing to avoid."""

    id: str
    when: Expression
    text: Template


class Answer(Strict):
    """What the other side may say (``they``), and what to say to it."""

    they: str
    when: Expression = "true"
    reply: Template


class Route(Strict):
    """One way out, shown ``when`` in question; ``fit`` gives fits, perhaps or unfit; ``outcomes`` find its cases."""

    id: str
    name: str
    when: Expression
    fit: Expression
    why: Template
    deadline: Template
    bring: Template
    answers: list[Answer] = []
    cost: Template
    ends: Template
    outcomes: list[Literal["criminal", "administrative", "civil", "platform", "not_established"]] = []
    provisions: list[RefField] = []


class Step(Strict):
    """What to do when the facts are such; ``deadline`` is an expression giving a day or words."""

    id: str
    when: Expression
    step: Template
    deadline: Expression = "''"
    provisions: list[RefField] = []


class Try(Strict):
    """One answer a question may get, and the facts it would set; a value in words is an expression."""

    answer: Template
    facts: dict[str, bool | int | Expression]


class Need(Strict):
    """A question still to ask; how much its ``tries`` would change the result decides which is asked first."""

    id: str
    when: Expression
    text: Template
    tries: list[Try] = Field(min_length=2)


class Derived(Strict):
    """A name for an expression over the facts, usable in all later expressions."""

    name: str
    is_: Expression = Field(alias="is")


class RuleFile(Strict):
    """Rules that belong together, in the order they are tried."""

    derived: list[Derived] = []
    element_sets: list[ElementSet] = []
    leads: list[Said] = []
    findings: list[Rule] = []
    routes: list[Route] = []
    steps: list[Step] = []
    avoid: list[Said] = []
    needs: list[Need] = []

    @property
    def named(self) -> list[ElementSet | Said | Rule | Route | Step | Need]:
        """Everything in the file that goes by an id."""
        return [*self.element_sets, *self.leads, *self.findings, *self.routes, *self.steps, *self.avoid, *self.needs]
