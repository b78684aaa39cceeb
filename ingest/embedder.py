"""Turns Chinese text into vectors: with the small model shipped in ``ingest/model``, or one the user names.

The shipped model is sentence-transformers' static embedding over character n-grams, trained by ``ingest.train``. It is
read here with numpy alone, because importing torch takes seconds; ``ingest.static`` reads the same files for
sentence-transformers.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from opencc import OpenCC
from safetensors import SafetensorError
from safetensors.numpy import load_file

import settings

MODEL = Path(__file__).parent / "model"
SIZES = (1, 2, 3)
UNKNOWN = "[UNK]"
# Models that need words before a question and don't say so in their own configuration.
PROMPTS = {r"bge-[a-z]+-zh": "为这个句子生成表示以用于检索相关文章:"}
_RUN = re.compile(r"[a-z0-9\u3400-\u9fff]+")
_UNIT = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")


class ModelMissing(Exception):
    """There is no model to make vectors with; the message says what to do."""


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


class _Forms(dict[int, str]):
    """Each character in half width and lower case, as long as that is one character."""

    def __missing__(self, code: int) -> str:
        form = unicodedata.normalize("NFKC", chr(code)).lower()
        self[code] = form if len(form) == 1 else chr(code)
        return self[code]


class _Simple(dict[str, bool]):
    """Whether a character is the same in simplified writing."""

    def __missing__(self, char: str) -> bool:
        self[char] = char < "\u3400" or _simplifier().convert(char) == char
        return self[char]


_forms, _simple = _Forms(), _Simple()


@lru_cache(maxsize=64)
def normalize(text: str) -> str:
    """One spelling for what reads the same: half width, lower case, simplified characters; positions mostly stay."""
    plain = text.translate(_forms)
    return plain if all(_simple[char] for char in set(plain)) else str(_simplifier().convert(plain))


def tokens(text: str, sizes: tuple[int, ...] = (1, 2)) -> list[str]:
    """Character n-grams of Chinese, whole words of Latin letters and digits; none crosses a punctuation mark."""
    found: list[str] = []
    for run in _RUN.findall(normalize(text)):
        units = _UNIT.findall(run)
        for size in sizes:
            found.extend("".join(units[i : i + size]) for i in range(len(units) - size + 1))
    return found


class StaticEmbeddings(Embeddings):
    """LangChain embeddings of unit length: the mean of the vectors of a text's n-grams.

    ``weights`` is (n-grams, dimensions) of small integers, ``scales`` what one of each row is worth.
    """

    def __init__(self, vocabulary: dict[str, int], weights: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
        self._vocabulary, self._weights, self._scales = vocabulary, weights, scales
        self.fingerprint = "static"

    @classmethod
    def load(cls, folder: Path = MODEL) -> StaticEmbeddings:
        """Read a model folder; raises :class:`ModelMissing` when it is not there or not whole."""
        try:
            weights = load_file(folder / "model.safetensors")
            vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
            model = cls(vocabulary, weights["embedding.weight"], weights["scales"])
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelMissing(
                f"随附的向量模型 {folder} 不完整({error})。请重新取得项目文件,或运行 python -m ingest.train 重新训练。"
            ) from error
        model.fingerprint = f"static-{_digest(folder)}"
        return model

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return int(self._weights.shape[1])

    def mean(self, text: str) -> NDArray[np.float32]:
        """The mean of the vectors of a text's n-grams; those not in the vocabulary count as zeros."""
        grams = tokens(text, SIZES)
        ids = [number for gram in grams if (number := self._vocabulary.get(gram)) is not None]
        if not ids:
            return np.zeros(self.dimensions, dtype=np.float32)
        total = self._scales[ids] @ self._weights[ids].astype(np.float32)
        return np.asarray(total / len(grams), dtype=np.float32)

    def vectors(self, texts: list[str]) -> NDArray[np.float32]:
        """(texts, dimensions), each row of unit length, or zero where no n-gram is known."""
        made = np.stack([self.mean(text) for text in texts]) if texts else np.zeros((0, self.dimensions), np.float32)
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        return np.asarray(made / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        return [[float(x) for x in row] for row in self.vectors(texts)]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question: made as for a document."""
        return self.embed_documents([text])[0]


class ModelEmbeddings(Embeddings):
    """LangChain embeddings with any sentence-transformers model, its words before a question included."""

    def __init__(self, name: str, prompt: str | None = None) -> None:
        from sentence_transformers import SentenceTransformer  # takes seconds

        try:
            self._model = SentenceTransformer(name, local_files_only=True, device="cpu")
        except (OSError, ValueError):
            self._model = SentenceTransformer(name, device="cpu")  # not here yet: fetch it
        own = self._model.prompts.get("query") or next((p for n, p in PROMPTS.items() if re.search(n, name)), "")
        self.prompt = own if prompt is None else prompt
        self.fingerprint = f"{name}/{self._model.get_embedding_dimension()}/{self.prompt}"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        return self._encode(texts, prompt="")

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self._encode([text], prompt=self.prompt)[0]

    def _encode(self, texts: list[str], prompt: str) -> list[list[float]]:
        made: Any = self._model.encode(
            list(texts), prompt=prompt or None, normalize_embeddings=True, show_progress_bar=False
        )
        return [[float(x) for x in row] for row in made]


@cache
def embeddings() -> Embeddings:
    """The embeddings this process uses: ``EMBEDDING_MODEL`` if set and to be had, else the shipped model."""
    name = settings.get().embedding_model
    if name:
        try:
            return ModelEmbeddings(name, settings.get().embedding_prompt)
        except Exception as error:  # noqa: BLE001 - a missing or broken model, or no network: the shipped one serves
            why = next(_reasons(error))
            logging.getLogger(__name__).warning(
                "EMBEDDING_MODEL=%s 用不了(%s)。请写模型文件夹的路径,或联网下载一次;这次改用随附的模型。", name, why
            )
    return StaticEmbeddings.load()


def identity(model: Embeddings) -> str:
    """What tells one model's vectors from another's."""
    return str(getattr(model, "fingerprint", None) or type(model).__name__)


def _reasons(error: Exception) -> Iterator[str]:
    yield from (line.strip() for line in str(error).splitlines() if line.strip())
    yield type(error).__name__


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("model.safetensors", "tokenizer.json"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]
