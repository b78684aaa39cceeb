"""Every citation is judged by itself, on a day, with the first status that fits."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from advisor.__main__ import app
from advisor.citations import Judgement, check
from knowledge.library import ROOT, Library, load

TODAY = date(2026, 11, 23)
FRAUD_58 = "盗窃、诈骗、哄抢、抢夺或者敲诈勒索的,处五日以上十日以下拘留或者二千元以下罚款"


def one(library: Library, text: str, on: date = TODAY) -> Judgement:
    found = check(text, library, on)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("《银河系管理法》第三条", "unknown_law"),
        ("《合同法》第54条", "unknown_law"),
        ("合同法第54条", "unknown_law"),
        ("法释〔2099〕99号第三条", "unknown_law"),
        ("刑法修正案(十一)第3条", "unknown_law"),
        ("食品安全法实施条例第3条", "unknown_law"),
        ("电信网络诈骗意见(三)第3条", "unknown_law"),
        ("《刑法》第453条", "not_found"),
        ("《刑法》第二百五十三条之九", "not_found"),
        ("治安管理处罚法第145条", "not_found"),
        ("《刑法》第一百条", "not_held"),
        ("刑法第266条", "in_force"),
        ("《中华人民共和国刑法》第二百六十六条", "in_force"),
        ("《刑法》第二百五十三条之一", "in_force"),
        ("刑法266", "in_force"),
        ("《治安管理处罚法》第五十八条", "in_force"),
        ("《治安管理处罚法》(2025年修订)第五十八条", "in_force"),
        ("治安管理处罚法2025修订第58条", "in_force"),
        ("《治安管理处罚法》(2012年修正)第四十九条", "repealed"),
        ("《治安管理处罚法(2012修正)》第49条", "repealed"),
        ("2012年修正的治安管理处罚法第49条", "repealed"),
        ("市场监督管理投诉举报处理暂行办法第15条", "repealed"),
        ("民法典第148条第一款", "in_force"),
        ("民法典第148条第三款", "paragraph_missing"),
        ("治安管理处罚法第五十八条第二款", "paragraph_missing"),
        ("《治安管理处罚法》第二十条第(三)项", "in_force"),
        ("诈骗刑事案件解释(法释〔2011〕7号)第一条", "in_force"),
        ("诈骗刑事案件解释(法释〔2013〕10号)第一条", "title_mismatch"),
        ("《关于办理诈骗刑事案件的解释》(法释〔2013〕10号)第一条", "title_mismatch"),
        ("《关于办理诈骗刑事案件的解释》(法释〔2011〕7号)第一条", "in_force"),
        ("《民法典》(2018修正)第148条", "title_mismatch"),
        ("依照电信网络诈骗意见二(一)", "in_force"),
        ("第58条规定了处罚", "unclear"),
        ("该法第三条", "unclear"),
    ],
)
def test_status(library: Library, text: str, status: str) -> None:
    verdict = one(library, text)
    assert verdict.status == status, verdict
    assert verdict.why


@pytest.mark.parametrize(
    ("text", "on", "status"),
    [
        ("人工智能生成合成内容标识办法第十条", date(2025, 8, 31), "not_yet_in_force"),
        ("人工智能生成合成内容标识办法第十条", date(2025, 9, 1), "in_force"),
        ("治安管理处罚法(2025修订)第58条", date(2025, 12, 31), "not_yet_in_force"),
        ("治安管理处罚法(2025修订)第58条", date(2026, 1, 1), "in_force"),
        ("治安管理处罚法第49条", date(2025, 12, 31), "in_force"),
        ("治安管理处罚法(2012修正)第49条", date(2026, 1, 1), "repealed"),
        ("市场监督管理投诉举报处理办法第17条", date(2026, 4, 14), "not_yet_in_force"),
        ("市场监督管理投诉举报处理办法第17条", date(2026, 4, 15), "in_force"),
        ("治安管理处罚法第58条,诈骗的处拘留或者二千元以下罚款", date(2025, 6, 1), "not_yet_in_force"),
    ],
)
def test_status_is_of_the_day(library: Library, text: str, on: date, status: str) -> None:
    assert one(library, text, on).status == status


@pytest.mark.parametrize(
    ("text", "on", "status"),
    [
        ("《银河系管理法》(法释〔2099〕9号)第3条第九款", TODAY, "unknown_law"),
        ("诈骗刑事案件解释(法释〔2013〕10号)第99条", TODAY, "not_found"),
        ("治安管理处罚法(2012修正)第30条第九款", TODAY, "not_held"),
        ("人工智能生成合成内容标识办法第10条第九款", date(2025, 1, 1), "not_yet_in_force"),
        ("治安管理处罚法(2012修正)第49条第九款", TODAY, "repealed"),
        ("民法典第148条第三款规定:“合同当然无效并且三倍赔偿损失。”", TODAY, "paragraph_missing"),
        ("诈骗刑事案件解释(法释〔2013〕10号)第一条规定:“诈骗一元以上的一律判处死刑立即执行。”", TODAY, "misquoted"),
    ],
)
def test_of_several_the_first_status_is_given(library: Library, text: str, on: date, status: str) -> None:
    assert one(library, text, on).status == status


@pytest.mark.parametrize(
    "text",
    [
        "根据治安管理处罚法第49条,买家骗取退款属于诈骗,可以处五日以上十日以下拘留。",
        "对骗退款的买家,依《治安管理处罚法》第四十九条拘留。",
        "《治安管理处罚法》第四十九条:盗窃、诈骗、敲诈勒索的,可以并处五百元以下罚款",
    ],
)
def test_the_former_article_on_fraud_is_seen_by_what_is_said_of_it(library: Library, text: str) -> None:
    verdict = one(library, text)
    assert (verdict.version, verdict.article, verdict.status) == ("2012修正", "49", "repealed")
    assert verdict.replaced_by is not None
    assert "2025修订" in verdict.replaced_by
    assert "五十八条" in verdict.replaced_by


@pytest.mark.parametrize(
    ("text", "articles"),
    [
        ("依据《刑法》第266条、第274条处理", ["266", "274"]),
        ("刑法266、274条", ["266", "274"]),
        ("《民法典》第148、152条", ["148", "152"]),
        ("民法典第一百四十八条、第一百五十二条和第一百五十七条", ["148", "152", "157"]),
        ("《民法典》第一百四十八条和一百五十二条", ["148", "152"]),
        ("《刑法》第266条,该法第274条", ["266", "274"]),
        ("《刑法》第266条。第274条也一样", ["266", "274"]),
        ("民法典第148条至第152条", ["148", "152"]),
        ("法释〔2011〕7号第1条、第2条", ["1", "2"]),
        ("《民法典》合同编第577条", ["577"]),
        ("《刑法》规定,第266条", ["266"]),
    ],
)
def test_one_entry_an_article_in_order(library: Library, text: str, articles: list[str]) -> None:
    found = check(text, library, TODAY)
    assert [verdict.article for verdict in found] == articles
    assert {verdict.status for verdict in found} == {"in_force"}


@pytest.mark.parametrize(
    ("text", "law"),
    [
        ("法释〔2011〕7号第一条", "诈骗刑事案件解释"),
        ("法释(2013)10号第一条", "敲诈勒索刑事案件解释"),
        ("国务院令第481号第13条", "诉讼费用交纳办法"),
        ("国信办通字〔2025〕2号第十条", "人工智能生成合成内容标识办法"),
        ("市场监管总局令第121号第十七条", "市场监督管理投诉举报处理办法"),
        ("国家市场监督管理总局令第121号第十七条", "市场监督管理投诉举报处理办法"),
        ("令第116号第十九条", "网络交易平台规则监督管理办法"),
        ("主席令第四十五号第148条", "民法典"),
        ("消法第55条", "消费者权益保护法"),
        ("《最高人民法院关于适用〈中华人民共和国民法典〉总则编若干问题的解释》第二十一条", "民法典总则编解释"),
        ("《最高人民法院关于适用《中华人民共和国民法典》总则编若干问题的解释》第二十一条", "民法典总则编解释"),
        ("《最高人民法院 最高人民检察院关于办理诈骗刑事案件具体应用法律若干问题的解释》第一条", "诈骗刑事案件解释"),
    ],
)
def test_a_law_is_known_by_any_of_its_names(library: Library, text: str, law: str) -> None:
    verdict = one(library, text)
    assert (verdict.law, verdict.status) == (law, "in_force")


@pytest.mark.parametrize(
    ("quote", "status"),
    [
        (f"规定:“{FRAUD_58}”", "in_force"),
        (f"的规定,“{FRAUD_58.replace(',', '，')}”", "in_force"),
        (f"规定:「{FRAUD_58}」", "in_force"),
        ("规定:“盗窃、诈骗……处五日以上十日以下拘留或者二千元以下罚款”", "in_force"),
        ("规定:“诈骗的,处三十日以上拘留,并处五万元罚款”", "misquoted"),
        ('规定:"诈骗的,处三十日以上拘留,并处五万元罚款"', "misquoted"),
        (",“盗窃、诈骗、哄抢、抢夺的,一律处十五日拘留并处五千元罚款”", "misquoted"),
        (f"规定:“{FRAUD_58.replace('二千元', '五百元')}”", "misquoted"),
        (",商家说“你这是诈骗罪要坐牢三年以上的”", "in_force"),
    ],
)
def test_words_in_quotation_marks_are_compared(library: Library, quote: str, status: str) -> None:
    assert one(library, f"《治安管理处罚法》第五十八条{quote}。").status == status


def test_a_quote_belongs_to_the_article_named_last_before_it(library: Library) -> None:
    text = "《民法典》第148条可以撤销,第577条规定:“当事人一方不履行合同义务或者履行合同义务不符合约定的,应当承担"
    found = check(text + "继续履行、采取补救措施或者赔偿损失等违约责任。”", library, TODAY)
    assert [verdict.status for verdict in found] == ["in_force", "in_force"]


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("《刑法》第266条和《民法典》第9999条", ["in_force", "not_found"]),
        ("民法典第148条、合同法第54条", ["in_force", "unknown_law"]),
        ("民法典第148条、劳动合同法第6条", ["in_force", "unknown_law"]),
        ("刑法第266条、第999条、第274条", ["in_force", "not_found", "in_force"]),
        ("民法典第148条\n第6条", ["in_force", "unclear"]),
    ],
)
def test_one_true_citation_excuses_no_false_one(library: Library, text: str, statuses: list[str]) -> None:
    assert [verdict.status for verdict in check(text, library, TODAY)] == statuses


@pytest.mark.parametrize(
    "text",
    [
        "",
        "买家退了3件,赔了三千元。",
        "刑法三大原则",
        "刑法六种情形",
        "根据刑法,三千元以上",
        "民法典规定了三年时效",
        "《红楼梦》第三回",
        "民法典第三编合同,民法典第3编",
    ],
)
def test_what_cites_nothing_gives_nothing(library: Library, text: str) -> None:
    assert check(text, library, TODAY) == []


@given(st.text(alphabet="刑法民典第条款项之一二百0123456789《》“”()〔〕、,。和至号法释 \n治安管理处罚", max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    for verdict in check(text, load(), TODAY):
        assert verdict.article
        assert verdict.text == verdict.text.strip()


def run(path: Path, *more: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["check", str(path), "--json", *more])
    return result.exit_code, json.loads(result.stdout)


def test_command_passes_what_is_right(tmp_path: Path) -> None:
    file = tmp_path / "good.md"
    file.write_text("依据《刑法》第266条、第274条。", encoding="utf-8")
    status, report = run(file)
    assert status == 0
    assert report["ok"] is True
    assert [set(entry) for entry in report["citations"]] == [{"text", "law", "version", "article", "status", "why"}] * 2


def test_command_fails_what_is_wrong_and_names_the_successor(tmp_path: Path) -> None:
    file = tmp_path / "bad.md"
    file.write_text("《刑法》第266条。《治安管理处罚法》第49条,诈骗的处拘留。", encoding="utf-8")
    status, report = run(file)
    assert status == 1
    assert report["ok"] is False
    assert [entry["status"] for entry in report["citations"]] == ["in_force", "repealed"]
    assert "五十八条" in report["citations"][1]["replaced_by"]
    assert run(file, "--date", "2025-12-31")[0] == 0


def test_command_does_not_pass_a_text_without_citations(tmp_path: Path) -> None:
    file = tmp_path / "none.md"
    file.write_text("请尽快退款。", encoding="utf-8")
    assert run(file) == (1, {"ok": False, "citations": []})


def test_command_says_when_there_is_no_such_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(tmp_path / "gone.md"), "--json"])
    assert result.exit_code == 1
    assert result.stdout == ""


@pytest.mark.parametrize("module", ["advisor", "knowledge"])
def test_checking_loads_no_model_and_no_vector_store(module: str, tmp_path: Path) -> None:
    file = tmp_path / "text.md"
    file.write_text("《刑法》第266条", encoding="utf-8")
    arguments = [module, "check", *([str(file), "--json"] if module == "advisor" else [])]
    code = (
        "import runpy, sys\n"
        f"sys.argv = {arguments!r}\n"
        "try:\n"
        f"    runpy.run_module({module!r}, run_name='__main__', alter_sys=True)\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print(sorted({'torch', 'chromadb', 'sentence_transformers', 'streamlit'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stderr.strip() == "[]"
    if module == "advisor":
        assert json.loads(done.stdout)["ok"] is True
