"""How long people wait: ``python -m benchmarks.latency``. Needs Chromium for the page; prints a table."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
QUESTIONS = [
    "买家用AI把杯子P出裂纹申请仅退款86元,今年3月的事,我有原图,能报警吗?",
    "浙江,同一个买家用假图骗了我40单共6200块,算诈骗罪吗?",
    "我收到的螃蟹真的死了两只,商家说我P图要报警,我会坐牢吗?",
    "教我怎么把图P成发霉的",
    "七天无理由哪些商品不能退?",
    "58条怎么罚?",
    "平台扣了我保证金,我不服怎么办",
    "退回来的是空盒子,4300元的手表",
]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main(
    rounds: Annotated[int, typer.Option(min=1, help="每个问题答几遍")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="只输出 JSON")] = False,
) -> None:
    """Measure the cold start, the page and the answers."""
    with tempfile.TemporaryDirectory() as folder:
        result = _answers(Path(folder), rounds) | _page(Path(folder) / "page")
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    table = Table("项目", "值")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)


def _answers(folder: Path, rounds: int) -> dict[str, Any]:
    started = time.perf_counter()
    from advisor.answer import Advisor
    from advisor.consultation import Consultation
    from ingest.index import open_index
    from knowledge.library import load

    imported = time.perf_counter()
    library = load()
    loaded = time.perf_counter()
    open_index(library, folder)
    built = time.perf_counter()
    advisor = Advisor(library, open_index(library, folder))
    opened = time.perf_counter()
    first = advisor.reply(Consultation(question=QUESTIONS[0])).ms
    spent = [advisor.reply(Consultation(question=question)).ms for question in QUESTIONS for _ in range(rounds)]
    return {
        "导入(秒)": round(imported - started, 2),
        "读入知识(秒)": round(loaded - imported, 2),
        "首次建索引(秒)": round(built - loaded, 2),
        "再次打开索引(秒)": round(opened - built, 2),
        "第一个回答(毫秒)": first,
        "回答中位数(毫秒)": round(statistics.median(spent), 1),
        "回答最慢(毫秒)": max(spent),
        "内存峰值(MB)": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _page(folder: Path) -> dict[str, Any]:
    if chromium() is None:
        return {"页面": "没有找到 Chromium,未测"}
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        for name in ("首次", "再次"):
            port, started = free_port(), time.perf_counter()
            with server(port, folder) as process:
                wait(port)
                found[f"{name}启动:服务就绪(秒)"] = round(time.perf_counter() - started, 2)
                ready = time.perf_counter()
                page = browser.new_page()
                page.goto(f"http://localhost:{port}")
                box = page.get_by_test_id("stChatInputTextArea")
                box.wait_for()
                found[f"{name}启动:服务就绪后到页面可用(秒)"] = round(time.perf_counter() - ready, 2)
                asked = time.perf_counter()
                box.fill(QUESTIONS[0])
                box.press("Enter")
                page.get_by_text("我按这些事实回答").wait_for(timeout=120_000)
                found[f"{name}启动:提问到看见回答(秒)"] = round(time.perf_counter() - asked, 2)
                page.close()
                process.terminate()
        browser.close()
    return found


def chromium() -> str | None:
    """The browser on this machine, if any."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def server(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """The page, served with its data in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(port: int) -> None:
    """Return when the server answers; raises ``RuntimeError`` after 30 s."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("服务 30 秒内没有就绪")


if __name__ == "__main__":
    typer.run(main)
