"""Decides what a question is: the context it stands in, whether we answer it, and whether it tells of conduct."""

from __future__ import annotations

import re

from advisor import mentions
from advisor.consultation import Consultation, Fact
from advisor.facts import FactReader
from ingest.embedder import normalize
from knowledge.library import Library

HARMS = ("fake", "evade", "threaten", "expose", "misjudge")
EARLIER = 400
# Facts that say nothing of conduct by themselves.
ASIDE = {
    *("role", "date", "date_from", "date_to", "amount_yuan", "count", "age", "minor", "province", "place", "platform"),
    *(
        "refund_only",
        "food",
        "secondhand",
        "legal_claim",
        "mentions_record",
        "asked_conclusion",
        "professional_claimer",
    ),
    "defect",
}
ANCHORS = ("amount_yuan", "count", "date")


class Scope:
    """One question, read for what it wants."""

    def __init__(
        self, library: Library, reader: FactReader, consultation: Consultation, facts: dict[str, Fact]
    ) -> None:
        self.library, self.reader, self.facts = library, reader, facts
        self.question = normalize(consultation.question)
        self.earlier = [turn.content for turn in consultation.history if turn.role == "user"]
        self.topic = self._topic()

    def says(self, signal: str) -> bool:
        """Whether the question itself states a signal."""
        return self.reader.has(signal, self.question) is not None

    def assesses(self) -> bool:
        """Whether the question tells of conduct, or asks what conduct amounts to."""
        if self.says("ask.lookup") and not self.earlier:
            return False
        told = any(name not in ASIDE for name in self.facts if not self._implied(name)) or "defect" in self.facts
        counts_as = self.says("ask.crime") and "mentions_record" not in self.facts
        if "asked_conclusion" in self.facts and (told or counts_as):
            return True
        if self.says("ask.case") and not self.says("ask.own"):
            return False
        if self.says("ask.rule") and not self.says("ask.own"):
            return False
        anchored = any(name in self.facts and self.facts[name].source != "assumed" for name in ANCHORS)
        stated = told and not self.says("ask.clause")  # conduct put without a question is told, whoever its subject
        if not (self.says("ask.story") or anchored or stated or self.earlier):
            return False
        kept = "refund_only" in self.facts and ("amount_yuan" in self.facts or not self.says("ask.clause"))
        return told or kept

    def _implied(self, name: str) -> bool:
        """Whether a fact follows from the words 仅退款 alone."""
        only = self.facts.get("refund_only")
        return name == "goods_returned" and only is not None and only.source in self.facts[name].source

    def refusal(self) -> str | None:
        """The kind of refusal called for without a search, "unclear" when a search must tell, or None."""
        if not self.question:
            return "empty"
        harm = next((harm for harm in HARMS if self.says(f"harm.{harm}")), None)
        if harm or self.says("scope.injection"):
            return harm or "injection"
        if any(mention.law for mention in mentions.find(self.topic, self.library)):
            return None
        chinese = len(re.findall(r"[\u4e00-\u9fff]", self.question))
        words = len(re.findall(r"[a-z]{3,}", self.question))
        if words >= 4 and chinese < words / 2:
            return "foreign"
        if self.says("scope.elsewhere"):
            return "offtopic"
        if len(set(self.question)) < 3 <= len(self.question):
            return "nonsense"
        told = bool(self.earlier) or any(name not in ASIDE for name in self.facts)
        in_field = self.reader.has("scope.domain", self.topic) is not None or (told and not self.earlier)
        if in_field and (chinese >= 4 or words >= 3 or told):
            sparse = len(self.question) >= 8 and chinese < 0.3 * len(self.question) and chinese < 8 and words < 3
            return "nonsense" if sparse and not told else None
        return "nonsense" if chinese < 3 and words < 3 else "unclear"

    def asked(self) -> list[str]:
        """The clause that asks, by itself and, where it is short, with the one before it.

        Empty where the whole question is one clause, or where what is asked is what the facts amount to.
        """
        clauses = [clause for clause in re.split(r"[,,。;;!!??\n]+|\s{1,}", self.question) if len(clause) >= 4]
        asking = [n for n, clause in enumerate(clauses) if self.reader.has("ask.clause", clause)]
        if not asking or (len(clauses) == 1 and not self.earlier):
            return []
        last = asking[-1]
        if any(self.reader.has(name, clauses[last]) for name in ("asked_conclusion", "ask.verdict")):
            return []
        joined = [" ".join(clauses[last - 1 : last + 1])] if last > 0 and len(clauses[last]) < 8 else []
        return [clauses[last], *joined]

    def _topic(self) -> str:
        """The question with what it follows on from."""
        follows = self.says("mode.followup") or self.says("mode.correction") or not self.says("scope.domain")
        if self.earlier and follows:
            return f"{normalize(self.earlier[-1])[:EARLIER]}\n{self.question}"
        return self.question
