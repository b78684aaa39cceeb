"""Embeddings that remember: a text is embedded once for a model, however often a run is cut short or repeated."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

_ASKED = 500  # keys a query may name


class Remembered(Embeddings):
    """Another embeddings' vectors, kept in a file beside the index; ``embedded`` counts those that had to be made.

    Only one process may write at a time. A file that is not ours is replaced: losing it costs time, nothing else.
    """

    def __init__(self, inner: Embeddings, model: str, path: Path) -> None:
        self._inner, self._model, self.embedded = inner, model, 0
        try:
            self._file = _open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            path.unlink()
            self._file = _open(path)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, as arrays; each new one is kept before this returns."""
        keys = [self._key(text) for text in texts]
        known = self._known(set(keys))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            made = self._inner.embed_documents(list(missing.values()))
            fresh = {key: np.asarray(vector, dtype=np.float32) for key, vector in zip(missing, made, strict=True)}
            with self._file:
                rows = ((key, vector.tobytes()) for key, vector in fresh.items())
                self._file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            known |= fresh
            self.embedded += len(missing)
        return [known[key] for key in keys]  # type: ignore[misc]  # Chroma takes arrays, and sooner than lists

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question; not kept."""
        return self._inner.embed_query(text)

    def keep_only(self, texts: Iterable[str]) -> None:
        """Forget every text but these, and every other model."""
        wanted = {self._key(text) for text in texts}
        with self._file:
            dead = [(key,) for (key,) in self._file.execute("SELECT key FROM vectors") if key not in wanted]
            self._file.executemany("DELETE FROM vectors WHERE key = ?", dead)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._model}\0{text}".encode()).digest()[:16]

    def _known(self, keys: set[bytes]) -> dict[bytes, NDArray[np.float32]]:
        asked, found = list(keys), dict[bytes, NDArray[np.float32]]()
        for start in range(0, len(asked), _ASKED):
            some = asked[start : start + _ASKED]
            query = f"SELECT key, vector FROM vectors WHERE key IN ({','.join('?' * len(some))})"
            with closing(self._file.execute(query, some)) as rows:
                found |= {key: np.frombuffer(vector, dtype=np.float32) for key, vector in rows}
        return found


def _open(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path)
    try:
        file.execute(
            "PRAGMA page_size = 32768"
        )  # a vector takes about half of the usual page, and would waste the rest
        file.execute("PRAGMA synchronous = NORMAL")
        with file:
            file.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            file.execute("SELECT key, vector FROM vectors LIMIT 1")
    except sqlite3.Error:
        file.close()
        raise
    return file
