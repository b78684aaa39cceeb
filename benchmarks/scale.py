"""A large corpus of one's own, measured: ``python -m benchmarks.scale``. Prints a table and writes it as JSON.

Taking it in (first, again, with one line changed, with one line removed), the peak of memory, and searching it. With
``CHROMA_URL`` set the vectors are on that server. Needs a corpus of lines ``{"id", "law", "article", "text"}``.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared/bench/stard/corpus.jsonl.gz"
QUERIES = 300
_errors = Console(stderr=True)


def main(
    corpus: Annotated[Path, typer.Option(help="JSONL 或 .jsonl.gz:id、law、article、text")] = CORPUS,
    output: Annotated[Path, typer.Option("-o", "--output", help="结果 JSON")] = ROOT / "benchmarks/scale.json",
    as_json: Annotated[bool, typer.Option("--json", help="只输出 JSON")] = False,
) -> None:
    """Measure, in processes of their own so that each peak of memory is that of one step."""
    if not corpus.is_file():
        _errors.print(
            f"没有找到语料 {corpus}。请用 --corpus 指明一个 JSONL 文件,每行 id、law、article、text。",
            style="red",
            markup=False,
        )
        raise typer.Exit(1)
    with tempfile.TemporaryDirectory() as folder:
        result = _measure(Path(folder), corpus)
    output.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    table = Table("项目", "值")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)


def _measure(folder: Path, corpus: Path) -> dict[str, Any]:
    lines = (gzip.decompress(corpus.read_bytes()) if corpus.suffix == ".gz" else corpus.read_bytes()).splitlines()
    source, state, result = folder / "corpus.jsonl", folder / "data", dict[str, Any]()
    half = len(lines) // 2
    changed = json.loads(lines[half])
    changed["text"] += "本条为测量改动。"
    other = [*lines[:half], json.dumps(changed, ensure_ascii=False).encode(), *lines[half + 1 :]]
    for name, given in {"首次": lines, "再次": lines, "改一行": other, "删一行": other[:-1]}.items():
        source.write_bytes(b"\n".join(given) + b"\n")
        _errors.print(f"收录:{name}")
        run = _child("ingest", state, source)
        result |= {f"{name}收录(秒)": run["seconds"], f"{name}收录:算向量的段数": run["embedded"]}
        result[f"{name}收录:内存峰值(MB)"] = run["peak"]
        result.setdefault("段数", run["pieces"])
    _errors.print("检索")
    return result | _child("search", state, source)


def _child(step: str, state: Path, source: Path) -> dict[str, Any]:
    started = time.perf_counter()
    code = f"from benchmarks.scale import {step}; {step}({str(state)!r}, {str(source)!r})"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(run.stdout)
    return found | ({"seconds": round(time.perf_counter() - started, 1)} if step == "ingest" else {})


def ingest(state: str, source: str) -> None:
    """Take a corpus in, as the command does; prints what became of it."""
    from ingest.documents import Documents

    documents = Documents(Path(state))
    report = documents.add([Path(source)])[0]
    print(json.dumps({"pieces": report.pieces, "embedded": documents.embedded, "peak": _peak()}))


def search(state: str, source: str) -> None:
    """Ask short questions of it, cold and warm, whole and by halves; prints milliseconds."""
    from ingest.documents import POOL, Documents
    from ingest.embedder import embeddings

    documents = Documents(Path(state))
    texts = [json.loads(line)["text"] for line in Path(source).read_text(encoding="utf-8").splitlines()]
    queries = [text[:30] for text in texts[:: max(1, len(texts) // QUERIES)]]
    first = _times(lambda query: documents.search(query, 10), queries[:1])
    opened = documents._current()
    assert opened, "nothing was taken in"
    parts: dict[str, Callable[[str], object]] = {
        "检索": lambda query: documents.search(query, 10),
        "其中关键词": opened.generation.keywords,
        "其中向量:编码": embeddings().embed_query,
        "其中向量:查找": lambda query: opened.vectors.similar(embeddings().embed_query(query), POOL),
    }
    result: dict[str, Any] = {"检索:首个(毫秒)": round(first[0], 1)}
    for name, action in parts.items():
        spent = _times(action, queries)
        result |= {f"{name}:中位(毫秒)": round(float(np.median(spent)), 1)}
        result |= {f"{name}:95%(毫秒)": round(float(np.percentile(spent, 95)), 1)}
    print(json.dumps(result | {"检索:内存峰值(MB)": _peak()}))
    documents.close()
    documents.remove(str(Path(source).resolve()))  # a server would keep it


def _times(action: Callable[[str], object], queries: list[str]) -> list[float]:
    spent = []
    for query in queries:
        started = time.perf_counter()
        action(query)
        spent.append((time.perf_counter() - started) * 1000)
    return spent


def _peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    typer.run(main)
