"""The facts an answer relied on, where each was read, and a form to correct them."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

import settings
from views.text import plain

ROLES = {"merchant": "商家", "consumer": "消费者", "trainee": "学员"}


STATES: dict[Any, str] = {True: "是", False: "否", "doubted": "只是怀疑"}


UNSET = "(没有说)"


# Fields drawn by name; a day of the conduct is one field, though it is kept as a span.
FIXED = {"role", "date", "amount_yuan", "count", "province"}


def draw_facts(turn: dict[str, Any], facts: dict[str, Any], number: int, library: Any) -> None:
    """The facts relied on, where each was read, and a form to correct them or to add what was not read."""
    with st.expander("我按这些事实回答(不对可以改)", icon=":material/fact_check:"):
        shown = {n: f for n, f in facts.items() if f["value"] is not None}
        st.markdown(
            "\n".join(
                f"- **{_label(turn, name)}**:{plain(_words(name, fact['value']))}——{_source(fact['source'])}"
                for name, fact in shown.items()
            )
        )
        with st.form(f"facts:{number}", border=False):
            changed = _fields(turn, facts, number) | _others(turn, facts, number) | _more(facts, number, library)
            if st.form_submit_button("按改后的事实重新回答", icon=":material/refresh:"):
                turn["corrections"] = turn["corrections"] | changed
                if "role" in changed:
                    turn["role"] = changed["role"]
                turn["reply"] = None
                st.rerun()


def _fields(turn: dict[str, Any], facts: dict[str, Any], number: int) -> dict[str, Any]:
    """Draw the fields; returns what the user changed (None removes a fact)."""
    changed: dict[str, Any] = {}

    def value(name: str) -> Any:
        return facts[name]["value"] if name in facts else None

    one, two = st.columns(2)
    role = one.selectbox(
        "身份", list(ROLES), list(ROLES).index(value("role") or "consumer"), format_func=ROLES.__getitem__
    )
    if role != value("role"):
        changed["role"] = role
    known = value("date") if facts.get("date", {}).get("source") != "assumed" else None
    day = two.date_input("行为日期", _day(known), max_value=settings.today(), key=f"day:{number}")
    if isinstance(day, date) and day != _day(known):
        changed["date"] = day.isoformat()
    amount = one.number_input(
        "涉及金额(元)", min_value=0.0, value=value("amount_yuan"), step=1.0, key=f"amount:{number}"
    )
    if amount != value("amount_yuan"):
        changed["amount_yuan"] = amount
    count = two.number_input("单数", min_value=0, value=value("count"), step=1, key=f"count:{number}")
    if count != value("count"):
        changed["count"] = count
    province = one.text_input("省份", value("province") or "", key=f"province:{number}").strip()
    if province != (value("province") or ""):
        changed["province"] = province or None
    return changed


def _others(turn: dict[str, Any], facts: dict[str, Any], number: int) -> dict[str, Any]:
    """A field for every other fact that was read; emptied, it is removed."""
    changed: dict[str, Any] = {}
    columns = st.columns(2)
    for place, name in enumerate(name for name in facts if name not in FIXED):
        now, column, label = facts[name]["value"], columns[place % 2], _label(turn, name)
        key = f"{name}:{number}"
        picked: Any
        if isinstance(now, bool) or now == "doubted":
            options: list[Any] = [*STATES, None]
            show = lambda v: STATES.get(v, UNSET)  # noqa: E731
            picked = column.selectbox(label, options, options.index(now), format_func=show, key=key)
        elif isinstance(now, int | float):
            picked = column.number_input(label, min_value=0.0, value=float(now), step=1.0, key=key)
            picked = type(now)(picked) if picked is not None else None
        else:
            picked = column.text_input(label, str(now), key=key).strip() or None
        if picked != now or type(picked) is not type(now):
            changed[name] = picked
    return changed


def _more(facts: dict[str, Any], number: int, library: Any) -> dict[str, Any]:
    """What was not read and the user adds."""
    if library is None:
        return {}
    unsaid = {n: s.label for n, s in library.signals.items() if "." not in n and not s.values and n not in facts}
    picked = st.multiselect(
        "还有这些情况(没有读出来的,选上)",
        sorted(unsaid, key=unsaid.__getitem__),
        format_func=unsaid.__getitem__,
        placeholder="输入几个字查找",
        key=f"more:{number}",
    )
    return dict.fromkeys(picked, True)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text.split("至")[0]) if text else None
    except ValueError:
        return None


def _label(turn: dict[str, Any], name: str) -> str:
    return str(turn.get("labels", {}).get(name) or name)


def _words(name: str, value: Any) -> str:
    if name == "role":
        return ROLES.get(value, str(value))
    if isinstance(value, bool) or value == "doubted":
        return STATES[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _source(source: str) -> str:
    if source == "given":
        return "你填写的"
    if source == "assumed":
        return "没有说,先这样假定"
    return f"读自“{plain(source)}”"
