"""Trains the shipped embedder from the project's own knowledge: ``python -m ingest.train``.

The vectors of the n-grams begin as a latent semantic analysis of all texts; then a part of a text is to find the rest
of it, and at last each question is to find its card, the provisions it rests on and another question beside the card,
each time among those of the other questions of its batch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from ingest.embedder import MODEL, SIZES, StaticEmbeddings, tokens
from knowledge.files import CITE, citations
from knowledge.library import Library, load
from knowledge.numerals import heading
from knowledge.schema import Ref

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
ROOMS = ("statutes", "commentary", "cases", "questions")


@dataclass(frozen=True)
class Recipe:
    """How it is trained. ``seen``: an n-gram counts from so many texts on; ``decay``: a card's first provisions more.

    ``span_epochs`` of parts of texts come before ``epochs`` of questions; ``provisions`` are drawn a question, and
    ``mixed`` of the questions are put together with another one, as people tell several things at once.
    """

    dimensions: int = 128
    grams: int = 63_000
    seen: int = 2
    span_epochs: int = 2
    epochs: int = 8
    batch: int = 256
    rate: float = 2e-3
    scale: float = 20.0
    spread: float = 0.05
    provisions: int = 3
    decay: float = 0.7
    mixed: float = 0.0
    seed: int = 7


@dataclass(frozen=True)
class Question:
    """A question (or sentence), the provisions and other documents that answer it, and the group they make.

    Documents are numbers into :attr:`Material.documents`.
    """

    text: str
    provisions: list[int]
    others: list[int]
    group: int


class Material:
    """What there is to learn from. ``held`` are questions that no part of the training may see."""

    def __init__(self, library: Library, held: frozenset[str] = frozenset()) -> None:
        self.library = library
        self.documents = [f"{p.law}{heading(p.article)} {p.text}" for p in library.provisions.values()]
        self._place = {key: n for n, key in enumerate(library.provisions)}
        self.questions: list[Question] = []
        self.groups: list[set[int]] = []
        for card in library.cards.values():
            body = self._document(CITE.sub(r"\1", f"{card.title}\n{card.short}\n{card.why}\n{card.steps}"))
            provisions = self._resolved(card.provisions)
            self._group([a for a in [card.title, *card.asks] if a not in held], provisions, [body])
            for sentence in re.split(r"(?<=[。;!?\n])", f"{card.short}\n{card.why}\n{card.steps}"):
                if named := self._resolved(citations(sentence)):
                    self.questions.append(Question(CITE.sub("", sentence), named, [], len(self.groups) - 1))
        for key, asks in library.asks.items():
            self._group([ask for ask in asks if ask not in held], [self._place[key]], [])
        for case in library.cases.values():
            provisions = self._resolved(case.basis)
            self.groups.append(set(provisions))
            for text in (case.title, case.facts, case.outcome, case.lesson):
                self.questions.append(Question(text, provisions, [], len(self.groups) - 1))
        self.long = [text for text in self.documents if len(text) > 60]

    def _document(self, text: str) -> int:
        self.documents.append(text)
        return len(self.documents) - 1

    def _resolved(self, refs: list[Ref]) -> list[int]:
        found = (self.library.resolve(ref, date.max) for ref in refs)
        return list(dict.fromkeys(self._place[p.key] for p in found if p))

    def _group(self, asks: list[str], provisions: list[int], others: list[int]) -> None:
        numbers = [self._document(ask) for ask in asks]
        for number, ask in zip(numbers, asks, strict=True):
            beside = [n for n in numbers if n != number]
            self.questions.append(Question(ask, provisions, [*others, *beside], len(self.groups)))
        self.groups.append({*provisions, *others, *numbers})


class Trainer:
    """One training; the same material and recipe give the same weights, bit for bit, on the same machine."""

    def __init__(self, material: Material, recipe: Recipe) -> None:
        import torch

        torch.manual_seed(recipe.seed)
        torch.use_deterministic_algorithms(True)
        self.material, self.recipe, self._torch = material, recipe, torch
        self._chance = np.random.default_rng(recipe.seed)
        self.grams, often = self._vocabulary()
        self._number = {gram: n for n, gram in enumerate(self.grams)}
        self._documents = [self._ids(text) for text in material.documents]
        self._asked = [self._ids(question.text) for question in material.questions]
        self._right = np.zeros((len(material.groups), len(material.documents)), dtype=bool)
        for number, group in enumerate(material.groups):
            self._right[number, list(group)] = True
        start = torch.from_numpy(self._analysis(often))
        self._bag = torch.nn.EmbeddingBag.from_pretrained(start, freeze=False, mode="mean")
        self._optimizer = torch.optim.Adam(self._bag.parameters(), lr=recipe.rate)

    def run(self, progress: Callable[[int, int], None] = lambda done, total: None) -> Floats:
        """The vectors of the n-grams, (n-grams, dimensions)."""
        recipe = self.recipe
        turns = [self._spans] * recipe.span_epochs + [self._questions] * recipe.epochs
        for turn, draw in enumerate(turns):
            pairs = list(draw())
            order = self._chance.permutation(len(pairs))
            batches = [order[i : i + recipe.batch] for i in range(0, len(order), recipe.batch)]
            for number, batch in enumerate(batches):
                done = turn + number / len(batches)
                asking = max(0.0, (done - recipe.span_epochs) / max(recipe.epochs, 1))
                self._optimizer.param_groups[0]["lr"] = recipe.rate * (1 - 0.9 * asking)
                self._step([pairs[i] for i in batch])
                progress(turn * 100 + 100 * (number + 1) // len(batches), len(turns) * 100)
        return np.asarray(self._bag.weight.detach().numpy(), dtype=np.float32)

    def _vocabulary(self) -> tuple[list[str], Floats]:
        counts = Counter(gram for text in self.material.documents for gram in set(tokens(text, SIZES)))
        kept = sorted((g for g, n in counts.items() if n >= self.recipe.seen), key=lambda g: (-counts[g], g))
        kept = kept[: self.recipe.grams]
        return kept, np.array([counts[gram] for gram in kept], dtype=np.float32)

    def _ids(self, text: str) -> Ids:
        return np.array([n for g in tokens(text, SIZES) if (n := self._number.get(g)) is not None], dtype=np.int64)

    def _analysis(self, often: Floats) -> Floats:
        """Latent semantic analysis of the documents, weighted by how telling each n-gram is."""
        from scipy.sparse import csr_matrix
        from sklearn.preprocessing import normalize
        from sklearn.utils.extmath import randomized_svd

        ends = np.cumsum([0, *map(len, self._documents)])
        shape = (len(self._documents), len(self.grams))
        counts = csr_matrix((np.ones(ends[-1]), np.concatenate(self._documents), ends), shape=shape)
        counts.sum_duplicates()
        telling = np.log((shape[0] + 1) / (often + 0.5)).clip(min=0.05)
        counts.data = (1 + np.log(counts.data)) * telling[counts.indices]
        rank = min(self.recipe.dimensions, *shape)
        _, _, parts = randomized_svd(normalize(counts), rank, n_iter=4, random_state=self.recipe.seed)
        start = np.zeros((len(self.grams), self.recipe.dimensions), dtype=np.float32)
        start[:, :rank] = parts.T * telling[:, None]
        return np.asarray(start * (self.recipe.spread / start.std()), dtype=np.float32)

    def _spans(self) -> Iterator[tuple[Ids, Ids, int, int]]:
        """A part of a text and the rest of it; the group −1 − n says that only the text itself is right."""
        for number, text in enumerate(self.material.long):
            for _ in range(min(4, len(text) // 80 + 1)):
                length = int(self._chance.integers(8, 40))
                start = int(self._chance.integers(0, len(text) - length))
                part, rest = (
                    self._ids(text[start : start + length]),
                    self._ids(f"{text[:start]} {text[start + length :]}"),
                )
                if len(part) > 2 and len(rest) > 2:
                    yield part, rest, number, -1

    def _questions(self) -> Iterator[tuple[Ids, Ids, int, int]]:
        """A question and a document that answers it, with the number of the document and of the group."""
        for question, ids in zip(self.material.questions, self._asked, strict=True):
            weights = self.recipe.decay ** np.arange(len(question.provisions))
            count = min(self.recipe.provisions if question.others else 1, len(weights))
            drawn = self._chance.choice(question.provisions, count, replace=False, p=weights / weights.sum())
            others = question.others[:1]
            if len(question.others) > 1:
                others.append(question.others[int(self._chance.integers(1, len(question.others)))])
            for number in [*map(int, drawn), *others]:
                if len(ids) and len(self._documents[number]):
                    yield self._mixed(ids), self._documents[number], number, question.group

    def _mixed(self, ids: Ids) -> Ids:
        if self._chance.random() >= self.recipe.mixed:
            return ids
        return np.concatenate([ids, self._asked[int(self._chance.integers(len(self._asked)))]])

    def _step(self, pairs: list[tuple[Ids, Ids, int, int]]) -> None:
        """Each question is to be nearest its own document; what would answer it too is no counterexample."""
        torch = self._torch
        numbers, groups = np.array([p[2] for p in pairs]), np.array([p[3] for p in pairs])
        also = np.where(groups[:, None] < 0, False, self._right[groups][:, numbers])
        also |= numbers[:, None] == numbers[None, :]
        np.fill_diagonal(also, False)
        scores = self.recipe.scale * self._embedded([p[0] for p in pairs]) @ self._embedded([p[1] for p in pairs]).T
        scores = scores.masked_fill(torch.from_numpy(also), -1e4)
        aim = torch.arange(len(pairs))
        entropy = torch.nn.functional.cross_entropy
        loss = (entropy(scores, aim) + entropy(scores.T, aim)) / 2
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()

    def _embedded(self, texts: list[Ids]) -> Any:
        starts = np.cumsum([0, *map(len, texts[:-1])])
        torch = self._torch
        mean = self._bag(torch.from_numpy(np.concatenate(texts)), torch.from_numpy(starts))
        return torch.nn.functional.normalize(mean)


def quantized(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """(rows, dimensions) as small integers, and what one of each row is worth."""
    scales = np.abs(weights).max(axis=1, keepdims=True).clip(min=1e-8) / 127
    return np.round(weights / scales).astype(np.int8), np.asarray(scales[:, 0], dtype=np.float32)


def embedder(grams: list[str], weights: Floats) -> StaticEmbeddings:
    """The embeddings of a training, as they will be read from the files."""
    small, scales = quantized(np.vstack([np.zeros_like(weights[:1]), weights]))
    return StaticEmbeddings({gram: n for n, gram in enumerate(grams, 1)}, small, scales)


def fingerprint(library: Library) -> dict[str, str]:
    """The hash of each room of knowledge the training reads."""
    stamps = {}
    for room in ROOMS:
        digest = hashlib.sha256()
        for path in sorted((library.root / room).rglob("*.*")):
            digest.update(path.relative_to(library.root).as_posix().encode() + path.read_bytes())
        stamps[room] = digest.hexdigest()[:16]
    return stamps


def save(folder: Path, grams: list[str], weights: Floats, about: dict[str, Any]) -> None:
    """Write a folder that sentence-transformers can load, and what it was made from."""
    from safetensors.numpy import save_file

    from ingest.static import tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    small, scales = quantized(np.vstack([np.zeros_like(weights[:1]), weights]))
    save_file({"embedding.weight": small, "scales": scales}, folder / "model.safetensors")
    tokenizer(grams).save(str(folder / "tokenizer.json"), pretty=False)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "ingest.static.NgramEmbedding"},
        {"idx": 1, "name": "1", "path": "", "type": "sentence_transformers.sentence_transformer.modules.Normalize"},
    ]
    for name, data in {
        "modules.json": modules,
        "config_sentence_transformers.json": {"prompts": {}, "similarity_fn_name": "cosine"},
        "training.json": about,
    }.items():
        (folder / name).write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def differences(library: Library, folder: Path = MODEL, recipe: Recipe | None = None) -> list[str]:
    """Why the model in a folder isn't what this script would make of the knowledge; empty when it is."""
    try:
        about = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"{folder} 里没有训练记录"]
    found = [
        f"knowledge/{room} 在训练以后改过"
        for room, stamp in fingerprint(library).items()
        if about["knowledge"].get(room) != stamp
    ]
    if about["recipe"] != asdict(recipe or Recipe()):
        found.append("训练参数改过")
    return found


def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="写到哪个文件夹")] = MODEL,
    dimensions: Annotated[int, typer.Option(help="向量的维数")] = Recipe.dimensions,
    check: Annotated[bool, typer.Option("--check", help="不训练,只说模型与知识是否相符;不符时退出状态为 1")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="重新训练并与现有的模型比较,不写文件")] = False,
) -> None:
    """用随附的知识重新训练向量模型。"""
    library, recipe = load(), Recipe(dimensions=dimensions)
    if check:
        found = differences(library, output, recipe)
        typer.echo("\n".join(found) or "模型与知识相符。")
        raise typer.Exit(1 if found else 0)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("训练", total=None)
        trainer = Trainer(Material(library), recipe)
        weights = trainer.run(lambda done, total: bar.update(task, completed=done, total=total))
    if verify:
        raise typer.Exit(0 if _same(output, trainer.grams, weights) else 1)
    about = {"knowledge": fingerprint(library), "recipe": asdict(recipe), "grams": len(trainer.grams)}
    about["texts"], about["questions"] = len(trainer.material.documents), len(trainer.material.questions)
    save(output, trainer.grams, weights, about)
    size = sum(path.stat().st_size for path in output.iterdir()) / 1e6
    typer.echo(f"{output}:{len(trainer.grams)} 个字词,{recipe.dimensions} 维,{size:.1f} MB")


def _same(folder: Path, grams: list[str], weights: Floats) -> bool:
    kept, made = StaticEmbeddings.load(folder), embedder(grams, weights)
    near = [float(a @ b) for a, b in zip(kept.vectors(grams), made.vectors(grams), strict=True)]
    typer.echo(f"与现有模型的余弦相似度:最低 {min(near):.4f},平均 {float(np.mean(near)):.4f}")
    return min(near) > 0.99


if __name__ == "__main__":
    typer.run(main)
