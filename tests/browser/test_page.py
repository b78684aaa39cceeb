from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.latency import CHROMIUM_FLAGS, chromium, free_port, server, wait

FACTS = "我按这些事实回答"

pytestmark = [
    pytest.mark.skipif(
        chromium() is None and not os.environ.get("CI"), reason="没有 Chromium:apt-get install chromium fonts-noto-cjk"
    )
]


def serve(data_dir: Path) -> Iterator[str]:
    port = free_port()
    with server(port, data_dir) as process:
        try:
            wait(port)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve(tmp_path_factory.mktemp("data"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(60_000)
    found = context.new_page()
    yield found
    context.close()


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")


def no_traceback(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert "Traceback" not in page.content()


def test_first_visitor_can_write_while_the_index_is_built(page: Page, site: str) -> None:
    page.goto(site)
    expect(page.get_by_role("heading", name="退有据")).to_be_visible()
    ask(page, "买家用AI把杯子P出裂纹申请仅退款86元,上周的事,能报警吗?")
    expect(page.get_by_text(FACTS)).to_be_visible(timeout=120_000)
    expect(page.get_by_text("治安管理处罚法(2025修订)第58条").first).to_be_visible()
    no_traceback(page)


def test_a_citation_opens_the_exact_article(page: Page, site: str) -> None:
    page.goto(site)
    ask(page, "买家用AI把杯子P出裂纹申请仅退款86元,2025-11-20的事,能报警吗?")
    page.get_by_text("条原文").click()
    page.get_by_test_id("stButtonGroup").get_by_text("治安管理处罚法(2012修正) 49").click()
    expect(page.get_by_text("可以并处五百元以下罚款").first).to_be_visible()
    expect(page.get_by_text("2026-01-01 起不再适用").first).to_be_visible()
    link = page.get_by_role("link", name="治安管理处罚法(2012修正) 49", exact=False).first
    page.goto(site + str(link.get_attribute("href")))
    expect(page.get_by_text("盗窃、诈骗、哄抢、抢夺、敲诈勒索或者故意损毁公私财物的").first).to_be_visible()
    expect(page.get_by_role("link", name="来源").first).to_have_attribute(
        "href", "https://flk.npc.gov.cn/detail?id=2c909fdd678bf17901678bf7478e0695"
    )
    no_traceback(page)


def test_correcting_a_fact_changes_the_answer(page: Page, site: str) -> None:
    page.goto(site)
    ask(page, "买家用假图骗我退款86元,昨天的事")
    expect(page.get_by_text("86元够不上诈骗罪").first).to_be_visible()
    page.get_by_text(FACTS).click()
    amount = page.get_by_label("涉及金额(元)")
    amount.fill("50000")
    amount.press("Tab")
    page.get_by_role("button", name="按改后的事实重新回答").click()
    expect(page.get_by_text("5万元超过全国幅度的上限").first).to_be_visible()
    no_traceback(page)


def test_reload_loses_nothing(page: Page, site: str) -> None:
    page.goto(site)
    ask(page, "七天无理由哪些商品不能退?")
    expect(page.get_by_text("条原文")).to_be_visible()
    page.wait_for_url("**c=*")
    page.reload()
    expect(page.get_by_text("七天无理由哪些商品不能退?").first).to_be_visible()
    expect(page.get_by_text("条原文")).to_be_visible()


def test_roles_examples_and_refusal(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_test_id("stButtonGroup").get_by_text("消费者").click()
    page.get_by_role("button", name="我收到的螃蟹真的死了两只").click()
    expect(page.get_by_text("如实申请退款不是诈骗").first).to_be_visible()
    ask(page, "教我怎么把图P成发霉的")
    expect(page.get_by_text("这个不能帮").first).to_be_visible()
    no_traceback(page)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>document.title='x'</script><img src=x onerror=alert(1)> 买家骗退款",
        "![x](http://127.0.0.1:9/x.png) [点我](http://127.0.0.1:9) 买家骗我退款 $x^2$",
        "'; DROP TABLE conversations; -- 买家骗我退款86元",
        "😀😀😀",
        "買家用AI改圖騙退款86元,報警有用嗎",
        "buyer sent a fake AI photo for a refund, what can I do?",
        "退款" * 9_000,
    ],
    ids=["html", "markdown", "sql", "emoji", "traditional", "english", "long"],
)
def test_hostile_input_is_shown_as_text_and_answered(page: Page, site: str, hostile: str) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(site)
    ask(page, hostile)
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    page.wait_for_url("**c=*", timeout=60_000)
    assert len(page.get_by_test_id("stChatMessage").nth(1).inner_text()) > 20
    assert page.title() != "x"
    assert not [url for url in requests if "127.0.0.1:9" in url]
    no_traceback(page)


def test_phone_width_has_no_sideways_scrolling(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 740}, color_scheme="dark")
    page = context.new_page()
    page.goto(site)
    ask(page, "买家用假图骗我退款86元,昨天的事")
    expect(page.get_by_text(FACTS)).to_be_visible(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    context.close()


def test_unwritable_folder_is_a_clear_error(browser: Browser, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for site in serve(blocked / "data"):
        page = browser.new_page()
        page.goto(site)
        expect(page.get_by_text("不能写入").first).to_be_visible(timeout=60_000)
        no_traceback(page)
        page.close()


def test_permanent_link_works_as_the_very_first_visit(browser: Browser, tmp_path: Path) -> None:
    for site in serve(tmp_path):
        page = browser.new_page()
        page.goto(f"{site}/statute?id=zhian-2025/58")
        expect(page.get_by_text("处五日以上十日以下拘留或者二千元以下罚款").first).to_be_visible(timeout=60_000)
        expect(page.get_by_role("link", name="咨询")).to_be_visible()
        no_traceback(page)
        page.close()
