"""Makes the pictures of the README from the running page: ``python -m docs.screenshots``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.latency import CHROMIUM_FLAGS, chromium, free_port, server, wait

QUESTION = "买家用AI把杯子P出裂纹申请仅退款86元,上周的事,我有发货视频,能报警吗?"


def main() -> None:
    """Ask one question on a desktop-wide page and keep the picture."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        server(port, Path(folder)) as process,
        sync_playwright() as playwright,
    ):
        wait(port)
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 1500})
        page.goto(f"http://localhost:{port}")
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill(QUESTION)
        box.press("Enter")
        page.get_by_text("我按这些事实回答").wait_for(timeout=120_000)
        page.get_by_role("heading", name="退有据").scroll_into_view_if_needed()
        page.wait_for_timeout(1_000)
        page.screenshot(path=Path(__file__).parent / "consult.png")
        browser.close()
        process.terminate()


if __name__ == "__main__":
    main()
