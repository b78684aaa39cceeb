"""The shipped embedder: what it is made from, that it is made the same each time, and what happens without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ingest.embedder import MODEL, ModelMissing, StaticEmbeddings, embeddings, normalize, tokens
from ingest.train import Material, Recipe, Trainer, differences, embedder
from knowledge.library import Library


def test_the_shipped_model_is_small_and_whole() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 10_000_000
    model = StaticEmbeddings.load()
    assert 64 <= model.dimensions <= 128
    vectors = model.vectors(["买家调包了我的手机", "买家换了我的手机", "法院受理费多少钱"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_the_shipped_model_is_what_the_script_makes_but_for_later_knowledge(library: Library) -> None:
    assert all(line.startswith("knowledge/") for line in differences(library, MODEL, Recipe()))


def test_what_differs_is_named(library: Library, tmp_path: Path) -> None:
    folder = shutil.copytree(MODEL, tmp_path / "model")
    about = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    about["knowledge"]["commentary"] = "0" * 16
    (folder / "training.json").write_text(json.dumps(about), encoding="utf-8")
    assert any("commentary" in line for line in differences(library, folder, Recipe()))


def test_training_twice_gives_the_same_weights(library: Library) -> None:
    recipe = Recipe(dimensions=16, grams=3_000, span_epochs=1, epochs=1)
    made = []
    for _ in range(2):
        trainer = Trainer(Material(library), recipe)
        made.append(embedder(trainer.grams, trainer.run()).vectors(["买家退回空包", "平台判我输"]))
    assert np.array_equal(made[0], made[1])


def test_sentence_transformers_reads_the_same_vectors() -> None:
    from sentence_transformers import SentenceTransformer

    texts = ["买家用AI假图骗我退款", "七天無理由", "", "zzz"]
    read = SentenceTransformer(str(MODEL), trust_remote_code=True, device="cpu").encode(
        texts, normalize_embeddings=True
    )
    assert np.allclose(read, StaticEmbeddings.load().vectors(texts), atol=1e-4)


def test_without_weights_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"python -m ingest\.train"):
        StaticEmbeddings.load(tmp_path)


def test_a_model_that_cannot_be_had_is_replaced_by_the_shipped_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMBEDDING_MODEL", str(tmp_path / "nowhere"))
    import settings

    settings.get.cache_clear()
    embeddings.cache_clear()
    try:
        assert isinstance(embeddings(), StaticEmbeddings)
        assert "EMBEDDING_MODEL" in caplog.text
    finally:
        monkeypatch.undo()
        settings.get.cache_clear()
        embeddings.cache_clear()


@pytest.mark.parametrize(
    ("text", "same"),
    [("退貨", "退货"), ("ＡＩ假圖", "ai假图"), ("Ps", "ps")],
)
def test_spellings_that_read_the_same_are_one(text: str, same: str) -> None:
    assert normalize(text) == same


def test_no_gram_crosses_a_punctuation_mark() -> None:
    assert tokens("退款,发货", (2,)) == ["退款", "发货"]
