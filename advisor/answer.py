"""One turn: the question in, the whole reply out. Every word it says comes from knowledge/ or prompts/."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import date
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import settings
from advisor import actions, citations, exposure
from advisor.consultation import Citation, Cited, Consultation, Reply, Retrieved
from advisor.facts import FactReader
from advisor.retrieval import Found, Retriever
from advisor.rules import Facts
from ingest.documents import DocumentHit, Documents
from ingest.embedder import normalize
from ingest.index import Index
from knowledge.library import CITE, Library
from knowledge.schema import Card, Case, Provision, Ref

PROMPTS = Path(__file__).parent.parent / "prompts"
CARD_FIRST = 0.95
CARD_BESIDE = 0.85
CARD_FIT = 0.65
CASE_FIT = 0.33
DOCUMENT_FIT = 0.25
HARMS = ("fake", "evade", "threaten", "expose", "misjudge")
ASIDE = {
    "refund_only",
    "food",
    "secondhand",
    "legal_claim",
    "mentions_record",
    "asked_conclusion",
    "minor",
    "platform",
    "professional_claimer",
    "role",
    "date",
    "date_from",
    "date_to",
    "amount_yuan",
    "count",
    "age",
    "province",
    "place",
}


class Advisor:
    """Answers questions from one library and one index, without a model and without a network."""

    def __init__(self, library: Library, index: Index, documents: Documents | None = None) -> None:
        self.library, self.documents = library, documents
        self.retriever = Retriever(library, index)
        self.reader = FactReader(library)

    def reply(self, consultation: Consultation) -> Reply:
        """Answer one turn; the same question on the same day gets the same answer."""
        started = time.perf_counter()
        asked_on = consultation.asked_on or settings.today()
        consultation, notices = self._tidy(consultation)
        turn = _Turn(self, consultation, asked_on, notices)
        reply = turn.refuse() or turn.assess() if turn.assessing else turn.refuse() or turn.explain()
        reply.id = consultation.id
        reply.ms = round((time.perf_counter() - started) * 1000, 1)
        return reply

    def _tidy(self, consultation: Consultation) -> tuple[Consultation, list[str]]:
        limit, question = settings.get().max_question, consultation.question.strip()
        notices = [words()["too_long"].format(limit=limit)] if len(question) > limit else []
        return consultation.model_copy(update={"question": question[:limit]}), notices


class _Turn:
    """The working of one turn."""

    def __init__(self, advisor: Advisor, consultation: Consultation, asked_on: date, notices: list[str]) -> None:
        self.library, self.reader, self.retriever = advisor.library, advisor.reader, advisor.retriever
        self.documents = advisor.documents
        self.consultation, self.asked_on, self.notices = consultation, asked_on, notices
        self.question = normalize(consultation.question)
        self.topic = self._topic()
        self.read = self.reader.read(consultation, asked_on)
        self.facts = Facts(self.library, self.read, asked_on)
        self.assessing = self._assessing()
        self.findings = exposure.assess(self.facts) if self.assessing else []
        self.cited: dict[str, Provision] = {}

    def _topic(self) -> str:
        """The question with what it follows on from."""
        earlier = [turn.content for turn in self.consultation.history if turn.role == "user"]
        if earlier and self._says("mode.followup"):
            return (
                f"{earlier[-1]}\n{self.question}" if len(earlier[-1]) < 400 else f"{earlier[-1][:400]}\n{self.question}"
            )
        if earlier and (self._says("mode.correction") or not self._says("scope.domain")):
            return f"{earlier[-1][:400]}\n{self.question}"
        return self.question

    def _says(self, signal: str) -> bool:
        return self.reader.has(signal, self.question) is not None

    def _assessing(self) -> bool:
        told = [name for name, fact in self.read.items() if name not in ASIDE and fact.value is not False]
        told += [
            name for name in ("claim_false", "ai_fake", "goods_returned") if name in self.read and name not in told
        ]
        anchored = any(
            name in self.read and self.read[name].source != "assumed" for name in ("amount_yuan", "count", "date")
        )
        story = self._says("ask.story") or anchored or bool(self.consultation.history)
        if self.reader.has("ask.lookup", self.question) and not self.consultation.history:
            return False
        if "asked_conclusion" in self.read:
            return True
        if self._says("ask.rule") and not self.reader.has("ask.own", self.question):
            return False
        return bool(story and (told or ("refund_only" in self.read and "amount_yuan" in self.read)))

    # -- refusals ---------------------------------------------------------------------------------------------------

    def refuse(self) -> Reply | None:
        """A kind, lawful refusal of what we don't help with, or None."""
        kind = self._refusal()
        if kind is None:
            return None
        text = refusals()[kind]
        answer = self._marked(text)
        return Reply(
            answer=answer,
            refused=kind != "empty",
            citations=self._citations(),
            notices=self.notices,
        )

    def _refusal(self) -> str | None:
        if not self.question:
            return "empty"
        for harm in HARMS:
            if self._says(f"harm.{harm}"):
                return harm
        if self._says("scope.injection"):
            return "injection"
        chinese = len(re.findall(r"[\u4e00-\u9fff]", self.question))
        latin = len(re.findall(r"[a-z]{3,}", self.question))
        in_field = self.reader.has("scope.domain", self.topic) is not None
        told = any(name not in ASIDE for name in self.read) or self.consultation.history
        if in_field and (chinese >= 4 or told):
            return "nonsense" if self._gibberish(chinese) else None
        if self.retriever.cited(self.topic, self.facts.first, self.asked_on):
            return None
        if chinese < 3 and latin < 3:
            return "nonsense"
        best = self.found.cards[0][1] if self.found.cards else 0.0
        return None if (told and in_field) or best > 2.2 * self.retriever.weights.floor else "offtopic"

    def _gibberish(self, chinese: int) -> bool:
        return len(self.question) >= 8 and chinese < 0.3 * len(self.question) and chinese < 8

    # -- answers ----------------------------------------------------------------------------------------------------

    @property
    def found(self) -> Found:
        """What the search returned for this turn."""
        if not hasattr(self, "_found"):
            ranked = [self._provisions(finding.provisions) for finding in self.findings]
            also = dict.fromkeys(p for place in zip_longest(*ranked) for p in place if p)
            role = self.read["role"].value
            told = (
                self.library.signals[name]
                for name, fact in self.read.items()
                if fact.value and name in self.library.signals
            )
            methods = frozenset(method for signal in told for method in signal.methods)
            self._found = self.retriever.search(self.topic, self.facts.first, self.asked_on, role, also, methods)
        return self._found

    def assess(self) -> Reply:
        """The answer to somebody who tells of conduct."""
        findings, steps, needs = self.findings, actions.steps(self.facts), actions.questions(self.facts)
        cards = self._cards(CARD_FIT)
        top = self.found.cards[0][1] if self.found.cards else 0.0
        lead = exposure.lead(self.facts)
        answer_card = cards[0] if cards and (top >= CARD_BESIDE or not lead) else None
        more = [card for card in self._cards(max(CARD_FIT, 0.8 * top)) if card is not answer_card][:2]
        text = _template("answer.md.j2").render(
            lead=lead,
            no_lead=words()["no_lead"],
            answer_card=answer_card,
            answer_card_first=top >= CARD_FIRST or not lead,
            day_note=self._day_note(),
            findings=[finding.model_dump() | {"cited": self._named(finding.provisions)} for finding in findings],
            names=words()["aspects"],
            states=words()["states"],
            steps=[
                step.model_dump()
                | {"cited": self._named(step.provisions), "dated": bool(re.fullmatch(r"\d{4}-.*", step.deadline or ""))}
                for step in steps
            ],
            avoid=actions.warnings(self.facts),
            more=more,
            cases=self._cases(answer_card),
            documents=self._documents(),
            questions=needs,
        )
        return self._reply(text, findings=findings, actions=steps, questions=needs)

    def explain(self) -> Reply:
        """The answer to a question about a rule."""
        cards, found = self._cards(self.retriever.weights.floor), self.found
        quoted = [self._quote(provision) for provision in found.cited]
        card = cards[0] if cards else None
        top = found.cards[0][1] if cards else 0.0
        more = [c for c, score in found.cards[1:4] if c in cards and score > 0.8 * top] if card else []
        named = {ref.article for ref in card.provisions} if card else set()
        listed = [
            self._quote(p, brief=True)
            for p, _ in found.provisions[:6]
            if p not in found.cited and (not card or p.article not in named)
        ]
        text = _template("rule.md.j2").render(
            cited=quoted,
            card=card,
            more=more,
            provisions=[] if card or quoted else listed[:5],
            cases=self._cases(card, full=True),
            documents=self._documents(),
        )
        return self._reply(text)

    def _reply(self, text: str, **parts: Any) -> Reply:
        answer = re.sub(r"\n{3,}", "\n\n", self._marked(text)).strip()
        facts = {n: f for n, f in self.read.items() if n not in ("date_from", "date_to")} if self.assessing else {}
        return Reply(
            answer=answer,
            facts=facts or {n: f for n, f in self.read.items() if n in ("role", "date")},
            citations=self._citations(),
            retrieved=self._retrieved(),
            notices=[*self.notices, *self._asked_citations(), *self._doubts()],
            **parts,
        )

    def _cards(self, floor: float) -> list[Card]:
        """The cards good enough to show, best first, whose law stands on the day of the conduct."""
        return [card for card, score in self.found.cards[:6] if score >= floor and self._stands(card)]

    def _stands(self, card: Card) -> bool:
        if not (card.valid(self.facts.first) or card.valid(self.asked_on)):
            return False
        if not self.assessing:
            return True
        versions: dict[str, list[bool]] = {}
        for match in CITE.finditer(f"{card.short}{card.why}{card.steps}"):
            provision = self.library.resolve(Ref.parse(match[1]), self.facts.first)
            if provision and provision.governs == "conduct" and len(self.library.versions(provision.law)) > 1:
                versions.setdefault(provision.law, []).append(provision.in_force(self.facts.first))
        return all(any(states) for states in versions.values())

    def _cases(self, card: Card | None, full: bool = False) -> list[Case]:
        """The nearest cases, on both sides where an assessment is asked for."""
        best = self.found.cases[0][1] if self.found.cases else 0.0
        ranked = [case for case, score in self.found.cases[:8] if score >= max(CASE_FIT, 0.75 * best)]
        if full:
            return [case for case, score in self.found.cases[:1] if score >= 1.5 * CASE_FIT and self._says("ask.case")]
        ranked += [self.library.cases[name] for name in (card.cases if card else []) if name in self.library.cases]
        chosen = ranked[:1]
        sides = [{"merchant", "merchant_partly"}, {"consumer", "consumer_partly", "nobody"}]
        other = [side for side in sides if chosen and chosen[0].prevailed not in side]
        chosen += [case for case in ranked[1:] if any(case.prevailed in side for side in other)][:1]
        return chosen

    def _documents(self) -> list[DocumentHit]:
        return (
            [hit for hit in self.documents.search(self.topic, 3) if hit.score >= DOCUMENT_FIT] if self.documents else []
        )

    def _day_note(self) -> str:
        first, last = self.facts.first, self.facts.last
        changeover = self.facts.changeover()
        if self.facts.value("date_assumed and (lied or suspected)"):
            return str(words()["day_assumed"]).format(day=first, changeover=changeover)
        if first < changeover <= last:
            return str(words()["day_straddles"]).format(day=f"{first}至{last}", changeover=changeover)
        return ""

    # -- citations --------------------------------------------------------------------------------------------------

    def _provisions(self, cited: Iterable[Cited]) -> list[Provision]:
        refs = [Ref(law=c.law, version=c.version, article=c.article) for c in cited]
        return [p for ref in refs if (p := self.library.resolve(ref, self.asked_on))]

    def _law_name(self, provision: Provision) -> str:
        several = len(self.library.versions(provision.law)) > 1
        return f"{provision.law}({provision.version})" if several else provision.law

    def _name(self, provision: Provision, paragraph: int | None = None) -> str:
        tail = f"第{paragraph}款" if paragraph else ""
        return f"{self._law_name(provision)}{_article(provision.article)}{tail}"

    def _named(self, cited: list[Cited]) -> str:
        """The provisions in short, law by law in the order they come: 民法典 985、987;刑法 266."""
        laws: dict[str, list[str]] = {}
        for provision in self._provisions(cited):
            self.cited.setdefault(provision.key, provision)
            laws.setdefault(self._law_name(provision), []).append(provision.article)
        return ";".join(f"{law} {'、'.join(articles)}" for law, articles in laws.items())

    def _marked(self, text: str) -> str:
        """``[[…]]`` written out as people cite, each provision noted as cited."""

        def write(match: re.Match[str]) -> str:
            ref = Ref.parse(match[1])
            provision = self.library.resolve(ref, self.facts.first)
            if provision and provision.governs == "step":
                provision = self.library.resolve(ref, self.asked_on)
            if provision is None:
                return match[1]
            self.cited.setdefault(provision.key, provision)
            return self._name(provision, ref.paragraph)

        return CITE.sub(write, text)

    def _quote(self, provision: Provision, brief: bool = False) -> dict[str, str]:
        self.cited.setdefault(provision.key, provision)
        day = self.facts.day_of(provision)
        state = ""
        if provision.repealed and provision.repealed <= day:
            state = f"{provision.repealed} 起不再适用"
        elif day < provision.effective:
            state = f"{provision.effective} 起施行"
        text = provision.text
        if brief and len(text) > 90:
            text = f"{text[:90]}……".replace("\n", "")
        return {"name": self._name(provision), "text": text, "state": state}

    def _citations(self) -> list[Citation]:
        found = []
        for provision in self.cited.values():
            day = self.facts.day_of(provision)
            if provision.governs == "conduct" and not provision.in_force(day) and provision.in_force(self.facts.last):
                day = self.facts.last
            status: citations.Status = (
                "in_force"
                if provision.in_force(day)
                else ("not_yet_in_force" if day < provision.effective else "repealed")
            )
            found.append(
                Citation(
                    law=provision.law,
                    version=provision.version,
                    article=provision.article,
                    status=status,
                    as_of=day,
                    confidence=provision.confidence,
                )
            )
        return found

    def _asked_citations(self) -> list[str]:
        """What is wrong with the citations in the question itself."""
        verdicts = citations.check(self.consultation.question, self.library, self.facts.first)
        return [
            words()["cited_problem"].format(text=v.text.strip(), why=v.why)
            for v in verdicts
            if v.status not in ("in_force", "unclear", "title_mismatch")
        ]

    def _doubts(self) -> list[str]:
        names = {
            self._law_name(p): words()[p.confidence] for p in self.cited.values() if p.confidence in ("medium", "low")
        }
        return [text.format(name=name) for name, text in names.items()]

    def _retrieved(self) -> list[Retrieved]:
        found = [
            Retrieved(kind="provision", law=p.law, version=p.version, article=p.article, id=p.key, score=round(s, 4))
            for p, s in self.found.provisions
        ]
        found += [Retrieved(kind="commentary", id=c.id, score=round(s, 4)) for c, s in self.found.cards[:8]]
        found += [Retrieved(kind="case", id=c.id, score=round(s, 4)) for c, s in self.found.cases[:5]]
        return sorted(found, key=lambda item: -item.score)


def _article(article: str) -> str:
    match = re.fullmatch(r"(\d+)(之.+)?", article)
    return f"第{match[1]}条{match[2] or ''}" if match else article


@cache
def words() -> dict[str, Any]:
    """The fixed phrases of prompts/words.yaml."""
    return dict(yaml.safe_load((PROMPTS / "words.yaml").read_text(encoding="utf-8")))


@cache
def refusals() -> dict[str, str]:
    """The refusals of prompts/refusals.yaml, by kind."""
    return dict(yaml.safe_load((PROMPTS / "refusals.yaml").read_text(encoding="utf-8")))


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
