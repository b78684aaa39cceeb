"""The one place where a Chroma collection is opened: in a folder of this machine, or on a server (``CHROMA_URL``)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

import settings

PROBE = 3.0  # seconds a server may take to say that it is there
ANSWER = 60.0  # seconds it may take to answer
REST = 2.0  # seconds in which a server that was away isn't asked again
_T = TypeVar("_T")


class VectorsAway(Exception):
    """The vectors can't be had just now; the message says why and what to do. Keywords still work."""


class ServerDown(VectorsAway):
    """The Chroma server doesn't answer."""


class CollectionGone(VectorsAway):
    """There is no such collection (any more)."""


def server() -> str | None:
    """The address of the Chroma server, if one is set."""
    url = settings.get().chroma_url
    return str(url).rstrip("/") if url else None


def collection(name: str, folder: Path, embeddings: Embeddings, create: bool = True) -> Chroma:
    """A LangChain store over a collection by cosine: in ``folder / "chroma"``, or on the server if one is set.

    Raises :class:`ServerDown` when the server doesn't answer, :class:`CollectionGone` when ``create`` is false and
    there is none.
    """
    quiet = ChromaSettings(anonymized_telemetry=False)
    place: dict[str, Any] = {"persist_directory": str(folder / "chroma")}
    if url := server():
        address = httpx.URL(_heartbeat(url))
        place = {"host": address.host, "port": address.port or _port(address), "ssl": address.scheme == "https"}
    else:
        quiet.is_persistent = True
    try:
        store = Chroma(
            collection_name=name,
            embedding_function=embeddings,
            client_settings=quiet,
            collection_metadata={"hnsw:space": "cosine"},
            create_collection_if_not_exists=create,
            **place,
        )
    except NotFoundError as error:
        raise CollectionGone(f"向量库里没有“{name}”,需要重新建立") from error
    if server():  # the client waits for ever unless told
        store._client._server._session.timeout = httpx.Timeout(ANSWER, connect=PROBE)
    return store


def drop(name: str, folder: Path) -> None:
    """Remove a collection from the server, if it is there; raises :class:`ServerDown`. A folder is simply deleted."""
    if server():
        vectors = Vectors(name, folder, None)
        try:
            vectors.call(lambda store: store.delete_collection())
        except CollectionGone:
            return
        finally:
            vectors.close()


class Vectors:
    """A collection that is opened when first used, and again after its server was away. Safe to share by threads.

    Every call raises :class:`ServerDown` or :class:`CollectionGone`; a server that was away is asked again after
    :data:`REST` seconds, so that a dead one doesn't slow every question.
    """

    def __init__(self, name: str, folder: Path, embeddings: Embeddings | None, create: bool = False) -> None:
        self.name, self._folder, self._embeddings, self._create = name, folder, embeddings, create
        self._store: Chroma | None = None
        self._lock = threading.Lock()
        self._away: tuple[float, VectorsAway] | None = None

    def count(self) -> int:
        """How many vectors there are."""
        return self.call(lambda store: int(store._collection.count()))

    def ids(self) -> set[str]:
        """The ids of all of them."""
        return set(self.call(lambda store: store._collection.get(include=[])["ids"]))

    def similar(
        self, vector: Sequence[float] | NDArray[np.float32], k: int, where: dict[str, Any] | None = None
    ) -> dict[str, float]:
        """The ids of the ``k`` nearest, each with its cosine similarity."""
        query = np.asarray([vector], dtype=np.float32)
        found: Any = self.call(
            lambda store: store._collection.query(
                query_embeddings=query, n_results=k, where=where, include=["distances"]
            )
        )
        return {name: 1.0 - distance for name, distance in zip(found["ids"][0], found["distances"][0], strict=True)}

    def kept(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of those ids that are there."""
        if not ids:
            return {}
        found: Any = self.call(lambda store: store._collection.get(ids=list(ids), include=["embeddings"]))
        return {
            name: np.asarray(vector, dtype=np.float32)
            for name, vector in zip(found["ids"], found["embeddings"], strict=True)
        }

    def add(self, ids: Sequence[str], texts: Sequence[str], metadatas: Sequence[dict[str, Any]]) -> None:
        """Embed and keep texts; at most 5,000 at a time."""
        self.call(lambda store: store.add_texts(list(texts), [dict(m) for m in metadatas], list(ids)))

    def delete(self, ids: Sequence[str]) -> None:
        """Forget these; at most 5,000 at a time."""
        self.call(lambda store: store._collection.delete(ids=list(ids)))

    def close(self) -> None:
        """Let go of the folder or the connection; the next call opens it again."""
        with self._lock:
            store, self._store = self._store, None
        if store is not None:
            store._client.close()

    def call(self, action: Callable[[Chroma], _T]) -> _T:
        """Do something with the open store."""
        if self._away and time.monotonic() - self._away[0] < REST:
            raise self._away[1]
        try:
            result = action(self._opened())
        except NotFoundError as error:
            raise self._lost(CollectionGone(f"向量库里的“{self.name}”不在了,需要重新建立")) from error
        except VectorsAway as error:
            raise self._lost(error) from error.__cause__
        except Exception as error:  # the client raises several kinds, some of them plain
            if server() is None or not _broken(error):
                raise
            raise self._lost(ServerDown(_down(str(server()), error))) from error
        self._away = None
        return result

    def _opened(self) -> Chroma:
        with self._lock:
            if self._store is None:
                self._store = collection(self.name, self._folder, self._embeddings or _NoEmbeddings(), self._create)
            return self._store

    def _lost(self, error: VectorsAway) -> VectorsAway:
        self.close()
        self._away = (time.monotonic(), error)
        return error


class _NoEmbeddings(Embeddings):
    """For a collection that is only deleted."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError


def _heartbeat(url: str) -> str:
    """The address of a server that is there and is Chroma."""
    try:
        answer = httpx.get(f"{url}/api/v2/heartbeat", timeout=PROBE)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServerDown(_down(url, error)) from error
    return url


def _down(url: str, error: Exception) -> str:
    return (
        f"连不上 Chroma 服务器 {url}({str(error).splitlines()[0] if str(error) else type(error).__name__})。"
        "请确认它在运行、CHROMA_URL 写得对;恢复后不用重启。"
    )


def _broken(error: Exception) -> bool:
    """Whether an error is the server's state and not our request's."""
    if isinstance(error, ChromaError):
        return error.code() >= 500
    return isinstance(error, httpx.HTTPError | ValueError) or type(error) is Exception


def _port(address: httpx.URL) -> int:
    return 443 if address.scheme == "https" else 80
