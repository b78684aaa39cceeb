"""What the rules make of facts, against what the articles say: a table worked out by hand, and fairness."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from advisor import actions, routes
from advisor.consultation import Cited, Consultation, Verdict
from advisor.exposure import assess, lead, statuses
from advisor.facts import FactReader
from advisor.rules import Facts
from knowledge.files import citations
from knowledge.library import Library
from knowledge.schema import Aspect, Ref

TODAY = date(2026, 11, 23)
JUDGED: tuple[Aspect, ...] = ("administrative", "criminal", "civil")


class Row(BaseModel):
    """One line of the table."""

    model_config = ConfigDict(extra="forbid")

    name: str
    facts: dict[str, Any]
    asked_on: date = TODAY
    expect: dict[Aspect, Verdict] = {}
    cites: list[str] = []
    omits: list[str] = []
    says: list[str] = []
    silent: list[str] = []
    elements: dict[str, str] = {}
    ways: dict[str, str] = {}


ROWS = [
    Row.model_validate(row)
    for row in yaml.safe_load((Path(__file__).parent / "data" / "assessments.yaml").read_text(encoding="utf-8"))
]


def facts(library: Library, asked_on: date = TODAY, **known: Any) -> Facts:
    """The facts as set by hand, on a day of conduct unless one is given."""
    corrections = {"date": "2026-11-01", **known}
    consultation = Consultation(question="", corrections=corrections)
    return Facts(library, FactReader(library).read(consultation, asked_on), asked_on)


def written(known: Facts) -> str:
    """All that is said of the facts."""
    found, ways = assess(known), routes.ways(known, [])
    words = [lead(known) or "", *actions.warnings(known)]
    words += [f"{one.headline};{one.turns_on};{one.burden}" for one in found]
    words += [f"{one.name}:{one.why};{one.proof}" for finding in found for one in finding.elements]
    words += [f"{way.why};{way.deadline};{way.bring};{way.cost};{way.ends}" for way in ways]
    words += [f"{one.they}——{one.reply}" for way in ways for one in way.answers]
    words += [f"{step.step}({step.deadline})" for step in actions.steps(known)]
    return "\n".join(words)


def cited(known: Facts) -> list[Cited]:
    """Every provision a finding, a way or a step rests on."""
    found: list[list[Cited]] = [finding.provisions for finding in assess(known)]
    found += [way.provisions for way in routes.ways(known, [])]
    found += [step.provisions for step in actions.steps(known)]
    return [one for provisions in found for one in provisions]


def rests_on(text: str, provisions: list[Cited]) -> bool:
    ref = Ref.parse(text)
    return any(
        one.law == ref.law and one.article == ref.article and ref.version in (None, one.version) for one in provisions
    )


def test_the_table_is_large_and_each_row_says_something() -> None:
    assert len(ROWS) >= 120
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.expect or row.cites or row.omits or row.says or row.silent or row.elements or row.ways, row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_rules_say_what_the_articles_say(library: Library, row: Row) -> None:
    for text in (*row.cites, *row.omits):
        assert library.resolve(Ref.parse(text), row.asked_on), f"{text} is not in the library"
    known = facts(library, row.asked_on, **row.facts)
    found = statuses(known)
    assert {aspect: found.get(aspect) for aspect in row.expect} == row.expect
    provisions, words = cited(known), written(known)
    assert [text for text in row.cites if not rests_on(text, provisions)] == [], "not cited"
    assert [text for text in row.omits if rests_on(text, provisions)] == [], "cited"
    assert [text for text in row.says if text not in words] == [], "not said"
    assert [text for text in row.silent if text in words] == [], "said"
    states: dict[str, str] = {}
    for finding in assess(known):
        for element in finding.elements:
            states.setdefault(element.name, element.state)
    assert {name: states.get(name) for name in row.elements} == row.elements
    fits = {way.name: way.fit for way in routes.ways(known, [])}
    assert {name: fits.get(name) for name in row.ways} == row.ways


def marked(known: Facts) -> list[Ref]:
    """The provisions the short answer, the replies and the warnings cite in running text."""
    texts = [lead(known) or "", *actions.warnings(known)]
    texts += [one.reply for way in routes.ways(known, []) for one in way.answers]
    return [ref for text in texts for ref in citations(text)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_nothing_is_promised(library: Library, row: Row) -> None:
    words = written(facts(library, row.asked_on, **row.facts))
    for promise in ("一定能", "肯定能", "必胜", "必赢", "稳赢", "包赢", "胜诉率", "把握", "%"):
        assert promise not in words


@pytest.mark.parametrize(
    ("day", "asked_on"),
    [
        ("2026-11-01", TODAY),
        ("2026-04-01", date(2026, 4, 14)),
        ("2026-01-10", date(2026, 1, 31)),
        ("2025-12-20", date(2025, 12, 25)),
        ("2025-08-20", date(2025, 8, 25)),
        ("2025-10-10", TODAY),
        ("2022-11-01", TODAY),
    ],
)
@pytest.mark.parametrize(
    "known",
    [
        {"role": "merchant", "claim_false": True, "contradiction": True, "amount_yuan": 500},
        {"role": "merchant"},
        {"role": "consumer", "refund_refused": True},
        {"role": "consumer", "confessed": True},
    ],
    ids=lambda known: "-".join(map(str, known)),
)
def test_what_is_cited_stands_on_its_own_day(library: Library, known: dict[str, Any], day: str, asked_on: date) -> None:
    for name, signal in library.signals.items():
        if "." in name or signal.values:
            continue
        found = facts(library, asked_on, date=day, **known, **({} if name in known else {name: True}))
        assert [str(ref) for ref in marked(found) if not found.standing([ref])] == [], name
        assert all(one.provisions for one in assess(found)), name


# The same conduct told by the merchant, who says the buyer admits it, and by the buyer, who admits it.
TOLD_BY_BOTH: dict[str, dict[str, Any]] = {
    "一张假图": {"claim_false": True, "amount_yuan": 86},
    "AI 假图": {"claim_false": True, "ai_fake": True, "amount_yuan": 6200, "province": "浙江"},
    "没说金额": {"claim_false": True},
    "调包": {"swap": True, "amount_yuan": 1000, "goods_returned": True},
    "空包": {"empty_parcel": True, "amount_yuan": 4300, "province": "江苏"},
    "假单号": {"fake_tracking": True, "amount_yuan": 900},
    "谎称没收到四十单": {"not_received_lie": True, "count": 40, "amount_yuan": 3920},
    "平台判的仅退款": {"claim_false": True, "refund_only": True, "refund_by_platform": True, "amount_yuan": 120},
    "商家同意的": {"claim_false": True, "refund_agreed": True, "amount_yuan": 120},
    "一万二": {"claim_false": True, "amount_yuan": 12_000},
    "巨大": {"claim_false": True, "amount_yuan": 120_000, "province": "湖北"},
    "没骗成": {"claim_false": True, "pending": True, "amount_yuan": 300},
    "撤回": {"claim_false": True, "withdrawn": True, "amount_yuan": 300},
    "已经退钱": {"claim_false": True, "refund_paid_back": True, "amount_yuan": 300},
    "货退了理由不实": {"claim_false": True, "goods_returned": True, "amount_yuan": 300},
    "旧法": {"claim_false": True, "amount_yuan": 300, "date": "2025-11-20"},
    "旧法报过案": {"claim_false": True, "amount_yuan": 300, "date": "2025-11-20", "reported": True},
    "跨新旧法": {"claim_false": True, "amount_yuan": 300, "date": "2025-12-28至2026-01-03"},
    "六个月已过": {"claim_false": True, "amount_yuan": 300, "date": "2026-03-01"},
    "十三岁": {"claim_false": True, "amount_yuan": 300, "age": 13},
    "十五岁": {"claim_false": True, "amount_yuan": 7000, "age": 15},
    "十七岁": {"claim_false": True, "amount_yuan": 12_000, "age": 17},
    "成伙": {"claim_false": True, "group": True, "amount_yuan": 2500},
    "出借账号": {"claim_false": True, "lent_account": True, "amount_yuan": 2500},
    "教人": {"claim_false": True, "teaching": True, "amount_yuan": 2500},
    "编问题要挟": {"claim_false": True, "threat": True, "demanded_yuan": 6000},
    "编理由骗退,顺带拿差评施压": {"claim_false": True, "threat": True, "amount_yuan": 86},
    "编问题要挟三次": {"claim_false": True, "threat": True, "demanded_yuan": 300, "count": 3},
    "知情年久": {"claim_false": True, "amount_yuan": 900, "date": "2022-11-20"},
    "穿过又编理由": {"claim_false": True, "used_return": True, "goods_returned": True, "amount_yuan": 400},
}
# Conduct of one side that nobody need admit, and the fact by which each side tells of it.
SEEN_BY_BOTH: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "公开买家信息": ({"exposed": True}, {"exposed": True}),
    "反复打扰": ({"harassed": True}, {"harassed": True}),
    "旧法时候公开": ({"exposed": True, "date": "2025-12-01"}, {"exposed": True, "date": "2025-12-01"}),
    "接受平台方案": (
        {"refund_only": True, "refund_by_platform": True},
        {"refund_only": True, "refund_by_platform": True},
    ),
    "误退": ({"mistaken_refund": True}, {"mistaken_refund": True}),
    "卖教程": ({"teaching": True}, {"teaching": True}),
    "替人做假": ({"made_tools": True}, {"made_tools": True}),
}


def confessing(told: dict[str, Any]) -> dict[str, Any]:
    """What the buyer says of the same: who confesses does not also say that the reason was false."""
    return {name: value for name, value in told.items() if name != "claim_false"} | {"confessed": True}


PAIRS = {
    **{name: ({**one, "admitted": True}, confessing(one)) for name, one in TOLD_BY_BOTH.items()},
    **SEEN_BY_BOTH,
}


def amounts_to(library: Library, role: str, known: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Aspect, status and provisions of every finding of liability, in order."""
    return sorted(
        (one.aspect, one.status, sorted(f"{p.law}({p.version}) {p.article}" for p in one.provisions))
        for one in assess(facts(library, role=role, **known))
        if one.aspect in JUDGED
    )


@pytest.mark.parametrize(("merchant", "consumer"), PAIRS.values(), ids=PAIRS)
def test_the_same_conduct_amounts_to_the_same_from_either_chair(
    library: Library, merchant: dict[str, Any], consumer: dict[str, Any]
) -> None:
    assert amounts_to(library, "merchant", merchant) == amounts_to(library, "consumer", consumer)
    known = [facts(library, role="merchant", **merchant), facts(library, role="consumer", **consumer)]
    found = [{aspect: status for aspect, status in statuses(one).items() if aspect in JUDGED} for one in known]
    assert found[0] == found[1]
    assert set(found[0]) == set(JUDGED)


@pytest.mark.parametrize(("merchant", "consumer"), list(PAIRS.values())[:24], ids=list(PAIRS)[:24])
def test_each_chair_is_told_what_it_can_do(
    library: Library, merchant: dict[str, Any], consumer: dict[str, Any]
) -> None:
    words = [lead(facts(library, role="merchant", **merchant)), lead(facts(library, role="consumer", **consumer))]
    assert all(words)
    if "age" not in merchant:  # a child's guardian and a merchant are told the same
        assert words[0] != words[1]


@pytest.mark.parametrize("known", [{**one, "admitted": True} for one in TOLD_BY_BOTH.values()], ids=TOLD_BY_BOTH)
def test_a_trainee_hears_what_a_merchant_hears(library: Library, known: dict[str, Any]) -> None:
    assert amounts_to(library, "trainee", known) == amounts_to(library, "merchant", known)


# Ordinary complaints: a right asserted is not an abuse, however it is put.
COMPLAINTS = [
    "收到的草莓一半都发霉了,我想申请仅退款,商家不同意怎么办?",
    "买的玻璃杯到手就是碎的,照片也拍了,能全额退吗?",
    "衣服和详情页颜色差很多,我要求退货退款,运费谁出?",
    "商家拖了十天不退钱,我说再不退就打12315投诉,这样可以吗?",
    "我跟客服讲,不给我退款我就去12315投诉他们,这算不算威胁?",
    "耳机用了三天左耳没声音了,卖家让我自己出运费寄回去检测,合理吗?",
    "买到假鞋了,鉴定也做了,我要求退一赔三,商家说我讹人。",
    "面包吃到一半发现过期了,我想要十倍赔偿,能不能支持?",
    "店家说是新机,结果拿到手激活时间是半年前的,我要三倍赔偿。",
    "我打算写个差评把真实情况讲清楚,商家说写了就告我,我能写吗?",
    "我如实写了差评,卖家打电话让我删,不删不退款,我该怎么办?",
    "螃蟹到了六只死了两只,我只申请了两只的钱,客服非说我P图。",
    "平台系统自动判我的图片是AI生成的,可那就是我用手机拍的原图,怎么申诉?",
    "我没有P图,商家一口咬定是我改的,还说要报警抓我。",
    "孩子的玩具有毒异味,我想退货,商家说拆封了不能退。",
    "七天无理由我第六天就申请了,他们说超过时间了,凭什么?",
    "退货已经签收八天了钱还没到账,我还要等多久?",
    "我寄回去的就是原来那件,仓库却说收到的是空盒,我有寄件视频。",
    "快递显示已签收,可我真的没收到货,申请退款被拒绝了。",
    "少发了一件,客服说我自己弄丢的,我该怎么证明?",
    "我买了五箱牛奶自己家喝,有两箱胀包,商家说我是职业打假人。",
    "根据消费者权益保护法第二十五条,我要求七日内无理由退货,请问商家能以特价为由拒绝吗?",
    "我已固定证据,拟主张退货退款及惩罚性赔偿,不成则向市场监管部门投诉,程序上要注意什么?",
    "依据民法典第五百八十二条,我请求减少价款,商家不理,下一步怎么走?",
    "我做法务的,知道怎么维权,商家虚假宣传,我发了律师函要求三倍赔偿,可以吗?",
    "我一年网购退货比较多,都是尺码不合适,账号被限制了,怎么申诉?",
    "买的护肤品用了过敏,去医院花了四百,能让商家赔吗?",
    "直播间说是纯银的,收到发现是镀的,我想退,主播把我拉黑了。",
    "二手平台买的手机说没拆修,到手发现换过屏,卖家不给退。",
    "商家主动说不用退货直接退款给我,现在又反悔要我把货寄回去,我必须寄吗?",
    "平台判了仅退款给我,卖家天天催我还钱,我没有说过假话,要还吗?",
    "水果坏了一半,商家只肯赔五块钱,我不接受,要求全额退款可以吗?",
    "家具到货有裂纹,卖家要我先给好评才处理,我想直接投诉。",
    "我想把这家店卖过期零食的事情如实发到小红书上提醒别人,会侵权吗?",
    "卖家说再不撤销投诉就起诉我敲诈,可我只是要求退货退款。",
    "商品和描述不符,我选了质量问题退货,商家说我恶意退款,我是不是违法了?",
    "羽绒服充绒量不够,我送检花了三百,要求退货并赔检测费,过分吗?",
    "外卖里吃出头发,我要求退款并赔偿,店家说我碰瓷。",
    "空调装上就不制冷,才买一个月,商家只肯维修不肯退,我能要求退货吗?",
    "收到的手机壳是旧款,发错货了,客服让我将就用,我不想将就,只想退款。",
    "买菜少称了两百克,我让平台退差价,他们说金额太小不处理。",
    "我只是想知道,怎么合法地跟商家要回我的货款?",
    "衣服洗一次就掉色,超过七天了还能退吗?",
    "我跟商家说了,三天内不处理我就向法院起诉,这样说有问题吗?",
    "鱼缸运输途中破了,商家让我找快递,我就想让商家退款,对吗?",
    "药店卖给我的保健品没有批准文号,我要求十倍赔偿,他们报警说我敲诈。",
    "定做的柜子尺寸做错了,商家说定制不退,我能拒收吗?",
    "我拍的照片就是收到时的样子,没有修过,平台为什么不信我?",
]


@pytest.mark.parametrize("question", COMPLAINTS)
def test_a_right_asserted_is_not_an_abuse(library: Library, question: str) -> None:
    read = FactReader(library).read(Consultation(question=question), TODAY)
    assert [name for name in ("confessed", "threat") if name in read and read[name].value] == []
    assert read["role"].value == "consumer"
    blamed = [
        one.headline
        for one in assess(Facts(library, read, TODAY))
        if one.aspect in ("administrative", "criminal") and one.status in ("likely", "possible")
    ]
    assert blamed == []


def test_the_complaints_are_many() -> None:
    assert len(set(COMPLAINTS)) == len(COMPLAINTS) >= 40
