"""A user's own documents: kept apart from the law, in their own collection, and never mistaken for it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chromadb.config import Settings as ChromaSettings
from filelock import FileLock
from langchain_chroma import Chroma
from langchain_core.documents import Document as Chunk

from ingest.articles import split
from ingest.embedder import NgramEmbeddings
from ingest.index import FileReport, IndexUnwritable, Progress
from ingest.readers import Refused, read

COLLECTION = "documents"
BATCH = 2_000
EXCERPT = 200


@dataclass(frozen=True)
class DocumentHit:
    """A piece of a user's document that answers a query; ``score`` is the cosine similarity."""

    name: str
    page: int | None
    text: str
    score: float


class Documents:
    """The documents under ``data_dir``; a file is known by its path and the hash of its bytes."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "documents"
        self._manifest = self.folder / "manifest.json"

    def listed(self) -> dict[str, dict[str, object]]:
        """Every document by path, with its hash, kind and ids."""
        try:
            data = json.loads(self._manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def search(self, query: str, k: int) -> list[DocumentHit]:
        """The best pieces for a query; nothing when there are no documents."""
        if not self.listed() or not query.strip():
            return []
        found = self._store().similarity_search_with_score(query, k=k)
        return [
            DocumentHit(
                str(c.metadata["name"]), int(c.metadata["page"]) or None, _plain(c.page_content), 1.0 - distance
            )
            for c, distance in found
        ]

    def add(self, paths: Iterable[Path], progress: Progress = lambda stage, done, total: None) -> Iterator[FileReport]:
        """Read and index files and folders; one bad file never stops the others. Reports come as files finish."""
        files = [file for path in paths for file in _files(path)]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "lock"):
                for number, file in enumerate(files):
                    yield self._add(file)
                    progress(str(file.name), number + 1, len(files))
        except OSError as error:
            raise IndexUnwritable(
                f"目录 {self.folder} 不能写入({error.strerror or error})。请检查磁盘空间和权限,"
                "或设置环境变量 DATA_DIR 指向可写的目录。"
            ) from error

    def remove(self, path: str) -> bool:
        """Forget a document completely; False when it was not there."""
        known = self.listed()
        if path not in known:
            return False
        self._forget(known, path)
        self._write(known)
        return True

    def _add(self, path: Path) -> FileReport:
        known, name = self.listed(), str(path.resolve())
        try:
            document = read(path)
            stamp = hashlib.sha256(path.read_bytes()).hexdigest()
        except Refused as error:
            return FileReport(path=str(path), status="refused", why=str(error))
        except Exception as error:  # noqa: BLE001 - a reader may fail in any way; the run goes on
            return FileReport(path=str(path), status="refused", why=f"读取失败({error}),请换一种格式再试")
        pages = len(document.pages) if document.kind == "pdf" else None
        if known.get(name, {}).get("sha256") == stamp:
            count = len(known[name]["ids"])  # type: ignore[arg-type]
            return FileReport(path=str(path), status="unchanged", kind=document.kind, pieces=count, pages=pages)
        key = hashlib.sha256(f"{name}\n{stamp}".encode()).hexdigest()[:16]  # two files may hold the same text
        chunks: list[Chunk] = []
        ids: list[str] = []
        for number, page in enumerate(document.pages, 1):
            for section in split(page):
                if not section.text.strip():
                    continue
                metadata = {"name": path.name, "page": number if pages else 0, "heading": section.heading}
                chunks.append(Chunk(page_content=section.text, metadata=metadata))
                ids.append(f"{key}/{len(ids)}")
        self._forget(known, name)
        store = self._store()
        for start in range(0, len(chunks), BATCH):
            store.add_documents(chunks[start : start + BATCH], ids=ids[start : start + BATCH])
        self._write(known | {name: {"sha256": stamp, "kind": document.kind, "ids": ids}})
        return FileReport(
            path=str(path),
            status="indexed",
            kind=document.kind,
            pieces=len(ids),
            pages=pages,
            warnings=document.warnings,
        )

    def _forget(self, known: dict[str, dict[str, object]], name: str) -> None:
        entry = known.pop(name, None)
        if entry and entry["ids"]:
            self._store().delete(ids=[str(i) for i in entry["ids"]])  # type: ignore[attr-defined]

    def _store(self) -> Chroma:
        return Chroma(
            collection_name=COLLECTION,
            embedding_function=NgramEmbeddings(),
            persist_directory=str(self.folder / "chroma"),
            client_settings=ChromaSettings(anonymized_telemetry=False, is_persistent=True),
            collection_metadata={"hnsw:space": "cosine"},
        )

    def _write(self, known: dict[str, dict[str, object]]) -> None:
        self._manifest.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")


def _plain(text: str) -> str:
    """The beginning of a piece on one line, without marks that an answer's Markdown would obey."""
    return re.sub(r"\s+", " ", re.sub(r"[#*`<>|!\[\]]", "", text)).strip()[:EXCERPT]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [path]
