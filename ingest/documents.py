"""A user's own documents: kept apart from the law, in their own collection, and never mistaken for it."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ingest.articles import split
from ingest.embedder import embeddings
from ingest.generation import Generation, Piece
from ingest.index import FileReport, Progress
from ingest.readers import Document, Refused, read
from ingest.shelf import SMALL, Changes, FileEntry, Shelf, State, fitting, stamp
from ingest.store import Vectors, VectorsAway

EXCERPT = 200
DENSE, SPARSE = 0.3, 0.7  # what similarity and keywords weigh in the order of hits (keywords in parts of the best hit)
POOL = 30  # the least number of hits taken from each side


class DocumentReport(FileReport):
    """What became of one file; ``refused`` lines of it were left out (the warnings name them)."""

    refused: int = Field(default=0, exclude=True)


@dataclass(frozen=True)
class DocumentHit:
    """A piece of a user's document that answers a query. ``name`` is the file's, or a corpus line's law and article.

    ``score`` is the cosine similarity; while there are no vectors, the part of the query's keywords that the piece has.
    """

    name: str
    page: int | None
    text: str
    score: float


@dataclass(frozen=True)
class _Open:
    """A state that is open for searching."""

    stamp: tuple[int, ...]
    state: State
    generation: Generation
    vectors: Vectors


class Documents:
    """The documents under ``data_dir``; a file is known by its path and the hash of its bytes.

    Nothing is opened before the first search. Another process may change them meanwhile: a search sees the old state
    or the new one. ``notice`` says what keeps the latest search from being a full one, if anything does; ``embedded``
    counts the texts for which the latest :meth:`add` needed the model.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "documents"
        self.notice: str | None = None
        self.embedded = 0
        self._open: _Open | None = None
        self._lock = threading.Lock()

    def listed(self) -> dict[str, FileEntry]:
        """Every document by path, with its hash, kind and number of pieces."""
        return State.load(self.folder).files

    def search(self, query: str, k: int) -> list[DocumentHit]:
        """The best pieces for a query; nothing when there are no documents."""
        if not query.strip():
            return []
        while opened := self._current():
            try:
                return self._search(opened, query, k)
            except Exception:
                if not self._replaced(opened):
                    raise
        return []

    def add(self, paths: Iterable[Path], progress: Progress = lambda stage, done, total: None) -> list[DocumentReport]:
        """Read and index files and folders, all at once or not at all; one bad file never stops the others.

        Raises :class:`ingest.index.IndexUnwritable` when it can't be kept; what was there before is then still there.
        """
        with Shelf(self.folder) as shelf:
            reports, changed = [], Changes()
            sound = shelf.sound()
            for path in dict.fromkeys(file for given in paths for file in _files(given)):
                progress(f"读取 {path.name}", 0, 1)
                report, entry, pieces = _take(path, shelf.state.files.get(str(path.resolve())))
                if report.status == "indexed" and entry:
                    changed[str(path.resolve())] = (entry, pieces)
                elif report.status == "unchanged" and not sound:
                    report.status = "indexed"
                reports.append(report)
            if changed or not sound:
                shelf.replace(changed, progress)
            self.embedded = shelf.embedded
            return reports

    def remove(self, path: str) -> bool:
        """Forget a document completely; False when it was not there."""
        if path not in self.listed():
            return False
        with Shelf(self.folder) as shelf:
            if path not in shelf.state.files:
                return False
            shelf.sound()
            shelf.replace({path: (None, [])})
        return True

    def close(self) -> None:
        """Let go of what is open; the next search opens it again."""
        with self._lock:
            opened, self._open = self._open, None
        if opened:
            opened.vectors.close()

    def _search(self, opened: _Open, query: str, k: int) -> list[DocumentHit]:
        """Both halves, or the keywords alone while the vectors can't be had."""
        pool = max(POOL, 2 * k)
        sparse = _best(opened.generation.keywords(query), pool)
        near = self._nearest(opened, query, sparse, pool)
        top = max(sparse.values(), default=1.0)
        fused = {n: DENSE * max(near[n], 0.0) + SPARSE * sparse.get(n, 0.0) / top for n in near}
        hits = []
        for number in sorted(fused, key=lambda n: (-fused[n], n))[:k]:
            piece = opened.generation.piece(number)
            name = piece.label or Path(piece.file).name
            hits.append(DocumentHit(name, piece.page or None, _plain(piece.text), near[number]))
        return hits

    def _nearest(self, opened: _Open, query: str, best: dict[int, float], pool: int) -> dict[int, float]:
        try:
            near = _near(opened, query, best, pool)
        except Exception as error:
            if self._replaced(opened):
                raise
            damaged = f"自己的文件的向量读不出({error}),请重新运行 python -m ingest。"
            why = str(error) if isinstance(error, VectorsAway) else damaged
            if self.notice != why:
                logging.getLogger(__name__).warning("%s自己的文件暂时只按关键词检索。", why)
            self.notice = why
            return dict(best)
        self.notice = None
        return near

    def _replaced(self, opened: _Open) -> bool:
        """Whether what was open is out of force, so that a failure to read it means nothing."""
        return self._open is not opened or stamp(self.folder) != opened.stamp

    def _current(self) -> _Open | None:
        with self._lock:
            now = stamp(self.folder)
            if self._open and self._open.stamp == now:
                return self._open
            if self._open:
                self._open.vectors.close()
            self._open = None
            state = State.load(self.folder)
            if state.pieces:
                folder = self.folder / state.generation
                vectors = Vectors(state.collection, folder, embeddings())
                self._open = _Open(now, state, Generation(folder), vectors)
            return self._open


def _best(scores: NDArray[np.float32] | None, pool: int) -> dict[int, float]:
    """The positions of the best ``pool`` scores above 0, each with its score."""
    if scores is None:
        return {}
    some = np.argpartition(-scores, pool)[:pool] if len(scores) > pool else np.arange(len(scores))
    return {int(n): float(scores[n]) for n in some if scores[n] > 0}


def _near(opened: _Open, query: str, best: Iterable[int], pool: int) -> dict[int, float]:
    """The similarity of the nearest pieces and of those ``best`` by keywords, by position."""
    problem = fitting(opened.state)
    if problem:
        raise VectorsAway(problem)
    position, ids = opened.generation.position, opened.generation.ids_of(best)
    vector = np.asarray(embeddings().embed_query(query), dtype=np.float32)
    # A run that was cut short may have left vectors on a server that no piece has: they must not crowd out the others.
    near = opened.vectors.similar(vector, pool)
    if not near.keys() <= position.keys():
        near = opened.vectors.similar(vector, pool + SMALL)
    near = {name: score for name, score in near.items() if name in position}
    kept = opened.vectors.kept([name for name in ids if name not in near])
    length = float(np.linalg.norm(vector)) or 1.0
    near |= {
        name: float(vector @ other) / length / (float(np.linalg.norm(other)) or 1.0) for name, other in kept.items()
    }
    return {position[name]: score for name, score in near.items()}


def _take(path: Path, known: FileEntry | None) -> tuple[DocumentReport, FileEntry | None, list[Piece]]:
    """Read a file, unless it is as known: its report, and when it is new or changed its entry and pieces."""
    try:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if known and known.sha256 == digest.hexdigest():
            return _report(path, "unchanged", known), None, []
        document = read(path)
        pieces = _pieces(path, document)
    except Refused as error:
        return DocumentReport(path=str(path), status="refused", why=str(error)), None, []
    except OSError as error:
        return DocumentReport(path=str(path), status="refused", why=f"打不开文件:{error.strerror}"), None, []
    except Exception as error:  # noqa: BLE001 - a reader may fail in any way; the run goes on
        why = f"读取失败({error}),请换一种格式再试"
        return DocumentReport(path=str(path), status="refused", why=why), None, []
    entry = FileEntry(
        sha256=digest.hexdigest(),
        kind=document.kind,
        pieces=len(pieces),
        pages=len(document.pages) if document.kind == "pdf" else None,
        warnings=document.warnings,
        refused=document.refused,
    )
    return _report(path, "indexed", entry), entry, pieces


def _report(path: Path, status: str, entry: FileEntry) -> DocumentReport:
    return DocumentReport.model_validate({"path": str(path), "status": status, **entry.model_dump(exclude={"sha256"})})


def _pieces(path: Path, document: Document) -> list[Piece]:
    """The pieces of a document; an id stays the same as long as nothing about its piece changes."""
    name, seen, found = str(path.resolve()), Counter[str](), []
    for number, page in enumerate(document.pages):
        label = document.labels[number] if document.labels else ""
        line = document.ids[number] if document.ids else ""
        # A provision is one piece, however long; other text is cut where a reader would.
        texts = [page.strip()] if label else [section.text for section in split(page)]
        for text in texts:
            if text.strip():
                place = number + 1 if document.kind == "pdf" else 0
                key = hashlib.sha256("\n".join([name, line, label, str(place), text]).encode()).hexdigest()[:24]
                seen[key] += 1
                found.append(Piece(f"{key}-{seen[key]}", name, place, label, text))
    return found


def _plain(text: str) -> str:
    """The beginning of a piece on one line, without marks that an answer's Markdown would obey."""
    return re.sub(r"\s+", " ", re.sub(r"[#*`<>|!\[\]]", "", text[: 4 * EXCERPT])).strip()[:EXCERPT]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [path]
