"""The search in somebody else's chain."""

from __future__ import annotations

from datetime import date

from langchain_core.runnables import RunnableLambda

from advisor.chains import LawRetriever
from advisor.retrieval import Retriever
from ingest.index import Index
from knowledge.library import Library


def keys(retriever: LawRetriever, query: str) -> list[str]:
    found = [d.metadata for d in retriever.invoke(query) if d.metadata["kind"] == "provision"]
    return [f"{one['law']}({one['version']}) {one['article']}" for one in found]


def test_a_chain_gets_the_article_in_force_on_the_day(library: Library, index: Index) -> None:
    question = "买家用P的图骗走几十块退款,派出所怎么处罚"
    new = LawRetriever(retriever=Retriever(library, index), conduct=date(2026, 3, 12))
    old = LawRetriever(retriever=Retriever(library, index), conduct=date(2025, 11, 20))
    assert "治安管理处罚法(2025修订) 58" in keys(new, question)[:3]
    assert "治安管理处罚法(2012修正) 49" in keys(old, question)[:3]
    first = next(d for d in new.invoke(question) if d.metadata.get("article") == "58")
    assert "二千元以下罚款" in first.page_content
    assert first.metadata["in_force"] is True


def test_a_cited_article_comes_first(library: Library, index: Index) -> None:
    retriever = LawRetriever(
        retriever=Retriever(library, index), conduct=date(2026, 3, 12), provisions=3, cards=0, cases=0
    )
    for words in ("刑法266", "刑法第二百六十六条", "《中华人民共和国刑法》第266条"):
        assert keys(retriever, words)[0] == "刑法(1997修订) 266"
    assert len(retriever.invoke("刑法266")) <= 3


def test_it_composes(library: Library, index: Index) -> None:
    chain = LawRetriever(retriever=Retriever(library, index)) | RunnableLambda(len)
    assert chain.invoke("七天无理由退货怎么算天数") == 10  # six provisions, three cards, one case


def test_nothing_of_the_kind_finds_nothing(library: Library, index: Index) -> None:
    assert keys(LawRetriever(retriever=Retriever(library, index)), "zzzz qqqq") == []
