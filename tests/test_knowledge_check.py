"""``python -m knowledge check`` and ``show``: what is wrong on the day, what is worth a look, a page of an article."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import knowledge.__main__ as command
from knowledge import report
from knowledge.library import ROOT, Library

TODAY = date(2026, 11, 23)
CARD = "commentary/police/petty-fraud.md"
LIMITS = "parameters/limits.yaml"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(command.app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def run_json(*arguments: str) -> dict[str, Any]:
    code, out, _ = run(*arguments, "--json")
    assert code == 0
    record: dict[str, Any] = json.loads(out)
    return record


@pytest.fixture
def of_small(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands read the small knowledge."""
    monkeypatch.setattr(command, "load", lambda: Library(small))
    return small


def kinds(small: Path, kind: str, today: date = TODAY) -> list[report.Remark]:
    return [remark for remark in report.warnings(Library(small), today) if remark.kind == kind]


def line(remark: report.Remark) -> str:
    return remark.path.read_text(encoding="utf-8").split("\n")[(remark.line or 0) - 1]


def test_the_shipped_knowledge_passes() -> None:
    code, out, err = run("check")
    assert (code, err) == (0, "")
    assert "知识完好" in out
    record = run_json("check")
    assert record["ok"] and record["errors"] == []
    counts = record["counts"]
    assert counts["provisions"] == sum(counts["instrument"].values()) == sum(counts["kind"].values())
    assert counts["cards"] == sum(counts["topic"].values()) == sum(counts["confidence"]["cards"].values())
    assert counts["cases"] == sum(counts["prevailed"].values())
    assert set(counts["audience"]) == {"merchant", "consumer", "trainee"}
    assert {"civil", "administrative", "criminal", "platform", "aigc"} <= set(counts["aspect"])


def test_a_broken_file_fails_the_check_with_file_line_and_mend(of_small: Path) -> None:
    change(of_small / CARD, "cases: [one-case]", "cases: [no-case]")
    code, out, err = run("check")
    assert (code, out) == (1, "")
    assert "petty-fraud.md 第8行" in err and "knowledge/cases" in err
    code, out, _ = run("check", "--json")
    record = json.loads(out)
    assert code == 1 and not record["ok"]
    assert record["errors"][0]["line"] == 8 and record["errors"][0]["file"].endswith("petty-fraud.md")


def _cites_the_old_act(small: Path) -> None:
    text = (small / CARD).read_text(encoding="utf-8")
    (small / CARD).write_text(text.replace("(2025修订) 58", "(2012修正) 49"), encoding="utf-8")


def test_a_card_of_today_may_not_rest_on_repealed_law_alone(of_small: Path) -> None:
    _cites_the_old_act(of_small)
    code, out, err = run("check")
    assert code == 1 and "有 2 处要改" in out
    assert "petty-fraud.md 第7行" in err and "治安管理处罚法(2025修订) 58" in err and "valid_until" in err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "provisions: [治安管理处罚法(2012修正) 49]",
            "provisions: [治安管理处罚法(2012修正) 49, 治安管理处罚法(2025修订) 58]",
        ),
        ("cases:", "valid_until: 2025-12-31\ncases:"),
    ],
    ids=["beside-its-heir", "of-the-past"],
)
def test_a_card_may_tell_of_old_law(of_small: Path, old: str, new: str) -> None:
    _cites_the_old_act(of_small)
    change(of_small / CARD, old, new)
    assert run("check")[0] == 0


def test_a_rule_may_not_rest_on_repealed_law_alone(small: Path) -> None:
    rules = small / "rules/administrative.yaml"
    change(rules, "(2025修订) 58", "(2012修正) 49")
    found = report.errors(Library(small), TODAY)
    assert [(e.path, "provisions" in line(e)) for e in found] == [(rules, True)]
    assert report.errors(Library(small), date(2025, 12, 31)) == []


def test_provisions_nothing_uses_are_named(small: Path) -> None:
    [old, new] = kinds(small, "unused")
    assert "49" in old.why.split("没有用到")[1].split("、")[-1] or "、49" in old.why
    assert "、58" not in new.why and "、25" not in new.why and "、90" in new.why
    (small / "questions").mkdir()
    asks = "statute: zhian-2025\nasks:\n  90: [派出所不收怎么办, 报案不理我]\n"
    (small / "questions/zhian-2025.yaml").write_text(asks, encoding="utf-8")
    assert "、90" not in kinds(small, "unused")[1].why


@pytest.mark.parametrize("path", [CARD, LIMITS, "cases/one-case.md", "statutes/zhian-2025.md"])
def test_what_was_not_checked_for_a_year_is_named(small: Path, path: str) -> None:
    assert kinds(small, "unchecked") == []
    change(small / path, "checked_on: 2026-11-23", "checked_on: 2025-11-22")
    [remark] = kinds(small, "unchecked")
    assert remark.path == small / path and "2025-11-22" in remark.why


def test_what_begins_and_what_ends_is_named(small: Path) -> None:
    assert kinds(small, "begins") == kinds(small, "ends") == []
    before = date(2025, 12, 1)
    assert {r.path.name for r in kinds(small, "begins", before)} == {"zhian-2025.md", "limits.yaml"}
    assert {r.path.name for r in kinds(small, "ends", before)} == {"zhian-2012.md"}
    change(small / CARD, "cases:", "valid_until: 2026-12-31\ncases:")
    change(small / LIMITS, "effective: 2026-01-01", "effective: 2026-01-01\n        until: 2027-01-01")
    ends = kinds(small, "ends")
    assert {r.path.name for r in ends} == {"petty-fraud.md", "limits.yaml"}
    assert any("valid_until" in line(r) for r in ends) and any("until: 2027" in line(r) for r in ends)


def test_the_same_question_twice_is_named(small: Path) -> None:
    change(small / CARD, "骗退款几天", "骗退款罚多少?")
    (small / "questions").mkdir()
    asks = "statute: zhian-2025\nasks:\n  58: [骗退款要关几天, 骗退款怎么罚]\n  90: [骗退款怎么罚?, 报案不理我]\n"
    (small / "questions/zhian-2025.yaml").write_text(asks, encoding="utf-8")
    card, article = kinds(small, "same_ask")
    assert "骗退款罚多少" in line(card) and "同一张卡片" in card.why
    assert "zhian-2025/90" in article.why and "zhian-2025/58" in article.why


def test_a_page_of_an_article_says_all_we_know() -> None:
    new, old = run_json("show", "治安管理处罚法", "第五十八条"), run_json("show", "治安法(2012修正)", "49")
    assert (new["status"], new["in_force"], old["status"]) == ("in_force", True, "repealed")
    assert (new["previous"][0]["article"], new["next"]) == ("49", None)
    assert (old["next"]["version"], old["next"]["article"], old["next"]["effective"]) == (
        "2025修订",
        "58",
        "2026-01-01",
    )
    assert old["previous"] == []
    assert {"penalty.base.fine"} <= {p["id"] for p in new["parameters"]}
    assert new["cards"] and new["rules"] and old["cases"]
    assert "条号全部重排" in new["file_note"]
    assert {"source", "confidence", "checked_on", "effective", "repealed", "text"} <= set(new)
    code, out, _ = run("show", "治安管理处罚法", "58")
    assert code == 0
    assert new["text"] in out and "现行有效" in out and "第四十九条" in out and new["source"] in out


def test_the_day_chooses_the_version() -> None:
    record = run_json("show", "治安管理处罚法", "12", "--date", "2025-12-31")
    assert (record["version"], record["status"], record["as_of"]) == ("2012修正", "in_force", "2025-12-31")
    assert run_json("show", "治安管理处罚法(2025修订)", "12", "--date", "2025-12-31")["status"] == "not_yet_in_force"


@pytest.mark.parametrize(
    ("article", "is_"),
    [
        ("253之一", "253之一"),
        ("第二百五十三条之一", "253之一"),
        ("266条", "266"),
        ("二百六十六", "266"),
        ("266", "266"),
    ],
)
def test_an_article_may_be_written_any_way(article: str, is_: str) -> None:
    assert run_json("show", "刑法", article)["article"] == is_


def test_a_part_without_a_number_is_found_by_its_name() -> None:
    assert run_json("show", "电信网络诈骗意见", "二(一)")["article"] == "二(一)"


@pytest.mark.parametrize(
    ("law", "article", "hint"),
    [
        ("消费者权益法律", "25", "消费者权益保护法"),
        ("月球法", "1", "python -m knowledge check"),
        ("治安管理处罚法", "500", "1-144"),
        ("治安管理处罚法(2011修正)", "58", "2012修正"),
        ("刑法", "100", "99"),
    ],
)
def test_what_is_unknown_gets_help_and_status_2(law: str, article: str, hint: str) -> None:
    code, out, err = run("show", law, article)
    assert (code, out) == (2, "")
    assert hint in err
    code, out, _ = run("show", law, article, "--json")
    assert code == 2 and hint in json.loads(out)["error"]


EXAMPLE = re.compile(r"<!-- example: knowledge/(\S+) -->\n```\w+\n(.*?\n)```\n", re.S)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CONTRIBUTING.zh-CN.md"])
def test_the_examples_for_contributors_are_sound(name: str, tmp_path: Path) -> None:
    """Every file shown there loads as it stands, with the laws we hold and the numbers its rule asks for."""
    examples = EXAMPLE.findall((ROOT.parent / name).read_text(encoding="utf-8"))
    assert {path.split("/")[0] for path, _ in examples} == {
        "statutes", "commentary", "cases", "parameters", "questions", "lexicon", "rules"
    }  # fmt: skip
    shutil.copytree(ROOT / "statutes", tmp_path / "statutes")
    for path, text in examples:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    library = Library(tmp_path)
    assert report.errors(library, TODAY) == []
    assert library.cards and library.cases and library.parameters and library.asks and library.signals and library.rules
