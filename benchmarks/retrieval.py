"""How often the right provisions are found: ``python -m benchmarks.retrieval``.

Without arguments the project's own questions over the shipped knowledge; ``--questions`` another file of that shape;
``--corpus --queries --qrels`` a corpus of its own (shapes as in STARD), with the same two scores and no cards.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import bm25s
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

import settings
from advisor.answer import Advisor
from advisor.consultation import Consultation
from advisor.retrieval import WEIGHTS
from ingest.embedder import NgramEmbeddings, tokens
from ingest.index import open_index
from knowledge.library import Library, load

OWN = Path(__file__).parent / "questions.jsonl"
_console = Console(stderr=True)


def main(
    questions: Annotated[Path | None, typer.Option(help="JSONL:question、gold(law、article),可有 role、facts")] = None,
    corpus: Annotated[Path | None, typer.Option(help="JSONL 或 .gz:id、text")] = None,
    queries: Annotated[Path | None, typer.Option(help="JSONL:id、text,可有 split")] = None,
    qrels: Annotated[Path | None, typer.Option(help="JSONL:qid、doc_id")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="只输出 JSON")] = False,
) -> None:
    """Print recall at 5 and 10, mean reciprocal rank and the time a query takes."""
    given = [corpus, queries, qrels]
    if any(given) and not all(given):
        raise typer.BadParameter("--corpus、--queries、--qrels 要一起给")
    result = _foreign(corpus, queries, qrels) if corpus and queries and qrels else _own(questions or OWN)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    table = Table("指标", "值")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)


def _own(path: Path) -> dict[str, Any]:
    library = load()
    advisor = Advisor(library, open_index(library, settings.get().data_dir))
    ranks, spent = [], []
    for record in track(list(_lines(path)), description="检索", console=_console):
        gold = [_keys(library, item["law"], item["article"]) for item in record.get("gold", [])]
        if not gold:
            continue
        facts = record.get("facts", {})
        day = _day(facts.get("date"))
        reply = advisor.reply(
            Consultation(question=record["question"], role=record.get("role"), date=day, province=facts.get("province"))
        )
        spent.append(reply.ms)
        found = [item.id for item in reply.retrieved if item.kind == "provision"]
        ranks.append([next((n for n, key in enumerate(found, 1) if key in keys), 0) for keys in gold])
    return _figures(ranks, spent)


def _foreign(corpus: Path, queries: Path, qrels: Path) -> dict[str, Any]:
    documents = list(_lines(corpus))
    wanted: dict[str, set[str]] = {}
    for line in _lines(qrels):
        wanted.setdefault(str(line["qid"]), set()).add(str(line["doc_id"]))
    asked = [q for q in _lines(queries) if str(q["id"]) in wanted and q.get("split", "dev") != "train"]
    texts = [f"{d.get('law', '')}{d.get('article', '')} {d['text']}" for d in documents]
    ids = [str(d["id"]) for d in documents]
    started = time.perf_counter()
    bm25 = bm25s.BM25()
    bm25.index([tokens(text) for text in track(texts, description="BM25", console=_console)], show_progress=False)
    embeddings = NgramEmbeddings.fit(track(texts, description="权重", console=_console))
    vectors = np.asarray(
        [embeddings.embed_query(text) for text in track(texts, description="向量", console=_console)], dtype=np.float32
    )
    built = time.perf_counter() - started
    ranks, spent = [], []
    for query in track(asked, description="检索", console=_console):
        started = time.perf_counter()
        sparse = bm25.get_scores(tokens(query["text"]))
        dense = vectors @ np.asarray(embeddings.embed_query(query["text"]), dtype=np.float32)
        score = WEIGHTS.dense * dense + WEIGHTS.sparse * sparse / max(float(sparse.max()), 1e-6)
        best = [ids[n] for n in np.argsort(-score)[:100]]
        spent.append((time.perf_counter() - started) * 1000)
        gold = wanted[str(query["id"])]
        ranks.append([best.index(doc) + 1 if doc in best else 0 for doc in gold])
    return _figures(ranks, spent) | {"建索引(秒)": round(built, 1), "文档": len(documents)}


def _figures(ranks: list[list[int]], spent: list[float]) -> dict[str, Any]:
    if not ranks:
        raise typer.BadParameter("没有带答案的问题")

    def recall(k: int) -> float:
        return round(float(np.mean([np.mean([0 < rank <= k for rank in one]) for one in ranks])), 3)

    first = [min((rank for rank in one if rank), default=0) for one in ranks]
    reciprocal = float(np.mean([1 / rank if 0 < rank <= 10 else 0 for rank in first]))
    return {
        "问题": len(ranks),
        "R@5": recall(5),
        "R@10": recall(10),
        "MRR@10": round(reciprocal, 3),
        "毫秒(中位)": round(float(np.median(spent)), 1),
        "毫秒(95%)": round(float(np.percentile(spent, 95)), 1),
    }


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
