"""How often the right provisions are found: ``python -m benchmarks.retrieval``, always beside plainer ways to search.

Without arguments the project's own questions over the shipped knowledge; ``--questions`` another file of that shape;
``--corpus --queries --qrels`` a corpus of its own (shapes as in STARD). Prints a table and writes it as JSON.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import bm25s
import jieba
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

import settings
from advisor.answer import Advisor
from advisor.consultation import Consultation
from advisor.retrieval import WEIGHTS, Retriever, Weights
from ingest.documents import DENSE, SPARSE
from ingest.embedder import embeddings, tokens
from ingest.index import open_index
from knowledge.library import Library, load
from knowledge.numerals import heading

HERE = Path(__file__).parent
CHUNK = 100  # tokens a chunk, as many tools cut
OURS = "退有据(回答全程)"
# What is taken away, and the weights without it.
WITHOUT = {
    "不用向量": replace(WEIGHTS, own_dense=0.0, ask_dense=0.0, body_dense=0.0),
    "不用关键词": replace(WEIGHTS, own_sparse=0.0, ask_sparse=0.0, body_sparse=0.0),
    "不用条文原文": replace(WEIGHTS, own_dense=0.0, own_sparse=0.0),
    "不用条文旁的问法": replace(WEIGHTS, ask_dense=0.0, ask_sparse=0.0),
    "不经过解说卡": replace(WEIGHTS, through_card=0.0),
    "不看解说卡旁的问法": replace(WEIGHTS, through_ask=0.0),
    "不看解说卡正文": replace(WEIGHTS, body_dense=0.0, body_sparse=0.0),
    "不看条文的常用程度": replace(WEIGHTS, popular=0.0, popular_told=0.0),
    "不用认定所依据的条文": replace(WEIGHTS, known=0.0, popular_told=0.0),
}
Search = Callable[["Question"], list[str]]
_console = Console(stderr=True)


@dataclass(frozen=True)
class Question:
    """A question and its right answers, each a set of ids any of which will do."""

    text: str
    gold: list[set[str]]
    record: dict[str, Any] = field(default_factory=dict)


def main(
    questions: Annotated[Path | None, typer.Option(help="JSONL:question、gold(law、article),可有 role、facts")] = None,
    corpus: Annotated[Path | None, typer.Option(help="JSONL 或 .gz:id、text")] = None,
    queries: Annotated[Path | None, typer.Option(help="JSONL:id、text,可有 split")] = None,
    qrels: Annotated[Path | None, typer.Option(help="JSONL:qid、doc_id")] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="逐一去掉每个部分")] = False,
    worst: Annotated[int, typer.Option(help="列出找得最差的几个问题")] = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="结果 JSON")] = HERE / "retrieval.json",
    as_json: Annotated[bool, typer.Option("--json", help="只输出 JSON")] = False,
) -> None:
    """Print recall at 5 and 10, mean reciprocal rank and milliseconds for each way to search."""
    given = [path for path in (questions, corpus, queries, qrels) if path]
    for path in given:
        if not path.is_file():
            _console.print(f"没有找到 {path}。请核对路径;不带参数则用随附的问题。", style="red", markup=False)
            raise typer.Exit(1)
    if any((corpus, queries, qrels)) and not all((corpus, queries, qrels)):
        raise typer.BadParameter("--corpus、--queries、--qrels 要一起给")
    jieba.setLogLevel(logging.WARNING)
    if corpus and queries and qrels:
        asked, ways = _foreign(corpus, queries, qrels)
    else:
        asked, ways = _own(questions or HERE / "questions.jsonl", ablate)
    if not asked:
        _console.print("没有带答案的问题。", style="red")
        raise typer.Exit(1)
    found = {name: _run(name, way, asked) for name, way in ways.items()}
    result = {name: figures for name, (figures, _) in found.items()}
    output.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    _print(result)
    answered = zip(asked, next(iter(found.values()))[1], strict=True)
    for question, ranked in sorted(answered, key=lambda pair: _recall(pair[0], pair[1], 10))[:worst]:
        wanted = "、".join("/".join(sorted(gold)) for gold in question.gold)
        typer.echo(f"\n{question.text}\n  应为:{wanted}\n  得到:{'、'.join(ranked[:10])}")


def _own(path: Path, ablate: bool) -> tuple[list[Question], dict[str, Search]]:
    library = load()
    index = open_index(library, settings.get().data_dir)
    asked = [
        Question(line["question"], [_keys(library, item["law"], item["article"]) for item in line["gold"]], line)
        for line in _lines(path)
        if line.get("gold")
    ]
    keys = list(library.provisions)
    texts = [f"{p.law}{heading(p.article)} {p.text}" for p in library.provisions.values()]
    ways: dict[str, Search] = {
        OURS: _answering(Advisor(library, index)),
        "只检索": _searching(Retriever(library, index)),
    }
    ways |= _baselines(keys, texts)
    if ablate:
        for name, weights in WITHOUT.items():
            ways[name] = _answering(_with(Advisor(library, index), weights))
    return asked, ways


def _foreign(corpus: Path, queries: Path, qrels: Path) -> tuple[list[Question], dict[str, Search]]:
    wanted: dict[str, list[set[str]]] = {}
    for line in _lines(qrels):
        wanted.setdefault(str(line["qid"]), []).append({str(line["doc_id"])})
    asked = [
        Question(line["text"], wanted[str(line["id"])])
        for line in _lines(queries)
        if str(line["id"]) in wanted and line.get("split", "dev") != "train"
    ]
    documents = list(_lines(corpus))
    texts = [f"{line.get('law', '')}{line.get('article', '')} {line['text']}" for line in documents]
    return asked, _baselines([str(line["id"]) for line in documents], texts, fused=True)


def _answering(advisor: Advisor) -> Search:
    def search(question: Question) -> list[str]:
        facts, role = question.record.get("facts", {}), question.record.get("role")
        day = _day(facts.get("date"))
        consultation = Consultation(question=question.text, role=role, date=day, province=facts.get("province"))
        return [item.id for item in advisor.reply(consultation).retrieved if item.kind == "provision"]

    return search


def _with(advisor: Advisor, weights: Weights) -> Advisor:
    advisor.retriever.weights = weights
    return advisor


def _searching(retriever: Retriever) -> Search:
    def search(question: Question) -> list[str]:
        day = _day(question.record.get("facts", {}).get("date")) or settings.today()
        return [p.key for p, _ in retriever.search(question.text, day, settings.today()).provisions]

    return search


def _baselines(ids: list[str], texts: list[str], fused: bool = False) -> dict[str, Search]:
    """The plain ways; with ``fused`` also vectors and keywords together, as own documents are searched."""
    names = np.array(ids)
    grams, words = _bm25(texts, tokens), _bm25(texts, lambda text: [w for w in jieba.lcut(text) if w.strip()])
    vectors = _vectors(texts)
    pieces = [(n, piece) for n, text in enumerate(texts) for piece in _chunks(text)]
    chunked, owner = _vectors([piece for _, piece in pieces]), np.array([n for n, _ in pieces])

    def near(matrix: NDArray[np.float32], text: str) -> NDArray[np.float32]:
        return np.asarray(matrix @ np.asarray(embeddings().embed_query(text), dtype=np.float32))

    def best(scores: NDArray[np.float32]) -> list[str]:
        top = np.argpartition(-scores, min(100, len(scores) - 1))[:100]
        return [str(name) for name in names[top[np.argsort(-scores[top], kind="stable")]]]

    def by_chunk(question: Question) -> list[str]:
        scores = np.full(len(ids), -1.0, dtype=np.float32)
        np.maximum.at(scores, owner, near(chunked, question.text))
        return best(scores)

    def both(question: Question) -> list[str]:
        sparse = grams(question.text)
        return best(DENSE * near(vectors, question.text) + SPARSE * sparse / max(float(sparse.max()), 1e-6))

    ways: dict[str, Search] = {"向量加关键词": both} if fused else {}
    return ways | {
        "BM25(词,jieba)": lambda question: best(words(question.text)),
        "BM25(字二元组)": lambda question: best(grams(question.text)),
        "只用向量": lambda question: best(near(vectors, question.text)),
        f"切成 {CHUNK} 词的块,只用向量": by_chunk,
    }


def _bm25(texts: list[str], cut: Callable[[str], list[str]]) -> Callable[[str], NDArray[np.float32]]:
    bm25 = bm25s.BM25()
    bm25.index([cut(text) for text in track(texts, description="BM25", console=_console)], show_progress=False)
    return lambda text: np.asarray(bm25.get_scores(cut(text)) if cut(text) else np.zeros(len(texts)), dtype=np.float32)


def _vectors(texts: list[str]) -> NDArray[np.float32]:
    made = [embeddings().embed_documents(texts[n : n + 1_000]) for n in range(0, len(texts), 1_000)]
    return np.concatenate([np.asarray(part, dtype=np.float32) for part in made])


def _chunks(text: str) -> Iterator[str]:
    words = jieba.lcut(text)
    for start in range(0, len(words), CHUNK):
        yield "".join(words[start : start + CHUNK])


@dataclass(frozen=True)
class Figures:
    """What was measured of one way to search."""

    questions: int
    recall_5: float
    recall_10: float
    mrr_10: float
    median_ms: float
    p95_ms: float


def _run(name: str, way: Search, asked: list[Question]) -> tuple[dict[str, Any], list[list[str]]]:
    spent, found = [], []
    for question in track(asked, description=name, console=_console):
        started = time.perf_counter()
        found.append(way(question))
        spent.append((time.perf_counter() - started) * 1000)
    pairs = list(zip(asked, found, strict=True))
    figures = Figures(
        questions=len(asked),
        recall_5=round(float(np.mean([_recall(q, ranked, 5) for q, ranked in pairs])), 3),
        recall_10=round(float(np.mean([_recall(q, ranked, 10) for q, ranked in pairs])), 3),
        mrr_10=round(float(np.mean([_reciprocal(q, ranked) for q, ranked in pairs])), 3),
        median_ms=round(float(np.median(spent)), 1),
        p95_ms=round(float(np.percentile(spent, 95)), 1),
    )
    return asdict(figures), found


def _recall(question: Question, ranked: list[str], k: int) -> float:
    return float(np.mean([bool(gold & set(ranked[:k])) for gold in question.gold]))


def _reciprocal(question: Question, ranked: list[str]) -> float:
    right = set().union(*question.gold)
    return next((1 / n for n, name in enumerate(ranked[:10], 1) if name in right), 0.0)


def _print(result: dict[str, dict[str, Any]]) -> None:
    table = Table("方法", "问题", "R@5", "R@10", "MRR@10", "毫秒(中位)", "毫秒(95%)")
    for name, figures in result.items():
        table.add_row(name, *map(str, figures.values()))
    Console().print(table)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in text.decode("utf-8-sig").splitlines():
        if line.strip():
            yield json.loads(line)


def _keys(library: Library, law: str, article: str) -> set[str]:
    """The provisions an answer key means; a version in brackets narrows it, a document number doesn't."""
    name, version = law, None
    if match := re.fullmatch(r"(.+)\(([^()]*(?:\d{4})[^()]*)\)", law):
        name, version = match[1], match[2]
    found: Iterable[str] = (f"{s.id}/{article}" for s in library.versions(name) if _same(s.version, version))
    return set(found) or {f"{law}/{article}"}


def _same(version: str, wanted: str | None) -> bool:
    return wanted is None or not wanted[:4].isdigit() or version[:4] == wanted[:4]


def _day(text: str | None) -> date | None:
    if not text:
        return None
    parts = [int(part) for part in text.split("-")]
    return date(*(parts + [1] * (3 - len(parts))))


if __name__ == "__main__":
    typer.run(main)
