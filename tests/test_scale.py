"""A corpus of one's own: taken in line by line, never half, whatever happens to the process, the disk or the server."""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from filelock import FileLock
from typer.testing import CliRunner

import settings
from benchmarks import scale
from benchmarks.latency import free_port
from ingest import shelf, store
from ingest.__main__ import main
from ingest.documents import Documents
from ingest.generation import Generation
from ingest.index import IndexUnwritable
from ingest.shelf import State, stamp

ROOT = Path(__file__).parent.parent
LINES = 240
CHILD = """
import json, sys
from pathlib import Path
from ingest.documents import Documents
from tests.test_scale import corpus
documents, source = Documents(Path(sys.argv[1])), Path(sys.argv[2])
print("ready", flush=True)
for number in range(int(sys.argv[3]), int(sys.argv[3]) + 1000):
    corpus(source, "甲乙"[number % 2])
    documents.add([source])
    print("done", flush=True)
"""


def corpus(path: Path, version: str = "甲", count: int = LINES) -> Path:
    """A corpus of which every line but each third says which version it is."""
    lines = [
        {
            "id": f"规则|{number}",
            "law": "平台售后规则",
            "article": f"第{number}条",
            "text": f"编号{number}的商品按{'通用' if number % 3 == 0 else version * 4}流程处理退货和退款。",
        }
        for number in range(1, count + 1)
    ]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def change(path: Path, number: int, line: bytes | None) -> None:
    """Replace a line, counted from 1, or take it away."""
    lines = path.read_bytes().splitlines()
    lines[number - 1 : number] = [] if line is None else [line]
    path.write_bytes(b"\n".join(lines) + b"\n")


def whole(state: Path) -> str:
    """The version in force: "" for none yet. Fails when it is half of anything."""
    documents = Documents(state)
    found = State.load(documents.folder)
    if not found.pieces:
        return ""
    texts = [piece.text for piece in Generation(documents.folder / found.generation).pieces()]
    version = "甲" if "甲" in "".join(texts) else "乙"
    assert len(texts) == found.pieces == LINES
    assert sum(version * 4 in text for text in texts) == LINES - LINES // 3
    opened = documents._current()
    assert opened
    assert opened.vectors.count() == LINES
    hits = documents.search("编号7的商品怎么退", 5)
    assert documents.notice is None
    assert len(hits) == 5
    documents.close()
    return version


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A data directory of its own."""
    return tmp_path / "state"


@pytest.fixture
def run(state: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command over that directory."""
    monkeypatch.setattr(settings, "get", lambda: settings.Settings(data_dir=state))
    return CliRunner()


def test_only_what_changed_is_done_again_and_what_is_gone_goes(state: Path, tmp_path: Path) -> None:
    documents, source = Documents(state), corpus(tmp_path / "rules.jsonl")
    assert [(r.status, r.kind, r.pieces) for r in documents.add([source])] == [("indexed", "jsonl", LINES)]
    assert documents.embedded == LINES
    hit = documents.search("编号7的商品", 3)[0]
    assert (hit.name, hit.text) == ("平台售后规则第7条", "编号7的商品按甲甲甲甲流程处理退货和退款。")
    assert [r.status for r in documents.add([source])] == ["unchanged"]
    assert documents.embedded == 0

    line = {"id": "规则|7", "law": "平台售后规则", "article": "第7条", "text": "冷链破损由承运人赔付。"}
    change(source, 7, json.dumps(line, ensure_ascii=False).encode())
    assert [r.status for r in documents.add([source])] == ["indexed"]
    assert documents.embedded == 1
    assert documents.search("冷链破损谁赔", 3)[0].text == line["text"]
    assert all("编号7的" not in hit.text for hit in documents.search("编号7的商品", 10))

    change(source, 7, None)
    assert documents.add([source])[0].pieces == LINES - 1
    assert documents.embedded == 0
    assert all(hit.text != line["text"] for hit in documents.search("冷链破损谁赔", 10))
    assert len(list(documents.folder.glob("*/chroma"))) == 1


def test_a_gzipped_corpus_is_read_and_a_cut_one_refused_whole(state: Path, tmp_path: Path) -> None:
    documents, source = Documents(state), corpus(tmp_path / "rules.jsonl")
    packed = tmp_path / "rules.jsonl.gz"
    packed.write_bytes(gzip.compress(source.read_bytes()))
    assert [(r.status, r.pieces) for r in documents.add([packed])] == [("indexed", LINES)]
    packed.write_bytes(packed.read_bytes()[:-300])
    report = documents.add([packed])[0]
    assert (report.status, "不完整" in str(report.why)) == ("refused", True)
    assert documents.search("编号7的商品", 1)


def test_bad_lines_are_named_and_the_rest_goes_in(run: CliRunner, state: Path, tmp_path: Path) -> None:
    source = corpus(tmp_path / "rules.jsonl", count=20)
    bad = {
        2: b"{not json",
        3: b'{"id": "x", "text": "  "}',
        4: '{"id": "规则|1", "text": "同一个编号"}'.encode(),
        5: json.dumps({"id": "y", "text": "长" * 350_000}, ensure_ascii=False).encode(),
        6: b'{"id": "z", "text": "a\\u0000b"}',
        7: b'{"id": "c", "text": "a\\u0007b"}',
        8: '{"id": "g", "text": "国标编码"}'.encode("gbk"),
        9: b'{"id": "s", "text": "\\ud800"}',
        10: b'["a list"]',
        11: b"\x00\x00\x00",
        12: b'{"id": "n", "text": 12}',
        13: b'{"id": ["q"], "text": "id"}',
        14: b"[" * 100_000,
        15: b'{"id": "h", "text": "' + b"x" * (5 << 20) + b'"}',
    }
    for number, line in bad.items():
        change(source, number, line)
    for status in ("indexed", "unchanged"):  # the second time the lines are as bad as they were
        result = run.invoke(_app(), [str(source), "--json"])
        assert result.exit_code == 1
        report = json.loads(result.stdout)["files"][0]
        assert (report["status"], report["pieces"]) == (status, 20 - len(bad))
        assert [int(warning.split()[1]) for warning in report["warnings"]] == list(bad)
    why = dict(zip(bad, report["warnings"], strict=True))
    for number, word in {2: "JSON", 3: "空", 4: "第 1 行重复", 5: "350,000", 6: "NUL", 8: "UTF-8", 13: "id"}.items():
        assert word in why[number]
    assert Documents(state).search("编号16的商品", 1)[0].name == "平台售后规则第16条"


def test_a_corpus_in_gbk_is_read(state: Path, tmp_path: Path) -> None:
    source = corpus(tmp_path / "rules.jsonl", count=5)
    source.write_bytes(source.read_text(encoding="utf-8").encode("gbk"))
    assert [(r.status, r.pieces, r.warnings) for r in Documents(state).add([source])] == [("indexed", 5, [])]
    source.write_bytes("{}".encode("utf-16"))
    assert "UTF-16" in str(Documents(state).add([source])[0].why)


def test_text_without_a_word_does_no_harm(state: Path, tmp_path: Path) -> None:
    (tmp_path / "dots.txt").write_text("……!?", encoding="utf-8")
    documents = Documents(state)
    assert documents.add([tmp_path / "dots.txt"])[0].status == "indexed"
    documents.search("退款", 3)
    documents.add([corpus(tmp_path / "rules.jsonl", count=3)])
    assert documents.search("编号2的商品", 1)[0].name == "平台售后规则第2条"


def test_another_model_embeds_everything_again(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents, source = Documents(state), corpus(tmp_path / "rules.jsonl")
    documents.add([source])
    monkeypatch.setattr(shelf, "identity", lambda model: "another")
    assert documents.search("编号7的商品", 1)[0].name == "平台售后规则第7条"
    assert "模型" in str(documents.notice)
    assert documents.add([source])[0].status == "indexed"
    assert documents.embedded == LINES
    assert documents.search("编号7的商品", 1)
    assert documents.notice is None


@pytest.mark.parametrize("part", ["chroma", "chroma/chroma.sqlite3", "pieces.jsonl", "bm25", "ids.npy"])
def test_a_damaged_state_is_made_anew_by_the_next_run(state: Path, tmp_path: Path, part: str) -> None:
    documents, source = Documents(state), corpus(tmp_path / "rules.jsonl")
    documents.add([source])
    path = documents.folder / State.load(documents.folder).generation / part
    if path.is_dir():
        path.rename(tmp_path / "away")
    else:
        path.write_bytes(b"\x00garbage")
    assert documents.add([source])[0].status == "indexed"
    assert whole(state) == "甲"


def test_killed_at_any_moment_it_is_the_old_state_or_the_new(state: Path, tmp_path: Path) -> None:
    chance, source = random.Random(7), tmp_path / "rules.jsonl"
    seen = set()
    for turn in range(5):
        with _python(CHILD, state, source, turn) as child:
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            for _ in range(turn > 0):  # the first time it dies before anything is in force
                assert child.stdout.readline() == b"done\n"
            time.sleep(chance.uniform(0.05, 0.6))
            child.send_signal(signal.SIGKILL)
        seen.add(whole(state))
    assert seen & {"甲", "乙"}
    Documents(state).add([corpus(source, "乙")])
    assert whole(state) == "乙"
    assert len([path for path in (state / "documents").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("limit", [2_000, 40_000, 150_000, 400_000])
def test_a_disk_that_takes_no_more_leaves_the_old_state(state: Path, tmp_path: Path, limit: int) -> None:
    Documents(state).add([corpus(tmp_path / "rules.jsonl")])
    corpus(tmp_path / "rules.jsonl", "乙")
    code = "from ingest.__main__ import main; import typer; typer.run(main)"
    child = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "rules.jsonl"), "--json"],
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(state)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        check=False,
    )
    assert child.returncode == 1
    assert child.stdout == b""
    assert "原有的内容不变" in child.stderr.decode()
    assert "Traceback" not in child.stderr.decode()
    assert whole(state) == "甲"


def test_a_second_writer_is_told_which_folder_and_what_to_do(
    run: CliRunner, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "WAIT", 0.1)
    source = corpus(tmp_path / "rules.jsonl", count=3)
    Documents(state).add([source])
    with FileLock(state / "documents/lock"):
        result = run.invoke(_app(), [str(source)])
        assert Documents(state).search("编号2的商品", 1)  # reading needs no lock
    assert result.exit_code == 1
    for word in (str(state / "documents"), "另一个进程", "CHROMA_URL"):
        assert word in result.stderr.replace("\n", "")
    assert run.invoke(_app(), [str(source)]).exit_code == 0


def test_a_process_that_has_it_open_sees_what_another_puts_in_its_place(state: Path, tmp_path: Path) -> None:
    reader, source = Documents(state), corpus(tmp_path / "rules.jsonl")
    Documents(state).add([source])
    assert "甲甲" in reader.search("编号7的商品", 1)[0].text
    before = stamp(reader.folder)
    with _python(CHILD, state, source, 1) as child:
        assert child.stdout
        while child.stdout.readline() != b"done\n":
            assert reader.search("编号7的商品", 1)
        child.kill()
    assert stamp(reader.folder) != before
    assert "乙乙" in reader.search("编号7的商品", 1)[0].text or whole(state) == "甲"


def test_nothing_is_opened_before_the_first_search(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Documents(state).add([corpus(tmp_path / "rules.jsonl", count=3)])
    monkeypatch.setattr("ingest.documents.Generation", lambda folder: pytest.fail("opened"))
    documents = Documents(state)
    assert next(iter(documents.listed().values())).pieces == 3
    assert documents.search(" ", 3) == []


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A real Chroma server on this machine, and ``CHROMA_URL`` naming it."""
    server = Server(tmp_path / "server")
    monkeypatch.setenv("CHROMA_URL", server.url)
    monkeypatch.setattr(settings, "get", settings.Settings)
    monkeypatch.setattr(store, "REST", 0.0)
    with server.running():
        yield server


class Server:
    """A ``chroma run`` over a folder, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sys.executable).with_name("chroma")
        if not program.exists():
            pytest.skip("chroma 命令不在这个环境里")
        self._process = subprocess.Popen(
            [program, "run", "--path", self.folder, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            try:
                store._heartbeat(self.url)
                return
            except store.ServerDown:
                time.sleep(0.05)
        raise RuntimeError("服务器没有起来")

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def running(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self.stop()


def test_two_processes_share_a_server_that_goes_away_and_comes_back(
    server: Server, state: Path, tmp_path: Path
) -> None:
    source, documents = corpus(tmp_path / "rules.jsonl"), Documents(state)
    documents.add([source])
    assert not list(state.rglob("chroma.sqlite3"))
    assert documents.search("编号7的商品", 1)[0].name == "平台售后规则第7条"

    with _python(CHILD, state, source, 1) as child:  # another process changes what this one searches
        assert child.stdout
        while child.stdout.readline() != b"done\n":
            assert documents.search("编号7的商品", 5)
            assert documents.notice is None
        child.kill()
    documents.add([corpus(source, "乙")])
    assert whole(state) == "乙"

    server.stop()
    hits = documents.search("编号7的商品", 3)
    assert hits[0].name == "平台售后规则第7条"  # by keywords
    assert server.url in str(documents.notice)
    with pytest.raises(IndexUnwritable, match="Chroma"):
        documents.add([corpus(source, "甲")])
    assert Documents(state).search("编号7的商品", 3)  # as does one that starts meanwhile

    server.start()
    assert "乙乙" in documents.search("编号7的商品", 1)[0].text
    assert documents.notice is None
    assert documents.add([source])[0].status == "indexed"
    assert whole(state) == "甲"


def test_a_server_that_lost_its_data_is_filled_again(server: Server, state: Path, tmp_path: Path) -> None:
    source, documents = corpus(tmp_path / "rules.jsonl"), Documents(state)
    documents.add([source])
    server.stop()
    server.folder.rename(tmp_path / "lost")
    server.start()
    assert documents.search("编号7的商品", 1)
    assert "重新" in str(documents.notice)
    assert documents.add([source])[0].status == "indexed"
    assert documents.embedded == 0  # the vectors are still at hand
    assert whole(state) == "甲"


def test_a_server_keeps_no_collection_that_is_out_of_force(
    server: Server, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import chromadb

    source, documents = corpus(tmp_path / "rules.jsonl"), Documents(state)
    documents.add([source])
    documents.add([corpus(source, "乙")])  # in place
    monkeypatch.setattr(shelf, "SMALL", 10)
    documents.add([corpus(source, "甲")])  # into a new one
    assert whole(state) == "甲"
    client = chromadb.HttpClient("127.0.0.1", server.port)
    assert [c.name for c in client.list_collections()] == [State.load(documents.folder).collection]
    monkeypatch.setattr(Documents, "_current", lambda self: None)
    assert documents.remove(str(source))
    assert client.list_collections() == []


def test_the_benchmark_says_what_it_lacks(tmp_path: Path) -> None:
    result = CliRunner().invoke(_app(scale.main), ["--corpus", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 1
    assert "--corpus" in result.stderr


def _app(command: Callable[..., None] = main) -> typer.Typer:
    app = typer.Typer()
    app.command()(command)
    return app


@contextmanager
def _python(code: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, env=os.environ, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
