"""The same search as a LangChain retriever, for use in other people's chains."""

from __future__ import annotations

from datetime import date

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

import settings
from advisor.retrieval import Found, Retriever
from ingest.index import open_index
from knowledge.library import load
from knowledge.schema import Card, Case, Provision


class LawRetriever(BaseRetriever):
    """Provisions, cards and cases for a question; nothing at all where nothing fits.

    ``page_content`` is the text. ``metadata`` has ``kind``, ``id``, ``title`` and ``score``; for provisions also
    ``law``, ``version``, ``article``, ``in_force`` on their own day, ``effective``, ``repealed`` and ``source``.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    conduct: date | None = Field(default=None, description="the day of the conduct; today when not given")
    step: date | None = Field(default=None, description="the day of the step; today when not given")
    provisions: int = Field(default=6, ge=0, description="how many provisions at most")
    cards: int = Field(default=3, ge=0, description="how many commentary cards at most")
    cases: int = Field(default=1, ge=0, description="how many cases at most")

    @classmethod
    def shipped(cls, **options: int | date | None) -> LawRetriever:
        """Over the knowledge that comes with the project; builds the index when there is none."""
        library = load()
        index = open_index(library, settings.get().data_dir)
        return cls(retriever=Retriever(library, index), **options)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        conduct, step = self.conduct or settings.today(), self.step or settings.today()
        found = self.retriever.search(query, conduct, step)
        return [] if found.relevance < self.retriever.weights.nothing else self._documents(found, conduct, step)

    def _documents(self, found: Found, conduct: date, step: date) -> list[Document]:
        """Each kind's share, provisions first."""
        documents = [
            _provision(provision, score, provision.in_force(conduct if provision.governs == "conduct" else step))
            for provision, score in found.provisions[: self.provisions]
        ]
        documents += [_card(card, score) for card, score in found.cards[: self.cards]]
        return documents + [_case(case, score) for case, score in found.cases[: self.cases]]


def _provision(provision: Provision, score: float, in_force: bool) -> Document:
    return Document(
        id=provision.key,
        page_content=provision.text,
        metadata={
            "kind": "provision",
            "id": provision.key,
            "title": provision.title,
            "law": provision.law,
            "version": provision.version,
            "article": provision.article,
            "in_force": in_force,
            "effective": provision.effective.isoformat(),
            "repealed": provision.repealed.isoformat() if provision.repealed else None,
            "source": provision.source,
            "score": round(score, 4),
        },
    )


def _card(card: Card, score: float) -> Document:
    text = "\n\n".join(part for part in (card.short, card.why, card.steps) if part)
    return Document(
        id=card.id,
        page_content=text,
        metadata={"kind": "commentary", "id": card.id, "title": card.title, "score": round(score, 4)},
    )


def _case(case: Case, score: float) -> Document:
    return Document(
        id=case.id,
        page_content=f"{case.facts}\n\n{case.outcome}\n\n{case.lesson}",
        metadata={"kind": "case", "id": case.id, "title": case.title, "score": round(score, 4)},
    )
