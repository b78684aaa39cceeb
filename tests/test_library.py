"""The shipped knowledge loads whole, and a broken file is refused with its name, its line and what to mend."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from knowledge.library import Library, has_article
from knowledge.schema import BrokenKnowledge, Provision, Ref

CARD = "commentary/police/petty-fraud.md"
OLD, NEW = "statutes/zhian-2012.md", "statutes/zhian-2025.md"
CASE, LIMITS, RULES = "cases/one-case.md", "parameters/limits.yaml", "rules/administrative.yaml"
ASKS = "questions/zhian-2025.yaml"
QUESTIONS = """statute: zhian-2025
asks:
  "23": [骗退款怎么罚, 骗了两百块会拘留吗]
  25: [去年骗的还管吗, 半年前的事还罚吗]
"""


@pytest.fixture
def small(small: Path) -> Path:
    """The small knowledge of all tests, with one file of questions beside."""
    (small / "questions").mkdir()
    (small / ASKS).write_text(QUESTIONS, encoding="utf-8")
    return small


def test_real_knowledge_loads(library: Library) -> None:
    assert len(library.statutes) > 50
    assert len(library.provisions) > 800
    assert library.cards and library.cases and library.parameters and library.signals and library.rules


def test_small_knowledge_is_sound(small: Path) -> None:
    library = Library(small)
    assert [s.version for s in library.versions("治安管理处罚法")] == ["2025修订", "2012修正"]
    assert [card.id for card in library.cards_for(library.provisions["zhian-2025/58"])] == ["petty-fraud"]
    assert [case.id for case in library.cases_for(library.provisions["zhian-2025/58"])] == ["one-case"]


def test_questions_stand_beside_their_article(small: Path) -> None:
    assert Library(small).asks == {
        "zhian-2025/23": ["骗退款怎么罚", "骗了两百块会拘留吗"],
        "zhian-2025/25": ["去年骗的还管吗", "半年前的事还罚吗"],
    }


def test_a_folder_without_questions_is_fine(small: Path) -> None:
    (small / ASKS).unlink()
    (small / "questions").rmdir()
    assert Library(small).asks == {}


Mutate = Callable[[str], str]


def swap(old: str, new: str) -> Mutate:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("path", "change", "marker", "why"),
    [
        pytest.param(NEW, swap('short: "', "short: '"), None, "YAML", id="bad-yaml-in-front-matter"),
        pytest.param(
            "parameters/limits.yaml", swap("unit: month", "unit: [month"), None, "YAML", id="bad-yaml-in-parameters"
        ),
        pytest.param(NEW, swap("issuer:", "isuer:"), "isuer:", "isuer", id="unknown-key-or-missing"),
        pytest.param(
            NEW, swap("confidence: high\n", "confidence: high\ncolour: red\n"), "colour:", "不认识", id="unknown-key"
        ),
        pytest.param(CARD, swap("audience: [merchant]\n", ""), "id: petty", "audience", id="missing-field"),
        pytest.param(CARD, swap("[merchant]", "[shopkeeper]"), "audience:", "audience", id="value-not-allowed"),
        pytest.param(CARD, swap("骗退款几天, 骗退款罚款多少, ", ""), "asks:", "asks", id="too-few-asks"),
        pytest.param(
            CARD,
            swap("provisions: [治安管理处罚法(2025修订) 58]", "provisions: [治安管理处罚法(2025修订) 999]"),
            "provisions:",
            "999",
            id="unknown-citation-in-a-card",
        ),
        pytest.param(
            CARD,
            swap("看[[治安管理处罚法(2025修订) 58]]", "看[[月球法 1]]"),
            "月球法",
            "月球法",
            id="unknown-law-in-text",
        ),
        pytest.param(
            CARD, swap("[[治安管理处罚法(2025修订) 58]]", "[[五十八条]]"), "[[五十八条]]", "写作", id="no-citation"
        ),
        pytest.param(
            CARD, swap("[[治安管理处罚法(2025修订) 58]]", "[[治安管理处罚法(2025修订) 58/2]]"), "58/2", "1 款", id="款"
        ),
        pytest.param(CARD, swap("cases: [one-case]", "cases: [no-case]"), "cases:", "no-case", id="unknown-case"),
        pytest.param(CARD, swap("## 短答", "## 长答"), "## 长答", "短答", id="unknown-heading"),
        pytest.param(CARD, swap("\n## 短答", "\n先说一句\n\n## 短答"), "先说一句", "标题", id="text-before-heading"),
        pytest.param("cases/one-case.md", swap("58/1]", "58/7]"), "58/7", "款", id="wrong-款-in-a-case"),
        pytest.param(
            "cases/one-case.md", swap("## 结果\n\n拘留。", "## 结果"), "## 结果", "没有文字", id="empty-section"
        ),
        pytest.param("cases/one-case.md", swap("---\nid", "id"), None, "---", id="no-front-matter"),
        pytest.param(
            "parameters/limits.yaml",
            swap("治安管理处罚法(2025修订) 25", "治安管理处罚法(2025修订) 7之一"),
            "7之一",
            "7之一",
            id="unknown-citation-of-a-parameter",
        ),
        pytest.param(
            "lexicon/facts.yaml",
            swap("says: [调包]", "says: ['(调包']"),
            "swap",
            "正则",
            id="bad-regular-expression",
        ),
        pytest.param("lexicon/facts.yaml", swap("signals:", "- signals:"), None, "键", id="list-for-mapping"),
        pytest.param("lexicon/facts.yaml", lambda text: "只是一句话\n", None, "键", id="no-mapping"),
        pytest.param(
            "rules/administrative.yaml",
            swap("provisions: [治安管理处罚法(2025修订) 58]", "provisions: [刑法 266]"),
            "刑法 266",
            "刑法 266",
            id="unknown-citation-of-a-rule",
        ),
        pytest.param(NEW, swap("issuer:", "kind: law\nissuer:"), "kind: law", "写了两次", id="key-twice"),
        pytest.param(
            LIMITS,
            swap("    unit: month", "    unit: month\n    unit: day"),
            "unit: day",
            "写了两次",
            id="key-twice-yaml",
        ),
        pytest.param(
            NEW,
            swap("article_notes:", 'article_notes:\n  58: {governs: step}\n  "58": {governs: conduct}'),
            '"58": {governs',
            "写了两次",
            id="number-and-word-are-one-key",
        ),
        pytest.param(NEW, swap("effective: 2026-01-01\n", ""), "id: zhian-2025", "effective:缺少", id="missing-date"),
        pytest.param(
            NEW, swap("effective: 2026-01-01", "effective: 明年一月"), "effective:", "写作 2026-01-31", id="no-date"
        ),
        pytest.param(
            NEW, swap("effective: 2026-01-01", "effective: 2026-02-30"), "2026-02-30", "日历上", id="no-such-day"
        ),
        pytest.param(
            OLD,
            swap("repealed: 2026-01-01", "repealed: 2012-01-01"),
            "repealed:",
            "请核对",
            id="repealed-before-effective",
        ),
        pytest.param(
            OLD, swap("repealed: 2026-01-01\n", ""), "replaced_by:", "就要写 repealed", id="replaced-and-not-repealed"
        ),
        pytest.param(
            OLD,
            swap("repealed: 2026-01-01", "repealed: 2025-12-31"),
            "repealed:",
            "改成同一天",
            id="repealed-before-its-heir-begins",
        ),
        pytest.param(
            OLD,
            swap("replaced_by: zhian-2025\n", ""),
            "repealed:",
            "请写 replaced_by: zhian-2025",
            id="a-later-version-not-named",
        ),
        pytest.param(
            OLD, swap('"49": "58"', '"49": "580"'), "successors:", "改正 successors", id="successor-the-heir-lacks"
        ),
        pytest.param(
            OLD,
            swap("article_notes:", 'article_notes:\n  "49": {repealed: 2012-06-01}'),
            '"49": {repealed',
            "请核对",
            id="article-ends-before-it-begins",
        ),
        pytest.param(NEW, swap("## 第五十九条", "## 第58条"), "## 第58条", "重复", id="article-twice-in-figures"),
        pytest.param(NEW, swap("kind: law", "kind: bill"), "kind:", "其中之一", id="kind-not-allowed"),
        pytest.param(
            CARD, swap("id: petty-fraud", "id: petty"), "id: petty", "改成 petty-fraud", id="id-and-file-name"
        ),
        pytest.param(CARD, swap("[merchant]", "merchant"), "audience:", "列表", id="word-for-list"),
        pytest.param(
            CARD,
            swap("asks: [", f"asks: [{', '.join('甲乙丙丁戊己庚辛壬癸子丑寅卯')}, "),
            "asks:",
            "请删减",
            id="too-many-asks",
        ),
        pytest.param(
            CARD,
            swap("confidence: high", "valid_from: 2026-02-01\nvalid_until: 2026-01-01\nconfidence: high"),
            "valid_until:",
            "请核对",
            id="valid-until-before-valid-from",
        ),
        pytest.param(CASE, swap('date: "2026-03"', 'date: "2026年3月"'), "date:", "写作 2026-03-05", id="case-date"),
        pytest.param(CASE, swap('date: "2026-03"', 'date: "2026-13"'), "date:", "写作 2026-03-05", id="case-month"),
        pytest.param(LIMITS, swap("reference: 第25条", 'reference: ""'), "reference:", "请写上", id="empty-reference"),
        pytest.param(LIMITS, swap("        reference: 第25条\n", ""), "- value: 6", "请补上", id="no-reference"),
        pytest.param(LIMITS, swap("value: 6", "value: 2.5"), "value:", "加引号", id="fraction"),
        pytest.param(
            LIMITS,
            swap("effective: 2026-01-01", "effective: 2026-01-01\n        until: 2025-01-01"),
            "until:",
            "请核对",
            id="until-before-effective",
        ),
        pytest.param(
            LIMITS,
            lambda text: text + text[text.index("      - value") :].replace("2026-01-01", "2026-03-01"),
            "2026-03-01",
            "until: 2026-03-01",
            id="two-values-on-one-day",
        ),
        pytest.param(
            RULES, swap("headline: 可能受罚", "headline: 看[[刑法 266]]"), "刑法 266", "先补上", id="citation-in-a-rule"
        ),
        pytest.param(
            RULES,
            swap("headline: 可能受罚", "headline: \"{{ by_day('治安管理处罚法(2012修正) 900') }}\""),
            "900",
            "先补上",
            id="citation-in-a-template",
        ),
        pytest.param(
            RULES,
            swap("headline: 可能受罚", "headline: \"{{ P('limit.administrativ') }}个月\""),
            "P('limit.administrativ')",
            "改成limit.administrative",
            id="number-there-is-not",
        ),
        pytest.param(RULES, swap('when: "swap"', 'when: "swap and"'), "when:", "swap and", id="broken-expression"),
        pytest.param(
            RULES, swap("headline: 可能受罚", 'headline: "{% if swap %}可能"'), "headline:", "if", id="broken-template"
        ),
        pytest.param(
            ASKS, swap("statute: zhian-2025", "statute: zhian-2031"), "statute:", "不带 .md", id="questions-of-no-law"
        ),
        pytest.param(ASKS, swap('"23":', '"580":'), '"580"', "先补上条文", id="questions-of-no-article"),
        pytest.param(ASKS, swap("25:", "23:"), "23: [去年", "写了两次", id="questions-of-an-article-twice"),
        pytest.param(ASKS, swap(", 骗了两百块会拘留吗", ""), '"23"', "至少要 2 项", id="one-question"),
        pytest.param(ASKS, swap("[去年", "[一, 二, 三, 四, 五, 六, 七, 去年"), "25:", "至多 8 项", id="nine-questions"),
        pytest.param(NEW, swap("## 第五十八条", "## 第九百条"), "## 第九百条", "条号", id="article-the-law-lacks"),
        pytest.param(NEW, swap("## 第五十九条", "## 第五十八条"), "## 第五十八条", "重复", id="article-twice"),
        pytest.param(
            OLD,
            swap("replaced_by: zhian-2025", "replaced_by: zhian-2031"),
            "replaced_by:",
            "zhian-2031",
            id="lost-heir",
        ),
        pytest.param(
            NEW, swap("article_notes:", 'article_notes:\n  "49": {governs: step}'), '"49": {governs', "49", id="note"
        ),
    ],
)
def test_a_broken_file_is_refused_by_name_and_line(
    small: Path, path: str, change: Mutate, marker: str | None, why: str
) -> None:
    text = change((small / path).read_text(encoding="utf-8"))
    (small / path).write_text(text, encoding="utf-8")
    with pytest.raises(BrokenKnowledge) as caught:
        Library(small)
    error = caught.value
    assert error.path == small / path
    assert why in error.why
    assert re.search("请|改|补上|删去|写|应当|应为|检查", error.why), "says what to mend"
    assert error.line is not None, str(error)
    assert str(error).startswith(f"知识文件有误:{small / path} 第{error.line}行")
    if marker:
        assert marker in text.split("\n")[error.line - 1], str(error)


@pytest.mark.parametrize(
    ("path", "copy"),
    [
        (ASKS, "questions/more.yaml"),
        (CARD, "commentary/ai/other.md"),
        (NEW, "statutes/zhian-2026.md"),
        ("cases/one-case.md", "cases/two.md"),
        ("parameters/limits.yaml", "parameters/more.yaml"),
        ("lexicon/facts.yaml", "lexicon/more.yaml"),
        ("rules/administrative.yaml", "rules/more.yaml"),
    ],
)
def test_an_id_used_twice_names_both_files(small: Path, path: str, copy: str) -> None:
    (small / copy).parent.mkdir(exist_ok=True)
    (small / copy).write_bytes((small / path).read_bytes())
    with pytest.raises(BrokenKnowledge, match="重复") as caught:
        Library(small)
    assert Path(path).name in str(caught.value)
    assert Path(copy).name in str(caught.value)
    assert caught.value.line is not None


def _other(small: Path, change: Mutate) -> Path:
    """A third statute file, the new act with a change."""
    path = small / "statutes/zhian-other.md"
    text = (small / NEW).read_text(encoding="utf-8").replace("id: zhian-2025", "id: zhian-other", 1)
    path.write_text(change(text), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "marker", "why"),
    [
        (lambda text: text, "version:", "同一版本"),
        (swap('version: "2025修订"', 'version: "2026修正"'), "effective:", "在同一天都有效"),
        (swap('short: "治安管理处罚法"', 'short: "别的法"'), "治安", "一个名称只能指一部法"),
    ],
    ids=["version-twice", "versions-overlap", "name-of-two-laws"],
)
def test_two_files_that_do_not_agree_are_both_named(small: Path, change: Mutate, marker: str, why: str) -> None:
    path = _other(small, change)
    with pytest.raises(BrokenKnowledge, match=why) as caught:
        Library(small)
    assert {path.name, "zhian-2025.md"} <= {caught.value.path.name, *caught.value.why.replace("/", " ").split()}
    assert marker in caught.value.path.read_text(encoding="utf-8").split("\n")[(caught.value.line or 0) - 1]


def test_versions_may_overlap_where_notes_part_their_articles(small: Path) -> None:
    """An act amended in one article: both files are in force, and each article in one of them."""

    def amended(text: str) -> str:
        front, body = text.split("---\n", 2)[1:]
        article = body.split("## 第五十八条")[1].split("\n## ")[0]
        notes = '\narticle_notes:\n  "58": {effective: 2026-06-01}\n'
        front = front.split("article_notes:")[0].replace('"2025修订"', '"2026修正"').rstrip() + notes
        return f"---\n{front}---\n\n## 第五十八条{article}\n"

    path = _other(small, amended)
    new = small / NEW
    text = new.read_text(encoding="utf-8").replace(
        "article_notes:",
        'replaced_by: zhian-other\nrepealed: 2030-01-01\narticle_notes:\n  "58": {repealed: 2026-06-01}',
        1,
    )
    new.write_text(text.replace('note: "', 'note: "2030-01-01起全部由新文本取代。', 1), encoding="utf-8")
    library = Library(small)
    held = library.resolve(Ref.parse("治安管理处罚法 58"), date(2026, 6, 1))
    assert held is not None and held.statute_id == path.stem
    held = library.resolve(Ref.parse("治安管理处罚法 58"), date(2026, 5, 31))
    assert held is not None and held.statute_id == "zhian-2025"


def test_versions_know_each_other_both_ways(library: Library) -> None:
    old, new = library.statutes["zhian-2012"], library.statutes["zhian-2025"]
    assert library.next(old) == new and library.previous(new) == [old]
    assert library.next(new) is None and library.previous(old) == []
    article = library.provisions["zhian-2012/49"]
    assert library.successor(article) == library.provisions["zhian-2025/58"]
    assert library.predecessors(library.provisions["zhian-2025/58"]) == [article]
    assert library.successor(library.provisions["zhian-2025/58"]) is None


def test_an_article_may_end_before_its_law(library: Library) -> None:
    """The list of cases of 2018 gave way to that of 2025, the rest of the rules stands."""
    listed, rest = (library.provisions[f"hulianwang-fayuan-2018/{article}"] for article in ("2", "11"))
    assert listed.in_force(date(2025, 10, 31)) and not listed.in_force(date(2025, 11, 1))
    assert rest.in_force(date(2025, 11, 1))


def test_a_case_says_how_exact_its_date_is(small: Path) -> None:
    path = small / CASE
    assert Library(small).cases["one-case"].when == "2026-03"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('date: "2026-03"', "date: 2026-03-05\ndate_note: 审理中"), encoding="utf-8")
    assert Library(small).cases["one-case"].when == "2026-03-05(审理中)"
    path.write_text(text.replace('date: "2026-03"', "date: 2026"), encoding="utf-8")
    assert Library(small).cases["one-case"].when == "2026"
    path.write_text(text.replace('date: "2026-03"\n', ""), encoding="utf-8")
    assert Library(small).cases["one-case"].when == "日期未核"


def test_what_is_not_utf8_is_refused_with_its_line(small: Path) -> None:
    (small / CARD).write_bytes((small / CARD).read_bytes().replace("骗退款怎么罚".encode(), "退款".encode("gbk"), 1))
    with pytest.raises(BrokenKnowledge, match="UTF-8") as caught:
        Library(small)
    assert caught.value.path == small / CARD
    assert caught.value.line == 3


def test_the_line_of_a_wrong_value_is_its_own_not_a_namesakes(small: Path) -> None:
    path = small / "parameters/limits.yaml"
    text = path.read_text(encoding="utf-8")
    more = text.replace("parameters:\n", "").replace("limit.administrative", "limit.other")
    path.write_text(text + more.replace("effective: 2026-01-01", "effective: 2026-13-01"), encoding="utf-8")
    with pytest.raises(BrokenKnowledge) as caught:
        Library(small)
    assert "2026-13-01" in path.read_text(encoding="utf-8").split("\n")[(caught.value.line or 0) - 1]


@pytest.mark.parametrize(
    ("law", "article", "has"),
    [
        ("刑法", "452", True),
        ("刑法", "453", False),
        ("刑法", "0", False),
        ("刑法", "253之一", True),
        ("刑法", "253之二", False),
        ("民法典", "1260", True),
        ("民法典", "1261", False),
        ("治安管理处罚法", "144", True),
        ("治安管理处罚法", "145", False),
        ("人工智能生成合成内容标识办法", "14", True),
        ("人工智能生成合成内容标识办法", "15", False),
    ],
)
def test_the_articles_a_law_has(library: Library, law: str, article: str, has: bool) -> None:
    assert has_article(library.versions(law)[0], article) is has


def test_the_former_penalties_act_had_fewer_articles(library: Library) -> None:
    assert has_article(library.statutes["zhian-2012"], "119")
    assert not has_article(library.statutes["zhian-2012"], "120")


def test_two_versions_name_each_other(library: Library) -> None:
    replaced = [statute for statute in library.statutes.values() if statute.replaced_by]
    assert {"zhian-2012", "tousu-2019"} <= {statute.id for statute in replaced}
    for statute in replaced:
        heir = library.statutes[statute.replaced_by or ""]
        assert statute.repealed == heir.effective
        assert all(has_article(heir, article) for article in statute.successors.values())
    new, old = library.versions("治安管理处罚法")[:2]
    assert (new.version, old.version) == ("2025修订", "2012修正")
    assert old.replaced_by == new.id
    assert old.successors["49"] == "58"


def test_any_name_leads_to_the_law(library: Library) -> None:
    for name in ("刑法", "中华人民共和国刑法"):
        assert [s.id for s in library.versions(name)] == ["xingfa-1997"]
    assert library.versions("消法") == library.versions("中华人民共和国消费者权益保护法")
    assert library.versions("没有这部法") == []


def test_a_reference_without_version_means_the_one_of_the_day(library: Library) -> None:
    def version(day: date) -> str | None:
        provision = library.resolve(Ref.parse("治安管理处罚法 12"), day)
        return provision.version if provision else None

    assert version(date(2025, 12, 31)) == "2012修正"
    assert version(date(2026, 1, 1)) == "2025修订"


@pytest.mark.parametrize(
    ("key", "paragraphs"), [("zhian-2025/58", 1), ("xingfa-1997/266", 1), ("zhian-2012/95", 1), ("zhian-2012/99", 2)]
)
def test_an_item_of_a_list_is_no_paragraph(library: Library, key: str, paragraphs: int) -> None:
    provision: Provision = library.provisions[key]
    assert len(provision.paragraphs) == paragraphs
