"""Turns Chinese text into vectors without a download: weighted character n-grams, projected by hashing.

The projection is fixed (CRC-32), so that the same text gives the same vector on every machine; only the weights of
the n-grams (inverse document frequency) are learnt, from the texts of the index, when the index is built.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from opencc import OpenCC

DIMENSIONS = 512
_BUCKETS = 1 << 18
_POSITIONS = 4
_KEEP = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=64)
def normalize(text: str) -> str:
    """One spelling for what reads the same: half width, lower case, simplified characters; positions mostly stay."""
    forms = ((char, unicodedata.normalize("NFKC", char).lower()) for char in text)
    return str(_simplifier().convert("".join(form if len(form) == 1 else char for char, form in forms)))


def tokens(text: str, sizes: tuple[int, ...] = (1, 2)) -> list[str]:
    """Character n-grams of Chinese, whole words of Latin letters and digits; none crosses a punctuation mark."""
    found: list[str] = []
    for run in re.split(r"[^a-z0-9\u3400-\u9fff]+", normalize(text)):
        units = _KEEP.findall(run)
        for size in sizes:
            found.extend("".join(units[i : i + size]) for i in range(len(units) - size + 1))
    return found


class NgramEmbeddings(Embeddings):
    """LangChain embeddings of :data:`DIMENSIONS` numbers, of unit length; ``weights`` has one entry a hash bucket."""

    def __init__(self, weights: NDArray[np.float32] | None = None) -> None:
        self.weights = weights if weights is not None else np.ones(_BUCKETS, dtype=np.float32)

    @classmethod
    def fit(cls, texts: Iterable[str]) -> NgramEmbeddings:
        """Learn how telling each n-gram is."""
        seen, total = np.zeros(_BUCKETS, dtype=np.float32), 0
        for text in texts:
            seen[list({_hash(gram) % _BUCKETS for gram in tokens(text, (1, 2, 3))})] += 1
            total += 1
        return cls(np.log((total + 1) / (seen + 0.5)).astype(np.float32).clip(min=0.05))

    @classmethod
    def load(cls, path: Path) -> NgramEmbeddings:
        """Read what :meth:`save` wrote; raises ``OSError`` or ``ValueError`` when it is not that."""
        weights = np.load(path)
        if weights.shape != (_BUCKETS,):
            raise ValueError(f"{path}:向量权重的大小不对")
        return cls(weights)

    def save(self, path: Path) -> None:
        """Keep the weights beside the index."""
        np.save(path, self.weights)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        return [self._vector(text).tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question: made as for a document."""
        return [float(x) for x in self._vector(text)]

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(DIMENSIONS, dtype=np.float32)
        for gram, count in Counter(tokens(text, (1, 2, 3))).items():
            code = _hash(gram)
            weight = (
                float(self.weights[code % _BUCKETS]) ** 1.5
                * (1 + np.log(count))
                * (0.3, 1.0, 1.0)[min(len(gram), 3) - 1]
            )
            for turn in range(_POSITIONS):
                bits = zlib.crc32(turn.to_bytes(1, "big"), code)
                vector[bits % DIMENSIONS] += weight if bits & 0x80000000 else -weight
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector


@cache
def _hash(gram: str) -> int:
    return zlib.crc32(gram.encode())
