"""The shipped model as sentence-transformers has it: ``SentenceTransformer("ingest/model", trust_remote_code=True)``.

Its tokenizer knows words between spaces only, so the n-grams are spaced out first: overlapping ones are beyond what a
``tokenizer.json`` can say.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from ingest.embedder import SIZES, UNKNOWN, tokens


def tokenizer(grams: list[str]) -> Tokenizer:
    """A tokenizer of text in which the n-grams are spaced; the unknown comes first."""
    made = Tokenizer(models.WordLevel({gram: n for n, gram in enumerate([UNKNOWN, *grams])}, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # type: ignore[assignment]
    return made


class NgramEmbedding(StaticEmbedding):
    """A static embedding over character n-grams, its weights kept as small integers with a scale a row."""

    def preprocess(self, inputs: list[str], prompt: str | None = None, **kwargs: Any) -> dict[str, torch.Tensor]:
        """The ids of the n-grams of each text."""
        spaced = [" ".join(tokens(f"{prompt or ''}{text}", SIZES)) or UNKNOWN for text in inputs]
        return super().preprocess(spaced, **kwargs)

    @classmethod
    def load(cls, model_name_or_path: str, **kwargs: Any) -> Self:
        """Read a model folder."""
        options = {k: v for k, v in kwargs.items() if k in {"subfolder", "token", "cache_folder", "revision"}}
        options["local_files_only"] = True
        path = cls.load_file_path(model_name_or_path, filename="tokenizer.json", **options)
        weights = cls.load_torch_weights(model_name_or_path=model_name_or_path, **options)
        return cls(Tokenizer.from_file(path), weights["embedding.weight"].float() * weights["scales"][:, None])
