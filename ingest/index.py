"""One index over all text: dense vectors in Chroma and BM25 beside them, rebuilt when the knowledge changes."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import bm25s
import numpy as np
from chromadb.api.shared_system_client import SharedSystemClient
from filelock import FileLock
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from pydantic import BaseModel

from ingest.embedder import embeddings, identity, tokens
from ingest.store import ServerDown, Vectors, VectorsAway, drop
from knowledge.files import CITE
from knowledge.library import Library
from knowledge.numerals import heading

FORMAT = 2
KINDS = ("provision", "commentary", "case", "ask")
UNSEEN = 0.4  # what an n-gram that no text has counts, in parts of the most telling one
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
    """One indexed text. ``kind``: provision, commentary, case or ask (a question beside a card or a provision).

    ``metadata["of"]`` is the id of what it belongs to.
    """

    id: str
    kind: str
    text: str
    metadata: dict[str, str | int]


@dataclass(frozen=True)
class Hit:
    """A piece that answers a query, with its cosine similarity and its BM25 score, in parts of the highest possible."""

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
    for key, asks in library.asks.items():
        for number, ask in enumerate(asks):
            yield Piece(f"ask:{key}/{number}", "ask", ask, {"of": key})
    for case in library.cases.values():
        text = f"{case.title}\n{case.place} {case.facts}\n{case.outcome}\n{case.lesson}"
        yield Piece(f"case:{case.id}", "case", text, {"of": case.id})


def fingerprint(library: Library) -> dict[str, str]:
    """The hash of every indexed file by its path, and of what the index depends on besides (under "")."""
    files = {library.paths[name] for name in [*library.statutes, *library.cards, *library.cases]}
    files |= {*(library.root / "questions").glob("*.yaml")}
    stamps = {str(path.relative_to(library.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"": f"{FORMAT}/{identity(embeddings())}"} | dict(sorted(stamps.items()))


def changed_files(library: Library, data_dir: Path) -> list[FileReport]:
    """What :func:`open_index` will do with each file of the shipped knowledge."""
    stamps, known = fingerprint(library), _manifest(data_dir / "index").get("fingerprint", {})
    counts = Counter(_source(library, piece) for piece in pieces(library))
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


def _source(library: Library, piece: Piece) -> Path:
    of = str(piece.metadata["of"])
    if piece.kind == "ask" and of in library.provisions:
        return library.root / "questions" / f"{of.split('/')[0]}.yaml"
    return library.paths[of.split("/")[0]]


class Keywords:
    """BM25 over the pieces of one kind, by character n-grams."""

    def __init__(self, bm25: bm25s.BM25) -> None:
        self._bm25 = bm25
        values, ends = np.asarray(bm25.scores["data"]), np.asarray(bm25.scores["indptr"])
        self._most = np.maximum.reduceat(values, ends[:-1]) if len(values) else np.zeros(0, dtype=np.float32)

    @classmethod
    def build(cls, texts: list[str]) -> Keywords:
        """Index texts."""
        bm25 = bm25s.BM25()
        bm25.index([tokens(text) for text in texts], show_progress=False)
        return cls(bm25)

    @classmethod
    def load(cls, folder: Path) -> Keywords:
        """Read what :meth:`save` wrote."""
        return cls(bm25s.BM25.load(folder))

    def knows(self, gram: str) -> bool:
        """Whether some text has it."""
        return gram in self._bm25.vocab_dict

    def save(self, folder: Path) -> None:
        """Write it to a folder."""
        self._bm25.save(folder, show_progress=False)

    def scores(self, grams: list[str]) -> NDArray[np.float32]:
        """One score a text, 1.0 being the highest these n-grams could reach."""
        known = [n for gram in grams if (n := self._bm25.vocab_dict.get(gram)) is not None]
        if not known:
            return np.zeros(self._bm25.scores["num_docs"], dtype=np.float32)
        highest = float(self._most[known].sum()) + UNSEEN * float(self._most.max()) * (len(grams) - len(known))
        return np.asarray(self._bm25.get_scores(grams), dtype=np.float32) / highest


class Index:
    """The index under ``folder``; open it with :func:`open_index`, which builds what is missing."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest, self.embeddings = folder, manifest, embeddings()
        self.vectors = Vectors(manifest["collection"], folder, self.embeddings)
        self.pieces = [Piece(**record) for record in json.loads((folder / "pieces.json").read_text(encoding="utf-8"))]
        self._position = {piece.id: number for number, piece in enumerate(self.pieces)}
        self._matrix: NDArray[np.float32] = np.load(folder / "vectors.npy", mmap_mode="r")
        self._numbers = {
            kind: np.array([n for n, piece in enumerate(self.pieces) if piece.kind == kind]) for kind in KINDS
        }
        self._keywords = {kind: Keywords.load(folder / "bm25" / kind) for kind in KINDS if len(self._numbers[kind])}
        self._owners = {kind: _owners([self.pieces[n] for n in numbers]) for kind, numbers in self._numbers.items()}
        self._made = lru_cache(maxsize=32)(self._make)
        if len(self._matrix) != len(self.pieces):
            raise ValueError("向量与清单的条数不一致")
        try:
            if self.vectors.count() != len(self.pieces):
                raise ValueError("向量库与清单的条数不一致")
        except ServerDown as error:  # keywords answer until it is back
            logging.getLogger(__name__).warning("%s", error)

    def search(self, query: str, kind: str, k: int) -> list[Hit]:
        """The ``k`` best pieces of a kind by either score, unordered; an empty query finds nothing."""
        vector, sparse = self._made(query, kind)
        if not len(sparse):
            return []
        numbers = self._numbers[kind]
        chosen = {int(numbers[n]) for n in np.argpartition(-sparse, min(k, len(sparse)) - 1)[:k] if sparse[n] > 0}
        try:
            chosen |= {self._position[name] for name in self.vectors.similar(vector, k, {"kind": kind})}
        except VectorsAway as error:
            logging.getLogger(__name__).warning("%s", error)
        rows = sorted(chosen)
        near, words = self._matrix[rows] @ vector, sparse[np.searchsorted(numbers, rows)]
        return [Hit(self.pieces[n], float(d), float(s)) for n, d, s in zip(rows, near, words, strict=True)]

    def best(self, query: str, kind: str, dense: float, sparse: float) -> dict[str, float]:
        """The best weighted score of everything that has pieces of a kind, by its id.

        Every piece is compared, with a copy of what Chroma holds: for a few thousand that is sooner than asking it.
        """
        vector, words = self._made(query, kind)
        if not len(words):
            return {}
        numbers = self._numbers[kind]
        near = np.maximum(self._matrix[numbers[0] : numbers[-1] + 1][numbers - numbers[0]] @ vector, 0.0)
        names, order, starts = self._owners[kind]
        scores = np.maximum.reduceat((dense * near + sparse * words)[order], starts)
        return dict(zip(names, scores.tolist(), strict=True))

    def familiar(self, query: str) -> float:
        """The share of the pairs of characters in a query that some piece has; 0.0 where there are none."""
        pairs = tokens(query, (2,))
        known = [any(keywords.knows(pair) for keywords in self._keywords.values()) for pair in pairs]
        return sum(known) / len(known) if known else 0.0

    def _make(self, query: str, kind: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The vector of a query and its BM25 score for each piece of a kind; nothing for a query without words."""
        grams = tokens(query)
        if not grams or kind not in self._keywords:
            return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float32)
        vector = np.asarray(self.embeddings.embed_query(query), dtype=np.float32)
        return vector, self._keywords[kind].scores(grams)


def _owners(pieces: list[Piece]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """The ids of what pieces belong to, the order that brings each one's together, and where each one's start."""
    names = np.array([str(piece.metadata["of"]) for piece in pieces])
    order = np.argsort(names, kind="stable")
    unique, starts = np.unique(names[order], return_index=True)
    return [str(name) for name in unique], order, starts


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
    except VectorsAway as error:
        raise IndexUnwritable(f"索引还没有建立,现在也建不了:{error}") from error
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


def _build(library: Library, folder: Path, stamp: dict[str, str], progress: Progress) -> Index:
    """Write a fresh index; the manifest comes last, so that a build cut short is seen as none."""
    SharedSystemClient.clear_system_cache()
    old = _manifest(folder).get("collection")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    todo = list(pieces(library))
    collection = f"{COLLECTION}-{uuid.uuid4().hex[:8]}"
    kept = _Kept(embeddings())
    store = Vectors(collection, folder, kept, create=True)
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        store.add([p.id for p in batch], [p.text for p in batch], [{"kind": p.kind, **p.metadata} for p in batch])
        progress("正在建立索引", min(start + BATCH, len(todo)), len(todo))
    np.save(folder / "vectors.npy", np.concatenate(kept.made))
    for kind in KINDS:
        if texts := [piece.text for piece in todo if piece.kind == kind]:
            Keywords.build(texts).save(folder / "bm25" / kind)
    records = [{"id": p.id, "kind": p.kind, "text": p.text, "metadata": p.metadata} for p in todo]
    (folder / "pieces.json").write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    manifest = {"fingerprint": stamp, "collection": collection, "pieces": len(todo)}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    if old:
        drop(str(old), folder)
    return Index(folder, manifest)


class _Kept(Embeddings):
    """Embeddings that keep what they made, in order."""

    def __init__(self, inner: Embeddings) -> None:
        self._inner, self.made = inner, list[NDArray[np.float32]]()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors = self._inner.embed_documents(texts)
        self.made.append(np.asarray(vectors, dtype=np.float32))
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self._inner.embed_query(text)
