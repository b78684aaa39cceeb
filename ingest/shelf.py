"""Changes the own documents: the next state is made beside the present one and takes its place at once, or never.

``manifest.json`` names the state in force. It is replaced in one step when everything else is on the disk, so that a
process killed at any moment, or a full disk, leaves the old state or the new one. In a folder each state has a Chroma
of its own, a copy of the last one with the differences; on a server a small change goes into the same collection (what
the manifest's pieces don't name isn't found) and a large one into a new collection.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

from chromadb.errors import ChromaError
from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from ingest import generation
from ingest.embedder import embeddings, identity
from ingest.generation import Generation, Piece
from ingest.index import IndexUnwritable, Progress
from ingest.remembered import Remembered
from ingest.store import CollectionGone, Vectors, VectorsAway, drop, server

FORMAT = 2  # to be raised when the shape of the files, or the way text is taken apart into words, changes
COLLECTION = "documents"
BATCH = 1_000
SMALL = 1_000  # changes that a server's collection takes in place
WAIT = 3.0  # seconds to wait for another process to finish


Changes = dict[str, tuple["FileEntry | None", list[Piece]]]  # by path; no entry: it is gone


class FileEntry(BaseModel):
    """What is known of one document."""

    sha256: str
    kind: str
    pieces: int
    pages: int | None = None
    warnings: list[str] = []
    refused: int = 0


class State(BaseModel):
    """What the manifest says: which generation and collection are in force, made with which model, of which files."""

    format: int = FORMAT
    generation: str = ""
    collection: str = ""
    server: str | None = None
    model: str = ""
    pieces: int = 0
    files: dict[str, FileEntry] = {}

    @classmethod
    def load(cls, folder: Path) -> State:
        """The state in force; an empty one when there is none that we can read."""
        try:
            state = cls.model_validate_json((folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, ValidationError):
            return cls()
        return state if state.format == FORMAT else cls()


def stamp(folder: Path) -> tuple[int, ...]:
    """Something that changes with the manifest."""
    try:
        found = (folder / "manifest.json").stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size


def fitting(state: State) -> str | None:
    """Why a state's vectors can't be used by this process; None when they can."""
    if state.model != identity(embeddings()):
        return "自己的文件是用另一个向量模型处理的,请对任一文件重新运行 python -m ingest 以全部更新。"
    if state.server != server():
        return "自己的文件的向量存在别处(CHROMA_URL 变了),请对任一文件重新运行 python -m ingest 以全部更新。"
    return None


class Shelf:
    """The documents' folder while one process changes it; any other is told to wait.

    Every trouble with writing is raised as :class:`IndexUnwritable`, with what to do about it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, State()
        self._leftover = folder / "leftover"  # collections on the server of which at most one is in force
        self._lock = FileLock(folder / "lock", timeout=WAIT)
        self.embedded = 0  # texts that the model was asked about
        self._old: Generation | None = None
        self._reusable: Vectors | None = None

    def __enter__(self) -> Shelf:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self.state = State.load(self.folder)
            self._old = self._read()
            self._sweep()
        except BaseException as error:
            self._lock.release()
            self._explain(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reusable:
            self._reusable.close()
        self._lock.release()
        self._explain(error)

    def sound(self) -> bool:
        """Whether the present state is whole and made as this process would make it; if not, it must be replaced."""
        if not self._old:
            return True
        if fitting(self.state):
            return False
        vectors, ids = Vectors(self.state.collection, self.folder / self.state.generation, embeddings()), self._old.ids
        try:
            if server():
                surplus = vectors.ids() - set(ids) if vectors.count() != len(ids) else set()
                _in_batches(vectors.delete, list(surplus))
            if not _holds(vectors, ids):
                raise ValueError("向量不全")
        except CollectionGone:
            return False
        except VectorsAway:
            raise
        except Exception:  # noqa: BLE001 - whatever a damaged store raises, the cure is the same
            vectors.close()
            return False
        self._reusable = vectors
        return True

    def replace(
        self,
        changed: Changes,
        progress: Progress = lambda stage, done, total: None,
    ) -> None:
        """Put a state in force in which these files are as given; :meth:`sound` was asked before."""
        pieces = [piece for piece in self._old.pieces() if piece.file not in changed] if self._old else []
        pieces += [piece for _, some in changed.values() for piece in some]
        files = {name: entry for name, entry in self.state.files.items() if name not in changed}
        files |= {name: entry for name, (entry, _) in changed.items() if entry}
        new = State(server=server(), model=identity(embeddings()), pieces=len(pieces), files=files)
        dead = list[str]()
        if pieces:
            new.generation = uuid.uuid4().hex[:12]
            dead = self._write(new, pieces, progress)
        if server():
            self._leftover.write_text(f"{self.state.collection}\n{new.collection}", encoding="utf-8")
        self._publish(new)
        try:
            self._tidy(dead, pieces)
        except Exception as error:  # noqa: BLE001 - the new state is in force; the next run tidies up
            logging.getLogger(__name__).warning("旧数据没有清理干净,下次会再清理:%s", error)

    def _read(self) -> Generation | None:
        """The present generation; when it can't be read any more, its files have to be given again."""
        try:
            return Generation(self.folder / self.state.generation) if self.state.pieces else None
        except (OSError, ValueError):
            self.state.files = {}
            return None

    def _write(self, new: State, pieces: list[Piece], progress: Progress) -> list[str]:
        """Everything of a new state but the manifest; returns the ids to delete when it is in force."""
        folder = self.folder / new.generation
        folder.mkdir()
        steps = _Steps(progress, 2 * len(pieces))
        try:
            generation.write(folder, pieces, self._old, lambda done: steps.told("整理关键词", done))
            with closing(Remembered(embeddings(), new.model, self.folder / "vectors.sqlite3")) as memory:
                dead = self._embed(new, pieces, memory, steps)
                self.embedded = memory.embedded
                return dead
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _embed(self, new: State, pieces: list[Piece], memory: Remembered, steps: _Steps) -> list[str]:
        present = set(self._old.ids) if self._old and self._reusable else set()
        wanted = {piece.id for piece in pieces}
        todo = [piece for piece in pieces if piece.id not in present]
        dead = sorted(present - wanted)
        folder = self.folder / new.generation
        if present and server() and len(todo) + len(dead) <= SMALL:
            new.collection = self.state.collection
        elif present and not server() and len(todo) + len(dead) <= len(present):
            new.collection = self.state.collection
            _copy(self.folder / self.state.generation / "chroma", folder / "chroma")
        else:
            new.collection, todo, dead = f"{COLLECTION}-{uuid.uuid4().hex[:12]}", pieces, []
            if server():
                self._leftover.write_text(f"{self.state.collection}\n{new.collection}", encoding="utf-8")
        vectors = Vectors(new.collection, folder, memory, create=True)
        try:
            steps.told("计算向量", len(pieces) - len(todo))
            for start in range(0, len(todo), BATCH):
                some = todo[start : start + BATCH]
                vectors.add([p.id for p in some], [p.words for p in some], [{"file": p.file} for p in some])
                steps.told("计算向量", len(some))
            if not server():
                _in_batches(vectors.delete, dead)
                vectors.close()  # what a fresh look at the disk finds is what the next process will find
                dead = []
                if not _holds(vectors, [piece.id for piece in pieces]):
                    raise OSError("写入的向量不完整,可能是磁盘满了")
        finally:
            vectors.close()
        return dead

    def _publish(self, new: State) -> None:
        draft = self.folder / "manifest.json.new"
        with draft.open("w", encoding="utf-8") as file:
            file.write(new.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / "manifest.json")
        self.state = new

    def _tidy(self, dead: list[str], pieces: list[Piece]) -> None:
        if self._reusable:
            _in_batches(self._reusable.delete, dead)
            self._reusable.close()
            self._reusable = None
        self._sweep()
        with closing(Remembered(embeddings(), self.state.model, self.folder / "vectors.sqlite3")) as memory:
            memory.keep_only(piece.words for piece in pieces)

    def _sweep(self) -> None:
        """Remove what the manifest doesn't name: states cut short, and those that were replaced."""
        if server() and self._leftover.exists():
            for name in self._leftover.read_text(encoding="utf-8").split():
                if name.startswith(COLLECTION) and name != self.state.collection:
                    drop(name, self.folder)
            self._leftover.unlink()
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name != self.state.generation:
                shutil.rmtree(folder, ignore_errors=True)

    def _explain(self, error: BaseException | None) -> None:
        if isinstance(error, Timeout):
            raise IndexUnwritable(
                f"目录 {self.folder} 正被另一个进程写入(一次只能有一个)。请等它完成后再试;"
                "要让几个进程同时使用,请设置 CHROMA_URL(见 docs/deploy.md)。"
            ) from error
        if isinstance(error, VectorsAway):
            raise IndexUnwritable(f"没有收录,原有的内容不变:{error}") from error
        if isinstance(error, OSError | sqlite3.Error | ChromaError):
            why = getattr(error, "strerror", None) or error
            raise IndexUnwritable(
                f"目录 {self.folder} 不能写入({why}),原有的内容不变。请检查磁盘空间和权限,"
                "或设置环境变量 DATA_DIR 指向可写的目录。"
            ) from error


class _Steps:
    """Tells how many of ``total`` steps are done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def told(self, stage: str, steps: int) -> None:
        self._done += steps
        self._progress(stage, self._done, self._total)


def _holds(vectors: Vectors, ids: list[str]) -> bool:
    """Whether a collection has as many vectors as there are pieces, and finds some of them."""
    if vectors.count() != len(ids):
        return False
    some = vectors.kept(list({ids[0], ids[len(ids) // 2], ids[-1]}))
    return bool(some) and all(max(vectors.similar(v, 1).values()) > 0.99 for v in some.values() if v.any())


def _in_batches(action: Any, ids: list[str]) -> None:
    for start in range(0, len(ids), BATCH):
        action(ids[start : start + BATCH])


def _copy(source: Path, target: Path) -> None:
    """A Chroma folder, its database by SQLite's own means: another process may have it open for reading."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("chroma.sqlite3*"))
    with (
        closing(sqlite3.connect(source / "chroma.sqlite3")) as old,
        closing(sqlite3.connect(target / "chroma.sqlite3")) as new,
    ):
        old.backup(new)
