"""The index is built once, reused, and rebuilt when it is stale, half-written or not ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from chromadb.api.shared_system_client import SharedSystemClient
from typer.testing import CliRunner

from ingest.index import Index, IndexUnwritable, changed_files, open_index, pieces
from knowledge.library import Library


class Stages(list[str]):
    """What a progress callback was told."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.append(stage)

    @property
    def built(self) -> bool:
        """Whether an index was written."""
        return "正在建立索引" in self


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A data directory of its own."""
    return tmp_path / "state"


def build(root: Path, state: Path) -> tuple[Index, Stages]:
    stages = Stages()
    return open_index(Library(root), state, stages), stages


def names(index: Index, query: str, kind: str = "provision", k: int = 5) -> list[str]:
    hits = sorted(index.search(query, kind, k), key=lambda hit: -(hit.dense + hit.sparse))
    return [str(hit.piece.metadata["of"]) for hit in hits]


def test_a_missing_index_is_built_and_finds(small: Path, state: Path) -> None:
    index, stages = build(small, state)
    assert stages.built
    assert len(index.pieces) == len(list(pieces(Library(small))))
    assert set(names(index, "盗窃、诈骗、敲诈勒索的,处拘留", k=2)) == {"zhian-2012/49", "zhian-2025/58"}
    assert names(index, "骗退款罚多少", "ask", 1) == ["petty-fraud"]
    assert names(index, "买家用假图退款", "case", 1) == ["one-case"]


@pytest.mark.parametrize("query", ["", "  ", "!?。", "\U0001f600"])
def test_a_query_without_words_finds_nothing(small: Path, state: Path, query: str) -> None:
    index, _ = build(small, state)
    assert index.search(query, "provision", 5) == []


def test_dates_are_kept_as_numbers(small: Path) -> None:
    by_id = {piece.id: piece.metadata for piece in pieces(Library(small))}
    assert by_id["provision:zhian-2012/49"]["effective"] == 20130101
    assert by_id["provision:zhian-2012/49"]["repealed"] == 20260101
    assert by_id["provision:zhian-2025/58"]["effective"] == 20260101


def test_a_sound_index_is_used_again(small: Path, state: Path) -> None:
    first, _ = build(small, state)
    again, stages = build(small, state)
    assert stages == []
    assert again.manifest == first.manifest
    assert names(again, "诈骗的处拘留") == names(first, "诈骗的处拘留")


def test_a_changed_file_rebuilds_and_its_words_are_found(small: Path, state: Path) -> None:
    build(small, state)
    card = small / "commentary/police/petty-fraud.md"
    card.write_text(card.read_text(encoding="utf-8").replace("骗退款几天", "螃蟹缺斤短两"), encoding="utf-8")
    reports = {report.path: report.status for report in changed_files(Library(small), state)}
    assert {Path(path).name for path, status in reports.items() if status == "indexed"} == {"petty-fraud.md"}
    index, stages = build(small, state)
    assert stages.built
    assert index.search("螃蟹缺斤短两", "ask", 1)[0].piece.text == "螃蟹缺斤短两"
    assert {report.status for report in changed_files(Library(small), state)} == {"unchanged"}


def test_a_removed_file_is_found_no_more(small: Path, state: Path) -> None:
    build(small, state)
    (small / "commentary/police/petty-fraud.md").unlink()
    index, stages = build(small, state)
    assert stages.built
    assert index.search("骗退款罚多少", "ask", 5) == []


@pytest.mark.parametrize(
    "part", ["manifest.json", "vectors.npy", "pieces.json", "bm25", "chroma"], ids=lambda part: f"without-{part}"
)
def test_a_half_written_index_is_rebuilt(small: Path, state: Path, part: str) -> None:
    build(small, state)
    path = state / "index" / part
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    SharedSystemClient.clear_system_cache()  # as in a new process
    index, stages = build(small, state)
    assert stages.built
    assert "zhian-2025/58" in names(index, "盗窃、诈骗、敲诈勒索的,处拘留")


@pytest.mark.parametrize("part", ["manifest.json", "vectors.npy", "pieces.json"])
def test_a_garbled_index_is_rebuilt(small: Path, state: Path, part: str) -> None:
    build(small, state)
    (state / "index" / part).write_bytes(b"\x00garbage")
    index, stages = build(small, state)
    assert stages.built
    assert "zhian-2025/58" in names(index, "盗窃、诈骗、敲诈勒索的,处拘留")


def test_a_build_cut_short_is_seen_as_none(small: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(self: object, path: str, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bm25s.BM25.save", die)
        with pytest.raises(KeyboardInterrupt):
            build(small, state)
    assert not (state / "index" / "manifest.json").exists()
    index, stages = build(small, state)
    assert stages.built
    assert names(index, "骗退款罚多少", "ask", 1) == ["petty-fraud"]


@pytest.mark.parametrize("content", ["{}", "[]", '"text"', json.dumps({"fingerprint": {"": "0/1"}})])
def test_a_foreign_folder_is_replaced(small: Path, state: Path, content: str) -> None:
    (state / "index").mkdir(parents=True)
    (state / "index" / "manifest.json").write_text(content, encoding="utf-8")
    (state / "index" / "other.db").write_bytes(b"x")
    index, stages = build(small, state)
    assert stages.built
    assert index.search("诈骗", "provision", 3)


def test_a_place_that_cannot_be_written_is_named_with_the_cure(small: Path, tmp_path: Path) -> None:
    place = tmp_path / "a-file"
    place.write_text("not a folder", encoding="utf-8")
    with pytest.raises(IndexUnwritable, match="DATA_DIR") as caught:
        open_index(Library(small), place)
    assert str(place) in str(caught.value)


def test_a_read_only_folder_is_named_with_the_cure(small: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *arguments: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(IndexUnwritable, match=r"Permission denied.*DATA_DIR"):
        open_index(Library(small), state)


def test_the_terminal_says_so_without_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import settings
    from advisor.__main__ import app

    place = tmp_path / "a-file"
    place.write_text("not a folder", encoding="utf-8")
    monkeypatch.setattr(settings, "get", lambda: settings.Settings(data_dir=place))
    result = CliRunner().invoke(app, ["search", "诈骗", "--json"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "DATA_DIR" in result.stderr
    assert "Traceback" not in result.stderr
