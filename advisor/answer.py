"""One turn: the question in, the whole reply out. Every word it says comes from knowledge/ or prompts/."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from functools import cache, cached_property
from itertools import zip_longest
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import settings
from advisor import actions, citations, exposure, questions, routes
from advisor.consultation import Consultation, Finding, Question, Reply, Retrieved, Way
from advisor.facts import FactReader
from advisor.references import References
from advisor.retrieval import Found, Retriever
from advisor.rules import Facts
from advisor.scope import Scope
from advisor.words import PROMPTS, refusals, words
from ingest.documents import DocumentHit, Documents
from ingest.index import Index
from knowledge.files import citations as marked
from knowledge.library import Library
from knowledge.schema import Card, Case, Provision, Ref

CARD_FIRST = 0.95
CARD_BESIDE = 0.85
CARD_ASKED = 0.85
CARD_MORE = 0.72
CARD_FIT = 0.65
CASE_FIT = 0.33
DOCUMENT_FIT = 0.25
UNCLEAR_FIT = 0.56
PROBLEMS = 5
SIDES = ({"merchant", "merchant_partly"}, {"consumer", "consumer_partly", "nobody"})


class Advisor:
    """Answers questions from one library and one index, without a model and without a network."""

    def __init__(self, library: Library, index: Index, documents: Documents | None = None) -> None:
        self.library, self.documents = library, documents
        self.retriever = Retriever(library, index)
        self.reader = FactReader(library)

    def reply(self, consultation: Consultation) -> Reply:
        """Answer one turn; the same question on the same day gets the same answer."""
        return self.work(consultation)[0]

    def work(self, consultation: Consultation) -> tuple[Reply, _Turn]:
        """The answer to one turn with its working, from which a model may write."""
        started = time.perf_counter()
        limit, question = settings.get().max_question, consultation.question.strip()
        notices = [words()["too_long"].format(limit=limit)] if len(question) > limit else []
        turn = _Turn(self, consultation.model_copy(update={"question": question[:limit]}), notices)
        reply = turn.refuse() or (turn.assess() if turn.assessing else turn.explain())
        reply.id = consultation.id
        reply.ms = round((time.perf_counter() - started) * 1000, 1)
        return reply, turn


class _Turn:
    """The working of one turn."""

    def __init__(self, advisor: Advisor, consultation: Consultation, notices: list[str]) -> None:
        self.library, self.retriever, self.documents = advisor.library, advisor.retriever, advisor.documents
        self.consultation, self.notices = consultation, notices
        self.asked_on = consultation.asked_on or settings.today()
        self.read = advisor.reader.read(consultation, self.asked_on)
        self.facts = Facts(self.library, self.read, self.asked_on)
        self.scope = Scope(advisor.library, advisor.reader, consultation, self.read)
        self.references = References(self.library, self.facts)
        self.assessing = self.scope.assesses()
        self.findings = exposure.assess(self.facts) if self.assessing else []

    @cached_property
    def found(self) -> Found:
        """What the search returned for this turn."""
        relied_on = [finding.provisions for finding in self.findings]
        if self.assessing:
            relied_on += [step.provisions for step in actions.steps(self.facts)]
        ranked = [self._standing(marked(exposure.lead(self.facts) or "")) if self.assessing else []]
        ranked += [self.references.resolve(cited) for cited in relied_on]
        also = dict.fromkeys(p for place in zip_longest(*ranked) for p in place if p)
        role = self.read["role"].value
        return self.retriever.search(self.scope.topic, self.facts.first, self.asked_on, role, also, self.methods)

    def _standing(self, refs: list[Ref]) -> list[Provision]:
        return [provision for _, provision in self.facts.standing(refs)]

    @property
    def methods(self) -> frozenset[str]:
        """The case methods the facts correspond to."""
        told = [self.library.signals[n] for n, f in self.read.items() if f.value and n in self.library.signals]
        return frozenset(method for signal in told for method in signal.methods)

    def refuse(self) -> Reply | None:
        """A kind, lawful refusal of what we don't help with, or None."""
        kind = self.scope.refusal()
        if kind == "unclear":
            best = self.found.cards[0][1] if self.found.cards else 0.0
            kind = None if self.found.cited or best > UNCLEAR_FIT else "offtopic"
        if kind is None:
            return None
        answer = self.references.written(self.facts.words(refusals()[kind]))
        return Reply(
            answer=answer,
            refused=kind not in ("empty", "foreign"),
            citations=self.references.citations(),
            notices=self.notices,
        )

    def assess(self) -> Reply:
        """The answer to somebody who tells of conduct."""
        steps, ways, asking = actions.steps(self.facts), self._ways(), questions.ranked(self.facts)
        top = self.found.cards[0][1] if self.found.cards else 0.0
        lead = exposure.lead(self.facts)
        said = {(ref.law, ref.article) for ref in marked(lead or "")}
        asked_for = [card for card in self._asked_cards() if not _rests_on(card, said)]
        fitting = asked_for or [
            card for card in self._cards(CARD_BESIDE if lead else CARD_FIT)[:1] if not _rests_on(card, said)
        ]
        answer_card = fitting[0] if fitting else None
        more = [card for card in self._cards(max(CARD_MORE, 0.8 * top)) if card is not answer_card][:1]
        cited = self.references.listed
        text = _template("answer.md.j2").render(
            lead=lead,
            no_lead=words()["no_lead"],
            answer_card=answer_card,
            answer_card_first=bool(asked_for) or top >= CARD_FIRST or not lead,
            answer_card_steps=bool(asked_for),
            day_note=self._day_note(),
            findings=[
                finding.model_dump() | {"cited": cited(finding.provisions), "aside": finding.aside}
                for finding in self.findings
            ],
            names=words()["aspects"],
            states=words()["states"],
            missing=[] if self.facts.value("consumer and lied") else _missing(self.findings),
            ways=[way.model_dump() | {"fits": words()["fits"][way.fit]} for way in ways],
            ways_title=words()["ways"]["own" if self.facts.value("not (consumer and lied)") else "others"],
            steps=[
                step.model_dump()
                | {"cited": cited(step.provisions), "dated": bool(re.match(r"\d{4}-", step.deadline or ""))}
                for step in steps
            ],
            avoid=actions.warnings(self.facts),
            more=more,
            cases=self._cases(answer_card),
            documents=self.attached,
            questions=[question.text for question in asking],
            asked_because=_because(asking),
        )
        return self._reply(
            text,
            facts=self.read,
            findings=self.findings,
            ways=ways,
            actions=steps,
            questions=[question.text for question in asking],
        )

    def _ways(self) -> list[Way]:
        """The ways out, with the cases nearest in method first."""
        found = [case for case, _ in self.found.cases]
        found += [case for case in self.library.cases.values() if case not in found]
        if self.methods:
            found = [case for case in found if self.methods & set(case.methods)]
        ways = routes.ways(self.facts, found)
        for answer in (answer for way in ways for answer in way.answers):
            answer.reply = self.references.written(answer.reply, cite=False)
        return ways

    def _asked_cards(self) -> list[Card]:
        """The card that answers the asking clause by itself, if one does."""
        day, role = self.facts.first, self.read["role"].value
        found = [
            hit for clause in self.scope.asked() for hit in self.retriever.cards(clause, day, self.asked_on, role)[:1]
        ]
        best = sorted(found, key=lambda hit: -hit[1])[:1]
        return [card for card, score in best if score >= CARD_ASKED and self._stands(card)]

    def explain(self) -> Reply:
        """The answer to a question about a rule."""
        found, problems = self.found, self._asked_citations()
        cards = [card for card in self._cards(self.retriever.weights.floor) if self._answers(card, bool(problems))]
        card = cards[0] if cards else None
        top = found.cards[0][1] if found.cards else 0.0
        nearest = [] if card or found.cited or problems else [p for p, _ in found.provisions[:5]]
        text = _template("rule.md.j2").render(
            problems=problems,
            cited=[self.references.quoted(provision) for provision in found.cited],
            card=card,
            more=[c for c, score in found.cards[1:4] if c in cards and c is not card and score > 0.8 * top],
            provisions=[self.references.quoted(provision, brief=True) for provision in nearest],
            cases=[c for c, s in found.cases[:1] if s >= 1.5 * CASE_FIT and self.scope.says("ask.case")],
            documents=self.attached,
        )
        return self._reply(text, facts={name: self.read[name] for name in ("role", "date")})

    def _reply(self, text: str, **parts: Any) -> Reply:
        answer = re.sub(r"\n{3,}", "\n\n", self.references.written(text)).strip()
        parts["facts"] = {n: f for n, f in parts["facts"].items() if n not in ("date_from", "date_to")}
        return Reply(
            answer=answer,
            citations=self.references.citations(),
            retrieved=self._retrieved(),
            notices=[*self.notices, *(self._asked_citations() if self.assessing else []), *self._doubts()],
            **parts,
        )

    def _cards(self, floor: float) -> list[Card]:
        """The cards good enough to show, best first, whose law stands on the day of the conduct."""
        return [card for card, score in self.found.cards[:6] if score >= floor and self._stands(card)]

    def _answers(self, card: Card, problems: bool) -> bool:
        """Whether a card speaks of the articles the question names; any card will do where it names none."""
        cited = {(p.law, p.article) for p in self.found.cited}
        if not cited:
            return not problems
        versions = {(s.short, ref.article) for ref in card.provisions for s in self.library.versions(ref.law)}
        return bool(cited & versions)

    def _stands(self, card: Card) -> bool:
        if not (card.valid(self.facts.first) or card.valid(self.asked_on)):
            return False
        versions: dict[str, list[bool]] = {}
        for ref in marked(f"{card.short}{card.why}{card.steps}") if self.assessing else ():
            provision = self.library.resolve(ref, self.facts.first)
            if provision and provision.governs == "conduct" and len(self.library.versions(provision.law)) > 1:
                versions.setdefault(provision.law, []).append(provision.in_force(self.facts.first))
        return all(any(states) for states in versions.values())

    def _cases(self, card: Card | None) -> list[Case]:
        """The nearest case and the nearest one the other side won; a consumer sees the consumer's first."""
        best = self.found.cases[0][1] if self.found.cases else 0.0
        ranked = [case for case, score in self.found.cases[:8] if score >= max(CASE_FIT, 0.75 * best)]
        innocent = self.facts.value("consumer and not lied")
        if self.methods and not innocent:
            ranked = [case for case in ranked if self.methods & set(case.methods)]
        ranked += [self.library.cases[name] for name in (card.cases if card else [])]
        if innocent:  # somebody who did nothing wrong is shown no punishments
            return [case for case in ranked if case.prevailed in SIDES[1] and case.outcome_type == "civil"][:1]
        chosen = ranked[:1]
        others = [side for side in SIDES if chosen and chosen[0].prevailed not in side]
        chosen += [case for case in ranked[1:] if any(case.prevailed in side for side in others)][:1]
        own = SIDES[1] if self.read["role"].value == "consumer" else SIDES[0]
        return sorted(chosen, key=lambda case: case.prevailed not in own)

    @cached_property
    def attached(self) -> list[DocumentHit]:
        """What the user's own documents say on this."""
        hits = self.documents.search(self.scope.topic, 3) if self.documents else []
        return [hit for hit in hits if hit.score >= DOCUMENT_FIT]

    def _day_note(self) -> str:
        reckoning = self.facts.reckoning
        first, last, changeover = self.facts.first, self.facts.last, reckoning.changeover()
        if self.facts.value("date_assumed and (lied or suspected)"):
            old = reckoning.penalty(changeover - timedelta(days=1))
            return str(words()["day_assumed"]).format(day=first, changeover=changeover, old=old)
        if first < changeover <= last:
            return str(words()["day_straddles"]).format(day=f"{first}至{last}", changeover=changeover)
        return ""

    def _asked_citations(self) -> list[str]:
        """What is wrong with the citations in the question itself."""
        verdicts = citations.check(self.consultation.question, self.library, self.facts.first)
        shown = {(p.law, p.article) for p in self.found.cited}
        problems = [
            words()["cited_problem"].format(text=v.text.strip(), why=v.why)
            for v in verdicts
            if v.status not in ("in_force", "unclear", "title_mismatch") and (v.law, v.article) not in shown
        ]
        return list(dict.fromkeys(problems))[:PROBLEMS]

    def _doubts(self) -> list[str]:
        return [words()[sure].format(name=name) for name, sure in self.references.unsure().items()]

    def _retrieved(self) -> list[Retrieved]:
        found = [
            Retrieved(kind="provision", law=p.law, version=p.version, article=p.article, id=p.key, score=round(s, 4))
            for p, s in self.found.provisions
        ]
        found += [Retrieved(kind="commentary", id=c.id, score=round(s, 4)) for c, s in self.found.cards[:8]]
        found += [Retrieved(kind="case", id=c.id, score=round(s, 4)) for c, s in self.found.cases[:5]]
        return sorted(found, key=lambda item: -item.score)


def _missing(findings: list[Finding]) -> list[dict[str, str]]:
    """What the first finding with elements still lacks, for the reader."""
    elements = next((finding.elements for finding in findings if finding.elements), [])
    return [
        {"name": one.name, "state": words()["element_states"][one.state], "why": one.why, "proof": one.proof}
        for one in elements
        if one.state != "supported"
    ]


def _because(asking: list[Question]) -> str:
    """Why the first question is asked: what each answer would make of the findings."""
    if not asking or not asking[0].outcomes:
        return ""
    names, states = words()["aspects"], words()["states"]
    return ";".join(
        f"答“{one.answer}”:{'、'.join(f'{names[aspect]}{states[status]}' for aspect, status in one.statuses.items())}"
        for one in asking[0].outcomes
    )


def _rests_on(card: Card, said: set[tuple[str, str]]) -> bool:
    """Whether a card would say again what rests on the same provision."""
    return (card.provisions[0].law, card.provisions[0].article) in said


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(PROMPTS),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
