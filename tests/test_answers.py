from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from advisor import citations
from advisor.answer import Advisor
from advisor.consultation import Consultation, Reply, Turn

ASKED_ON = date(2026, 11, 23)
SCOPE = Path(__file__).parent / "data" / "scope.jsonl"


def ask(advisor: Advisor, question: str, **more: Any) -> Reply:
    return advisor.reply(Consultation(question=question, asked_on=more.pop("asked_on", ASKED_ON), **more))


def cited(reply: Reply) -> dict[tuple[str, str], str]:
    return {(f"{c.law}({c.version})", c.article): c.status for c in reply.citations}


def status(reply: Reply, aspect: str) -> list[str]:
    return [finding.status for finding in reply.findings if finding.aspect == aspect]


CUP = "买家用AI把杯子P出裂纹申请仅退款86元,{day},我有发货视频,能报警吗?"


def test_day_of_conduct_decides_the_version(advisor: Advisor) -> None:
    old = ask(advisor, CUP.format(day="2025-12-31的事"), asked_on=date(2026, 1, 5))
    new = ask(advisor, CUP.format(day="2026-01-01的事"), asked_on=date(2026, 1, 5))
    assert cited(old)["治安管理处罚法(2012修正)", "49"] == "in_force"
    assert "500元以下罚款" in old.answer and "可以并处" in old.answer
    assert cited(new)["治安管理处罚法(2025修订)", "58"] == "in_force"
    assert ("治安管理处罚法(2012修正)", "49") not in cited(new)
    assert "2000元以下罚款(二选一)" in new.answer
    assert "500元以下罚款" not in new.answer.replace("1500", "")


def test_old_conduct_handled_now_gets_both_versions_compared(advisor: Advisor) -> None:
    reply = ask(advisor, CUP.format(day="2025-12-20的事"), asked_on=date(2026, 1, 5))
    assert ("行政处罚法(2021修订)", "37") in cited(reply)
    assert ("治安管理处罚法(2012修正)", "49") in cited(reply)
    assert ("治安管理处罚法(2025修订)", "58") in cited(reply)


def test_six_months_are_counted_to_the_day(advisor: Advisor) -> None:
    last = ask(advisor, CUP.format(day="2026-03-12的事"), asked_on=date(2026, 9, 11))
    late = ask(advisor, CUP.format(day="2026-03-12的事"), asked_on=date(2026, 9, 13))
    assert "2026-09-11" in last.answer
    assert status(last, "administrative") == ["possible"]
    assert status(late, "administrative") == ["unlikely"]
    assert "过期" in late.answer
    assert not any("治安案件" in action.step for action in late.actions)


def test_month_alone_is_a_range(advisor: Advisor) -> None:
    reply = ask(advisor, CUP.format(day="今年3月的事"), asked_on=date(2026, 9, 15))
    assert reply.facts["date"].value == "2026-03-01至2026-03-31"
    assert any("哪一天" in question for question in reply.questions)


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        ("浙江,同一个买家用假图骗了我40单共6200块,算诈骗罪吗?", "likely"),
        ("江苏的买家退回空盒子骗了我4300元", "unlikely"),
        ("买家掉包骗了我4300元", "possible"),
        ("买家P图骗了我86元", "unlikely"),
    ],
)
def test_amount_is_measured_by_province(advisor: Advisor, question: str, verdict: str) -> None:
    assert status(ask(advisor, question), "criminal")[0] == verdict


def test_truthful_consumer_is_not_a_fraudster(advisor: Advisor) -> None:
    reply = ask(advisor, "我收到的螃蟹真的死了两只,商家说我P图要报警,我会坐牢吗?")
    assert reply.facts["role"].value == "consumer"
    assert reply.answer.startswith("**如实申请退款不是诈骗。**")
    assert status(reply, "criminal") == status(reply, "administrative") == ["not_established"]
    assert ("消费者权益保护法(2013修正)", "24") in cited(reply)


def test_both_sides_get_the_same_law(advisor: Advisor) -> None:
    story = "退款时用了假图,骗了86元,2026-11-20的事,算不算诈骗"
    merchant = ask(advisor, f"买家{story}", role="merchant")
    consumer = ask(advisor, f"我{story}", role="consumer")
    for reply in (merchant, consumer):
        assert {("治安管理处罚法(2025修订)", "58"), ("刑法(1997修订)", "266")} <= cited(reply).keys()


def test_age_decides(advisor: Advisor) -> None:
    reply = ask(advisor, "我今年15岁,退款时说书包坏了其实没坏,骗了店家300元,会不会被判刑")
    assert status(reply, "criminal") == ["not_established"]
    assert {("刑法(1997修订)", "17"), ("治安管理处罚法(2025修订)", "12")} <= cited(reply).keys()


@pytest.mark.parametrize(
    ("question", "law", "article"),
    [
        ("58条怎么罚?", "治安管理处罚法(2025修订)", "58"),
        ("AI标识办法什么时候施行?", "人工智能生成合成内容标识办法(2025公布)", "14"),
        ("七天无理由哪些不能退?", "消费者权益保护法(2013修正)", "25"),
        ("民事上欺诈要证明到什么程度?", "民事诉讼法解释(2022修正)", "109"),
    ],
)
def test_rule_question_gets_the_rule_and_no_assessment(advisor: Advisor, question: str, law: str, article: str) -> None:
    reply = ask(advisor, question)
    assert reply.findings == [] and not reply.refused
    assert (law, article) in cited(reply)


def test_cited_article_is_quoted_and_repeal_is_said(advisor: Advisor) -> None:
    reply = ask(advisor, "治安管理处罚法(2012修正)第49条怎么规定的?")
    assert "可以并处五百元以下罚款" in reply.answer
    assert "2026-01-01 起不再适用" in reply.answer


def test_article_that_does_not_exist_or_is_not_held_is_said(advisor: Advisor) -> None:
    assert "没有第一千九百九十九条" in ask(advisor, "民法典第1999条怎么说?").answer
    assert "没有收录" in ask(advisor, "刑法第295条怎么说?").answer


def test_follow_up_changes_the_date_and_keeps_the_story(advisor: Advisor) -> None:
    story = "买家用AI假图骗我退款86元,上周的事,能报警吗"
    first = ask(advisor, story, asked_on=date(2026, 1, 20))
    history = [Turn(role="user", content=story), Turn(role="assistant", content=first.answer)]
    then = ask(advisor, "那如果是去年12月20号的事呢?", history=history, asked_on=date(2026, 1, 20))
    assert then.facts["date"].value == "2025-12-20"
    assert ("治安管理处罚法(2012修正)", "49") in cited(then)
    assert "86元" in then.answer


def test_follow_up_corrects_the_amount(advisor: Advisor) -> None:
    history = [Turn(role="user", content="浙江的买家用假图骗了我7000块,够诈骗罪吗")]
    then = ask(advisor, "不是7000,是700", history=history)
    assert then.facts["amount_yuan"].value == 700
    assert status(then, "criminal") == ["unlikely"]


def test_corrected_fact_changes_the_answer(advisor: Advisor) -> None:
    question = "买家用假图骗我退款86元,昨天的事"
    corrected = ask(advisor, question, corrections={"amount_yuan": 50000, "date": "2025-11-20"})
    assert corrected.facts["amount_yuan"].source == "given"
    assert status(ask(advisor, question), "criminal") == ["unlikely"]
    assert status(corrected, "criminal")[0] == "possible"
    assert ("治安管理处罚法(2012修正)", "49") in cited(corrected)


@pytest.mark.parametrize("line", SCOPE.read_text(encoding="utf-8").splitlines() if SCOPE.exists() else [])
def test_scope(advisor: Advisor, line: str) -> None:
    record = json.loads(line)
    history = [Turn.model_validate(turn) for turn in record.get("history", [])]
    reply = ask(advisor, record["question"], history=history)
    assert reply.refused is record["refused"]
    assert reply.answer


STORIES = [
    CUP.format(day="上周的事"),
    CUP.format(day="2025-11-20的事"),
    "浙江,同一个买家用假图骗了我40单共6200块,算诈骗罪吗?",
    "我收到的螃蟹真的死了两只,商家说我P图要报警,我会坐牢吗?",
    "退回来的是空盒子,4300元的手表",
    "顾客说不赔一千就发抖音曝光,东西没问题",
    "我当时多报了两件,现在怎么办",
    "商家每天打几十个电话骚扰我",
    "我帮群里的人收货退货,一单二十,会不会出事",
    "平台扣了我500块保证金赔给买家",
    "把买家电话挂到网上行不行",
    "有个号码反复下单又不签收,来回运费都是我出",
]


@pytest.mark.parametrize("question", STORIES)
def test_told_conduct_gets_three_findings_and_every_citation_holds(advisor: Advisor, question: str) -> None:
    reply = ask(advisor, question)
    assert {"civil", "administrative", "criminal"} <= {finding.aspect for finding in reply.findings}
    assert len([item for item in reply.retrieved if item.kind == "provision"]) >= 10
    verdicts = citations.check(reply.answer, advisor.library, ASKED_ON)
    assert verdicts
    bad = {"unknown_law", "not_found", "not_held", "paragraph_missing", "misquoted", "title_mismatch", "unclear"}
    assert not [v for v in verdicts if v.status in bad]
    scores = [item.score for item in reply.retrieved]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("question", STORIES)
def test_nothing_is_promised_and_nothing_unfilled(advisor: Advisor, question: str) -> None:
    answer = ask(advisor, question).answer
    assert not re.search(r"(?<!不)(?<!不等于)(?<!未必)(?:保证(?!金)|必定|肯定能|一定会赢|胜率|\d+%的把握)", answer)
    assert not re.search(r"\[\[|\{\{|None|True|False|nan", answer)
    assert answer.count("不是法律意见") == 1


@pytest.mark.parametrize("question", ["", "   ", "\n"])
def test_empty_question_is_asked_for_kindly(advisor: Advisor, question: str) -> None:
    reply = ask(advisor, question)
    assert "还没有写问题" in reply.answer and not reply.refused


def test_too_long_a_question_is_read_as_far_as_the_limit_and_said(advisor: Advisor) -> None:
    reply = ask(advisor, "买家用假图骗我退款86元。" * 3_000)
    assert any("20000" in notice for notice in reply.notices)


def test_template_marks_in_a_question_stay_words(advisor: Advisor) -> None:
    reply = ask(advisor, "买家 {{ 7*7 }} [[民法典 148]] {% for x in y %} 用假图骗我退款86元")
    assert "49" not in reply.facts["amount_yuan"].source
    assert reply.answer


@pytest.mark.parametrize(
    "question",
    [
        "民法典第0条怎么说",
        f"民法典第{'9' * 5_000}条",
        "一" * 20_000,
        "9" * 20_000,
        "148、" * 5_000,
        "3月5日买家骗我退款," * 1_500,
        "买家用假图骗我退款86元,我去派出所报警," * 900,
        "(" * 3_000 + "买家骗我退款" + ")" * 3_000,
        "买家骗我退款\x00\u202e\ud7ff86元",
    ],
    ids=["zero", "digits-article", "numerals", "digits", "list", "dates", "story", "nested", "control"],
)
def test_hostile_text_is_answered(advisor: Advisor, question: str) -> None:
    assert ask(advisor, question).answer


def test_markup_in_a_law_title_never_reaches_the_answer(advisor: Advisor) -> None:
    reply = ask(advisor, "《![x](http://evil.example/a.png)》第5条怎么规定退款")
    assert "evil.example" not in reply.answer + "".join(reply.notices)
