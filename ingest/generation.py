"""One state of the own documents on disk: their pieces and the keywords to find them by; written whole, then only read.

Everything large is mapped into memory, so that opening it costs the same for ten pieces as for fifty thousand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

from ingest.embedder import tokens
from ingest.index import UNSEEN

_TOLD = 1_000  # pieces between two reports of progress


@dataclass(frozen=True)
class Piece:
    """A piece of a document: ``label`` is a corpus line's law and article, or ""; ``page`` counts from 1, or is 0."""

    id: str
    file: str
    page: int
    label: str
    text: str

    @property
    def words(self) -> str:
        """What is embedded and searched."""
        return f"{self.label} {self.text}".strip()


class Generation:
    """The state in ``folder``; raises ``OSError`` or ``ValueError`` when it is not there or not whole."""

    def __init__(self, folder: Path) -> None:
        self._starts = np.load(folder / "starts.npy", mmap_mode="r")
        self._text = np.memmap(folder / "pieces.jsonl", dtype=np.uint8, mode="r")
        if int(self._starts[-1]) != len(self._text):
            raise ValueError(f"{folder}:正文与目录的长度不一致")
        self._grams = np.load(folder / "grams.npy", mmap_mode="r")
        self._gram_starts = np.load(folder / "gram_starts.npy", mmap_mode="r")
        self._ids = np.load(folder / "ids.npy", mmap_mode="r")
        self._bm25 = bm25s.BM25.load(folder / "bm25", mmap=True)
        self._most = np.load(folder / "most.npy")

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def ids(self) -> list[str]:
        """The ids of all pieces, in order."""
        return [name.decode() for name in self._ids.tolist()]

    def ids_of(self, numbers: Iterable[int]) -> list[str]:
        """The ids of some pieces."""
        return [self._ids[number].decode() for number in numbers]

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each piece is, by its id."""
        return {name: number for number, name in enumerate(self.ids)}

    def piece(self, number: int) -> Piece:
        """One piece."""
        start, end = self._starts[number], self._starts[number + 1]
        return Piece(**json.loads(self._text[start:end].tobytes()))

    def pieces(self) -> Iterator[Piece]:
        """All of them, in order."""
        return (self.piece(number) for number in range(len(self)))

    def keywords(self, query: str) -> NDArray[np.float32] | None:
        """The BM25 score of every piece, 1.0 being the most the query could reach; None when no piece has its words."""
        asked = tokens(query)
        known = [number for gram in asked if (number := self._bm25.vocab_dict.get(gram)) is not None]
        most = float(self._most[known].sum()) + UNSEEN * float(self._most.max()) * (len(asked) - len(known))
        if not known or not most:
            return None
        return np.asarray(self._bm25.get_scores(known), dtype=np.float32) / most

    def _grams_of(self, number: int) -> list[int]:
        found: list[int] = self._grams[self._gram_starts[number] : self._gram_starts[number + 1]].tolist()
        return found


def write(folder: Path, pieces: Sequence[Piece], old: Generation | None, tick: Callable[[int], None]) -> None:
    """Write a generation into an empty folder; what ``old`` has isn't taken apart again. ``tick`` is told of steps."""
    starts = np.zeros(len(pieces) + 1, dtype=np.int64)
    with (folder / "pieces.jsonl").open("wb") as file:
        for number, piece in enumerate(pieces):
            starts[number + 1] = starts[number] + file.write(
                json.dumps(asdict(piece), ensure_ascii=False).encode() + b"\n"
            )
    np.save(folder / "starts.npy", starts)
    np.save(folder / "ids.npy", np.array([piece.id for piece in pieces], dtype=np.bytes_))
    corpus = _Grams(pieces, old, tick)
    np.save(folder / "grams.npy", corpus.flat)
    np.save(folder / "gram_starts.npy", corpus.starts)
    bm25 = bm25s.BM25()
    with np.errstate(invalid="ignore"):  # not one word in all the pieces
        bm25.index(corpus, show_progress=False)
    bm25.save(folder / "bm25", show_progress=False)
    np.save(folder / "most.npy", _most(bm25))


def _most(bm25: bm25s.BM25) -> NDArray[np.float32]:
    """The highest score any piece has for each word; 0 for a word that none has any more."""
    values, ends = np.asarray(bm25.scores["data"]), np.asarray(bm25.scores["indptr"])
    held = np.flatnonzero(np.diff(ends))
    most = np.zeros(len(bm25.vocab_dict), dtype=np.float32)
    if len(held):
        most[held] = np.maximum.reduceat(values, ends[:-1][held])
    return most


class _Grams:
    """The words of all pieces as numbers, in the shape bm25s takes: ``ids``, a list a piece, and ``vocab``."""

    def __init__(self, pieces: Sequence[Piece], old: Generation | None, tick: Callable[[int], None]) -> None:
        self.vocab: dict[str, int] = dict(old._bm25.vocab_dict) if old else {}
        known = old.position if old else {}
        parts: list[NDArray[np.int32]] = []
        for number, piece in enumerate(pieces, 1):
            if old and piece.id in known:
                grams = old._grams_of(known[piece.id])
            else:
                grams = [self.vocab.setdefault(gram, len(self.vocab)) for gram in tokens(piece.words)]
            parts.append(np.array(grams, dtype=np.int32))
            if number % _TOLD == 0 or number == len(pieces):
                tick((number - 1) % _TOLD + 1)
        self.flat = np.concatenate(parts)
        self.starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        self.vocab.setdefault("", len(self.vocab))  # bm25s wants an empty word, and would add it behind our back

    @property
    def ids(self) -> _Grams:
        return self

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[list[int]]:
        # A list at a time: twelve million Python numbers at once would take half a gigabyte.
        return (self.flat[a:b].tolist() for a, b in zip(self.starts[:-1], self.starts[1:], strict=True))
