"""The shipped knowledge loads whole, agrees with what was researched, and a broken file is refused by name and line."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from knowledge.library import ROOT, Library, has_article
from knowledge.numerals import article_of
from knowledge.schema import BrokenKnowledge, Provision, Ref

RESEARCH = ROOT.parent.parent / "shared" / "research"
CARD = "commentary/police/petty-fraud.md"
OLD, NEW = "statutes/zhian-2012.md", "statutes/zhian-2025.md"


def test_real_knowledge_loads(library: Library) -> None:
    assert len(library.statutes) > 50
    assert len(library.provisions) > 800
    assert library.cards and library.cases and library.parameters and library.signals and library.rules


def test_small_knowledge_is_sound(small: Path) -> None:
    library = Library(small)
    assert [s.version for s in library.versions("治安管理处罚法")] == ["2025修订", "2012修正"]
    assert [card.id for card in library.cards_for(library.provisions["zhian-2025/58"])] == ["petty-fraud"]
    assert [case.id for case in library.cases_for(library.provisions["zhian-2025/58"])] == ["one-case"]


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
        pytest.param(CARD, swap("骗退款几天, 骗退款罚款多少", ""), "asks:", "asks", id="too-few-asks"),
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
    assert error.line is not None, str(error)
    assert str(error).startswith(f"知识文件有误:{small / path} 第{error.line}行")
    if marker:
        assert marker in text.split("\n")[error.line - 1], str(error)


@pytest.mark.parametrize(
    ("path", "copy"),
    [
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


def _plain(text: str) -> str:
    """A text without white space and punctuation, in one width."""
    return re.sub(r"[\s\W_]", "", unicodedata.normalize("NFKC", text))


@pytest.mark.skipif(not RESEARCH.is_dir(), reason="研究资料不在仓库里")
def test_every_article_is_word_for_word_what_was_researched(library: Library) -> None:
    researched: dict[tuple[str, str], set[str]] = {}
    for file in ("law_admin_criminal.json", "law_civil_platform_ai.json"):
        for record in json.loads((RESEARCH / file).read_text(encoding="utf-8")):
            law = _plain(record["law"].split("〔")[0])
            place = law, article_of(record["article"].replace(" ", ""))
            researched.setdefault(place, set()).add(_plain(record["text"]))
    compared, wrong = 0, []
    for provision in library.provisions.values():
        texts = researched.get((_plain(provision.title), provision.article))
        if texts is not None:
            compared += 1
            if _plain(provision.text) not in texts:
                wrong.append(provision.key)
    assert wrong == []
    assert compared > 1000


@pytest.mark.parametrize(
    ("key", "paragraphs"), [("zhian-2025/58", 1), ("xingfa-1997/266", 1), ("zhian-2012/95", 1), ("zhian-2012/99", 2)]
)
def test_an_item_of_a_list_is_no_paragraph(library: Library, key: str, paragraphs: int) -> None:
    provision: Provision = library.provisions[key]
    assert len(provision.paragraphs) == paragraphs
