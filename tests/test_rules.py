"""Days, deadlines and thresholds worked out by hand, and every rule evaluated over many facts."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor import actions, questions, routes
from advisor.consultation import Consultation, Verdict
from advisor.exposure import assess, lead
from advisor.facts import FactReader
from advisor.reckoning import money, plus_months, span
from advisor.rules import Facts
from knowledge.library import Library, load
from knowledge.schema import Ref

TODAY = date(2026, 11, 23)
OLD, NEW = Ref.parse("治安管理处罚法(2012修正) 49"), Ref.parse("治安管理处罚法(2025修订) 58")


def facts(library: Library, asked_on: date = TODAY, **known: Any) -> Facts:
    """The facts as a user would set them by hand; ``date`` is a day or "first至last"."""
    consultation = Consultation(question="", corrections=known)
    return Facts(library, FactReader(library).read(consultation, asked_on), asked_on)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 3, 12), 6, date(2026, 9, 12)),
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
        (date(2025, 12, 31), 6, date(2026, 6, 30)),
        (date(2025, 7, 1), 6, date(2026, 1, 1)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(9999, 12, 31), 6, date.max),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, months: int, then: date) -> None:
    assert plus_months(day, months) == then


@pytest.mark.parametrize(
    ("when", "asked_on", "state", "last"),
    [
        ("2026-03-12", date(2026, 3, 12), "open", "2026-09-11"),
        ("2026-03-12", date(2026, 9, 11), "open", "2026-09-11"),
        ("2026-03-12", date(2026, 9, 12), "open", "2026-09-12"),  # the day of conduct itself does not count
        ("2026-03-12", date(2026, 9, 13), "passed", "2026-09-12"),
        ("2025-11-20", date(2026, 5, 20), "open", "2026-05-20"),
        ("2025-11-20", date(2026, 5, 21), "passed", "2026-05-20"),
        ("2025-08-31", date(2026, 2, 28), "open", "2026-02-28"),
        ("2025-08-31", date(2026, 3, 1), "passed", "2026-02-28"),
        ("2026-03-01至2026-03-31", date(2026, 9, 2), "partly", "2026-09-30"),
        ("2026-03-01至2026-03-31", date(2026, 9, 30), "partly", "2026-09-30"),
        ("2026-03-01至2026-03-31", date(2026, 10, 1), "passed", "2026-09-30"),
        ("2025-01-01至2025-12-31", date(2026, 7, 1), "passed", "2026-06-30"),
    ],
)
def test_the_six_months(library: Library, when: str, asked_on: date, state: str, last: str) -> None:
    context = facts(library, asked_on, date=when).context
    assert (context["six_months"], context["six_months_last"]) == (state, last)


def test_without_a_day_no_deadline_is_made_up(library: Library) -> None:
    context = facts(library).context
    assert (context["six_months"], context["six_months_last"]) == ("open", None)


@pytest.mark.parametrize(
    ("when", "old", "new"),
    [
        ("2025-11-20", True, False),
        ("2025-12-31", True, False),
        ("2026-01-01", False, True),
        ("2026-03-12", False, True),
        ("2025-12-01至2025-12-31", True, False),
        ("2025-12-28至2026-01-03", True, True),
        ("2026-01-01至2026-01-31", False, True),
    ],
)
def test_the_law_is_that_of_the_day_of_the_conduct(library: Library, when: str, old: bool, new: bool) -> None:
    known = facts(library, date=when)
    assert known.in_force(str(OLD)) is old
    assert known.in_force(str(NEW)) is new
    standing = [ref for ref, _ in known.standing([OLD, NEW])]
    assert standing == [ref for ref, stands in ((OLD, old), (NEW, new)) if stands]
    words = str(known.value("penalty()"))
    assert ("500元" in words) is old
    assert ("2000元" in words) is new
    assert ("2026-01-01" in words) is (old and new)


def test_a_comparison_gets_both_versions(library: Library) -> None:
    known = facts(library, date="2026-03-12")
    assert [ref for ref, _ in known.standing([OLD, NEW], compare=True)] == [OLD, NEW]


@pytest.mark.parametrize(
    ("reference", "asked_on", "stands"),
    [
        ("治安管理处罚法(2025修订) 90", date(2025, 12, 31), False),
        ("治安管理处罚法(2025修订) 90", date(2026, 1, 1), True),
        ("网络交易平台规则监督管理办法 19", date(2026, 1, 31), False),
        ("网络交易平台规则监督管理办法 19", date(2026, 2, 1), True),
        ("市场监督管理投诉举报处理办法 17", date(2026, 4, 14), False),
        ("市场监督管理投诉举报处理办法 17", date(2026, 4, 15), True),
    ],
)
def test_a_step_follows_the_law_of_its_own_day(library: Library, reference: str, asked_on: date, stands: bool) -> None:
    known = facts(library, asked_on, date="2025-11-20")
    assert bool(known.standing([Ref.parse(reference)])) is stands


@pytest.mark.parametrize(
    ("province", "place", "amount", "state"),
    [
        (None, None, None, "unknown"),
        (None, None, 2999.99, "below"),
        (None, None, 3000, "in_range"),
        (None, None, 9999, "in_range"),
        (None, None, 10_000, "above"),
        ("浙江", "杭州", 6200, "reaches_local"),
        ("浙江", None, 6000, "reaches_local"),
        ("浙江", None, 5999, "below_local"),
        ("浙江", None, 2999, "below"),
        ("江苏", None, 4300, "below_local"),
        ("江苏", None, 6000, "reaches_local"),
        ("广东", "深圳", 5000, "below_local"),
        ("广东", "深圳", 6000, "reaches_local"),
        ("广东", "汕头", 5000, "reaches_local"),
        ("广东", "汕头", 4000, "reaches_local"),
        ("广东", "汕头", 3999, "below_local"),
        ("广东", None, 5000, "in_range"),
        ("广东", "广东", 5000, "in_range"),
        ("广东", None, 6000, "reaches_local"),
        ("湖北", None, 5000, "reaches_local"),
        ("上海", None, 5000, "in_range"),
        ("西藏", None, 5000, "in_range"),
    ],
)
def test_the_threshold_of_fraud_by_province(
    library: Library, province: str | None, place: str | None, amount: float | None, state: str
) -> None:
    known: dict[str, Any] = {"province": province, "place": place, "amount_yuan": amount}
    found = facts(library, **{name: value for name, value in known.items() if value is not None})
    assert found.context["amount_state"] == state


@pytest.mark.parametrize(("amount", "likely"), [(86, False), (2999, False), (3000, True), (6200, True), (20_000, True)])
def test_below_the_lowest_threshold_no_crime_is_held_out(library: Library, amount: float, likely: bool) -> None:
    known = facts(library, role="merchant", swap=True, amount_yuan=amount, date="2026-11-01", province="浙江")
    crimes = [finding.status for finding in assess(known) if finding.aspect == "criminal"]
    assert crimes
    assert (crimes[0] not in ("unlikely", "not_established")) is (likely and amount >= 6000)
    offences = [finding.status for finding in assess(known) if finding.aspect == "administrative"]
    assert offences[0] in ("possible", "likely")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit.administrative", 6),
        ("limit.rescission", 1),
        ("limit.rescission_long", 5),
        ("limit.civil", 3),
        ("limit.seven_day", 7),
        ("limit.review", 60),
        ("fraud.large", [3000, 10_000]),
        ("fraud.huge", [30_000, 100_000]),
        ("fraud.extreme", 500_000),
        ("telecom_fraud.large", 3000),
        ("extortion.large", [2000, 5000]),
        ("court_fee.small", 50),
        ("age.administrative", 14),
        ("age.criminal", 16),
        ("compensation.multiple", 3),
        ("compensation.minimum", 500),
    ],
)
def test_the_numbers_of_the_law(library: Library, name: str, value: object) -> None:
    assert facts(library, date="2026-03-12").parameter(name) == value


@pytest.mark.parametrize(
    ("day", "base", "serious"),
    [
        (date(2025, 12, 31), ([5, 10], "可以并处", 500), ([10, 15], "可以并处", 1000)),
        (date(2026, 1, 1), ([5, 10], "或者", 2000), ([10, 15], "可以并处", 3000)),
    ],
)
def test_the_penalties_of_either_version(
    library: Library, day: date, base: tuple[list[int], str, int], serious: tuple[list[int], str, int]
) -> None:
    for tier, numbers in (("base", base), ("serious", serious)):
        for part, number in zip(("detention", "relation", "fine"), numbers, strict=True):
            dated = library.parameter(f"penalty.{tier}.{part}", day)
            assert dated is not None
            assert dated.value == number


def test_a_deadline_that_has_passed_is_said_to_have_passed(library: Library) -> None:
    over = facts(library, date="2022-03-12")
    assert "2025-03-12" in str(over.value("civil_words()"))
    assert "已过" in str(over.value("civil_words()"))
    assert "2023-03-12" in str(over.value("rescission_words()"))
    assert "已过" in str(over.value("rescission_words()"))
    ahead = facts(library, date="2026-03-12")
    assert "2029-03-12" in str(ahead.value("civil_words()"))
    assert "已过" not in str(ahead.value("civil_words()"))


@pytest.mark.parametrize(
    ("value", "words"), [(86, "86元"), (86.5, "86.5元"), (6200, "6200元"), (10_000, "1万元"), (500_000, "50万元")]
)
def test_amounts_in_words(value: float, words: str) -> None:
    assert money(value) == words
    assert span([3000, 10_000]) == "3000元至1万元"


def run(known: Facts) -> None:
    """Everything the rules say of these facts; fails on any name or value they can't do with."""
    found = assess(known)
    assert {"civil", "administrative", "criminal"} <= {finding.aspect for finding in found}
    for finding in found:
        assert finding.status in get_args(Verdict)
        assert finding.headline.strip()
    lead(known)
    for file in known.library.rules:
        for said in file.leads:
            if known.value(said.when):
                assert known.words(said.text).strip()
    spoken = [step.step for step in actions.steps(known)] + actions.warnings(known)
    spoken += [finding.headline + finding.turns_on + finding.burden for finding in found]
    spoken += [one.name + one.why + one.proof for finding in found for one in finding.elements]
    for way in routes.ways(known, list(known.library.cases.values())):
        spoken += [way.why, way.deadline, way.bring, way.cost, way.ends, *(one.reply for one in way.answers)]
    for words in spoken:
        assert words.strip() == words and words[0] not in ",,。;;、(", "words were left out"
        assert "None" not in words
        assert "{{" not in words


GIVEN: list[dict[str, Any]] = [
    {},
    {"date": "2026-11-01", "amount_yuan": 86, "count": 1},
    {"date": "2025-12-28至2026-01-03", "amount_yuan": 6200, "province": "浙江", "place": "浙江", "count": 12},
    {"date": "2025-11-20", "amount_yuan": 4300, "province": "江苏", "count": 3, "age": 15},
    {"date": "2026-05-01至2026-05-31", "amount_yuan": 5000, "province": "广东", "place": "汕头", "age": 13},
    {"date": "2026-03-12", "amount_yuan": 600_000, "province": "上海", "place": "上海", "age": 17},
    {"date": "2019-01-01", "amount_yuan": 3000, "province": "西藏"},
]


def signals() -> list[str]:
    return sorted(name for name, signal in load().signals.items() if "." not in name and not signal.values)


@pytest.mark.parametrize("role", ["merchant", "consumer", "trainee"])
@pytest.mark.parametrize("given_facts", GIVEN, ids=lambda known: known.get("date", "nothing"))
def test_every_rule_stands_each_signal_by_itself(library: Library, role: str, given_facts: dict[str, Any]) -> None:
    for name in signals():
        for state in (True, "doubted"):
            known: dict[str, Any] = {"role": role, **given_facts, name: state}
            run(facts(library, **known))


@given(
    st.sampled_from(["merchant", "consumer", "trainee"]),
    st.sampled_from(GIVEN),
    st.dictionaries(st.sampled_from(signals()), st.sampled_from([True, True, False, "doubted"]), max_size=8),
)
def test_every_rule_stands_signals_together(role: str, known: dict[str, Any], said: dict[str, Any]) -> None:
    told = facts(load(), role=role, **known, **said)
    run(told)
    asked = questions.ranked(told)
    assert [one.weight for one in asked] == sorted((one.weight for one in asked), reverse=True)
    assert all(one.text.strip() and "None" not in one.text for one in asked)
