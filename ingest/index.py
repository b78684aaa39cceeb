"""One index over all text: dense vectors in Chroma and BM25 beside them, rebuilt when the knowledge changes."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import bm25s
import numpy as np
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from filelock import FileLock
from langchain_chroma import Chroma
from langchain_core.documents import Document as Chunk
from numpy.typing import NDArray
from pydantic import BaseModel

from ingest.embedder import DIMENSIONS, NgramEmbeddings, tokens
from knowledge.files import CITE
from knowledge.library import Library
from knowledge.numerals import heading

FORMAT = 1
BATCH = 200
COLLECTION = "knowledge"
Progress = Callable[[str, int, int], None]


class FileReport(BaseModel):
    """What became of one file."""

    path: str
    status: Literal["indexed", "unchanged", "refused"]
    kind: str | None = None
    pieces: int = 0
    pages: int | None = None
    warnings: list[str] = []
    why: str | None = None


class IndexUnwritable(Exception):
    """The index folder can't be written; the message says where and what to do."""


@dataclass(frozen=True)
class Piece:
    """One indexed text. ``kind``: provision, commentary, case, ask (a question beside a card) or document."""

    id: str
    kind: str
    text: str
    metadata: dict[str, str | int]


@dataclass(frozen=True)
class Hit:
    """A piece that answers a query, with its cosine similarity and its BM25 score."""

    piece: Piece
    dense: float
    sparse: float


def pieces(library: Library) -> Iterator[Piece]:
    """Every piece of the shipped knowledge."""
    for provision in library.provisions.values():
        dates: dict[str, str | int] = {
            "law": provision.law,
            "version": provision.version,
            "article": provision.article,
            "effective": int(provision.effective.strftime("%Y%m%d")),
            "repealed": int(provision.repealed.strftime("%Y%m%d")) if provision.repealed else 99991231,
        }
        text = f"{provision.law}{heading(provision.article)} {provision.text}"
        yield Piece(f"provision:{provision.key}", "provision", text, {"of": provision.key, **dates})
    for card in library.cards.values():
        body = CITE.sub(r"\1", f"{card.title}\n{card.short}\n{card.why}\n{card.steps}")
        yield Piece(f"commentary:{card.id}", "commentary", body, {"of": card.id})
        for number, ask in enumerate([card.title, *card.asks]):
            yield Piece(f"ask:{card.id}/{number}", "ask", ask, {"of": card.id})
    for case in library.cases.values():
        text = f"{case.title}\n{case.place} {case.facts}\n{case.outcome}\n{case.lesson}"
        yield Piece(f"case:{case.id}", "case", text, {"of": case.id})


def fingerprint(library: Library) -> dict[str, str]:
    """The hash of every indexed file by its path, and of what the index depends on besides (under "")."""
    files = {library.paths[name] for name in [*library.statutes, *library.cards, *library.cases]}
    stamps = {str(path.relative_to(library.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"": f"{FORMAT}/{DIMENSIONS}"} | dict(sorted(stamps.items()))


def changed_files(library: Library, data_dir: Path) -> list[FileReport]:
    """What :func:`open_index` will do with each file of the shipped knowledge."""
    stamps, known = fingerprint(library), _manifest(data_dir / "index").get("fingerprint", {})
    counts = Counter(library.paths[str(piece.metadata["of"]).split("/")[0]] for piece in pieces(library))
    same_index = known.get("") == stamps.pop("")
    return [
        FileReport(
            path=str(library.root / name),
            status="unchanged" if same_index and known.get(name) == stamp else "indexed",
            kind=name.split("/")[0],
            pieces=counts[library.root / name],
        )
        for name, stamp in stamps.items()
    ]


class Index:
    """The index under ``folder``; open it with :func:`open_index`, which builds what is missing."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self.embeddings = NgramEmbeddings.load(folder / "weights.npy")
        self._chroma = _store(folder, manifest["collection"], self.embeddings)
        self._bm25 = bm25s.BM25.load(folder / "bm25")
        self.pieces = [Piece(**record) for record in json.loads((folder / "pieces.json").read_text(encoding="utf-8"))]
        self._position = {piece.id: number for number, piece in enumerate(self.pieces)}
        if self._chroma._collection.count() != len(self.pieces):
            raise ValueError("向量库与清单的条数不一致")

    def search(self, query: str, kind: str, k: int) -> list[Hit]:
        """The ``k`` best pieces of a kind by either score, unordered; an empty query finds nothing."""
        grams = tokens(query)
        if not grams:
            return []
        sparse: NDArray[np.float32] = self._bm25.get_scores(grams)
        ranked = [n for n in np.argsort(-sparse, kind="stable") if self.pieces[n].kind == kind and sparse[n] > 0][:k]
        found = self._chroma.similarity_search_with_score(query, k=k, filter={"kind": kind})
        dense = {self._position[str(chunk.id)]: 1.0 - distance for chunk, distance in found}
        missing = [int(n) for n in ranked if int(n) not in dense]
        if missing:
            vector = np.asarray(self.embeddings.embed_query(query), dtype=np.float32)
            kept = self._chroma.get(ids=[self.pieces[n].id for n in missing], include=["embeddings"])
            dense |= {
                self._position[name]: float(vector @ np.asarray(other))
                for name, other in zip(kept["ids"], kept["embeddings"], strict=True)
            }
        return [Hit(self.pieces[n], score, float(sparse[n])) for n, score in dense.items()]


def open_index(library: Library, data_dir: Path, progress: Progress = lambda stage, done, total: None) -> Index:
    """Open the index, building it when it is missing, stale, half-written or not ours; says so through ``progress``.

    Raises :class:`IndexUnwritable` when ``data_dir`` can't be written.
    """
    folder = data_dir / "index"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(data_dir / "index.lock"):
            stamp = fingerprint(library)
            manifest = _manifest(folder)
            if manifest.get("fingerprint") == stamp:
                try:
                    return Index(folder, manifest)
                except Exception:  # noqa: BLE001 - whatever a damaged store raises, the cure is the same
                    progress("索引损坏,正在重建", 0, 1)
            elif folder.exists():
                progress("知识有更新或索引不完整,正在重建", 0, 1)
            return _build(library, folder, stamp, progress)
    except OSError as error:
        raise IndexUnwritable(
            f"索引目录 {data_dir} 不能写入({error.strerror or error})。请检查磁盘空间和权限,"
            "或设置环境变量 DATA_DIR 指向可写的目录后重新启动。"
        ) from error


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _store(folder: Path, collection: str, embeddings: NgramEmbeddings) -> Chroma:
    return Chroma(
        collection_name=collection,
        embedding_function=embeddings,
        persist_directory=str(folder / "chroma"),
        client_settings=ChromaSettings(anonymized_telemetry=False, is_persistent=True),
        collection_metadata={"hnsw:space": "cosine"},
    )


def _build(library: Library, folder: Path, stamp: dict[str, str], progress: Progress) -> Index:
    """Write a fresh index; the manifest comes last, so that a build cut short is seen as none."""
    SharedSystemClient.clear_system_cache()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    todo = list(pieces(library))
    embeddings = NgramEmbeddings.fit(piece.text for piece in todo)
    embeddings.save(folder / "weights.npy")
    collection = f"{COLLECTION}-{uuid.uuid4().hex[:8]}"
    store = _store(folder, collection, embeddings)
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        store.add_documents(
            [Chunk(page_content=p.text, metadata={"kind": p.kind, **p.metadata}) for p in batch],
            ids=[p.id for p in batch],
        )
        progress("正在建立索引", min(start + BATCH, len(todo)), len(todo))
    bm25 = bm25s.BM25()
    bm25.index([tokens(piece.text) for piece in todo], show_progress=False)
    bm25.save(folder / "bm25", show_progress=False)
    records = [{"id": p.id, "kind": p.kind, "text": p.text, "metadata": p.metadata} for p in todo]
    (folder / "pieces.json").write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    manifest = {"fingerprint": stamp, "collection": collection, "pieces": len(todo)}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Index(folder, manifest)
