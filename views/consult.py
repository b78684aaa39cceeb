"""The consultation: who you are, your question, the answer, the law it cites and the facts it relied on."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import streamlit as st

import settings
from store.conversations import Conversations, Unkept
from views.assessment import draw_findings, draw_ways
from views.engine import Engine, engine, show_state
from views.facts_panel import ROLES, draw_facts
from views.provision import draw_provision
from views.text import linked, plain

EXAMPLES = {
    "merchant": [
        "买家用AI把杯子P出裂纹申请仅退款86元,上周的事,我有发货视频,能报警吗?",
        "退回来的是空盒子,4300元的手表,江苏的买家,怎么办?",
        "平台没问我就判了仅退款,我怎么申诉?",
    ],
    "consumer": [
        "我收到的螃蟹真的死了两只,商家说我P图要报警,我会坐牢吗?",
        "七天无理由哪些商品不能退?",
        "我当时把退款理由填夸大了,现在怎么补救?",
    ],
    "trainee": [
        "新旧治安法对骗退款的处罚有什么区别?",
        "怀疑买家发的是AI假图,客服第一句话怎么说?",
        "欺诈和不当得利,证明标准有什么不同?",
    ],
}


SHOWN = 1_200


@st.cache_resource(show_spinner=False)
def _conversations() -> Conversations:
    return Conversations(settings.get().data_dir)


def conversations() -> Conversations | None:
    """Where conversations are kept; None when they can't be, which the page then says."""
    try:
        return _conversations()
    except Unkept as error:
        st.session_state.unkept = str(error)
        return None


def main() -> None:
    """Draw the page."""
    _restore()
    current = engine()
    st.title("退有据")
    st.caption("退款纠纷的法律信息:商家、消费者看到的是同一部法。本机运行,不联网;只作信息,不是法律意见。")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    role = left.segmented_control("我是", list(ROLES), format_func=ROLES.__getitem__, key="role") or "consumer"
    if right.button("新对话", icon=":material/add:", width="stretch", disabled=not st.session_state.turns):
        _start_anew()
    ready = show_state(current)
    for number, turn in enumerate(st.session_state.turns):
        _draw_turn(current, turn, number, last=number == len(st.session_state.turns) - 1)
    if not st.session_state.turns:
        _draw_examples(role)
    typed = st.chat_input("写下你的事或想问的规则", max_chars=settings.get().max_question, key="typed")
    question = typed or st.session_state.pop("picked", None)
    if question is not None and question.strip():
        st.session_state.turns.append({"question": question, "role": role, "corrections": {}, "reply": None})
        st.rerun()
    if ready and st.session_state.get("unkept"):
        st.warning(st.session_state.unkept, icon=":material/save:")


def _restore() -> None:
    if "turns" in st.session_state:
        return
    st.session_state.setdefault("role", "merchant")
    name = st.query_params.get("c")
    kept = conversations()
    st.session_state.turns = kept.load(name) if kept and name else []
    st.session_state.name = name or uuid.uuid4().hex
    if st.session_state.turns:
        st.session_state.role = st.session_state.turns[-1]["role"]


def _keep() -> None:
    kept = conversations()
    if kept is None:
        return
    try:
        kept.save(st.session_state.name, st.session_state.turns)
        st.query_params["c"] = st.session_state.name
    except Unkept as error:
        st.session_state.unkept = str(error)


def _start_anew() -> None:
    st.session_state.turns = []
    st.session_state.name = uuid.uuid4().hex
    st.query_params.clear()
    st.rerun()


def _draw_examples(role: str) -> None:
    st.subheader("可以这样问", divider="gray")
    for example in EXAMPLES[role]:
        if st.button(example, key=f"example:{example}", width="stretch"):
            st.session_state.picked = example
            st.rerun()


def _draw_turn(current: Engine, turn: dict[str, Any], number: int, last: bool) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        asked = turn["question"]
        st.markdown(plain(asked if len(asked) <= SHOWN else f"{asked[:SHOWN]}……(共 {len(asked)} 字)"))
    with st.chat_message("assistant", avatar=":material/balance:"):
        if turn["reply"] is None:
            _answer(current, turn, number)
        else:
            _draw_reply(current, turn, number, last)


def _answer(current: Engine, turn: dict[str, Any], number: int) -> None:
    """Work out the answer and let it stream in; a failure keeps the question and says so."""
    with st.status("正在查条文、核对日期……", expanded=False) as status:
        while not current.wait(0.2):
            status.update(label=f"{current.stage}……好了就回答")
        if current.advisor is None:
            status.update(label="现在还不能回答,原因见页面上方;问题已保留。", state="error")
            return
        from advisor.consultation import Consultation, Turn

        history = []
        for earlier in st.session_state.turns[:number]:
            history.append(Turn(role="user", content=earlier["question"]))
            if earlier["reply"]:
                history.append(Turn(role="assistant", content=earlier["reply"]["answer"]))
        try:
            reply = current.advisor.reply(
                Consultation(
                    question=turn["question"], role=turn["role"], history=history, corrections=turn["corrections"]
                )
            )
        except Exception as error:  # noqa: BLE001 - the conversation must survive whatever goes wrong
            status.update(
                label=f"这个问题没能答出来({type(error).__name__})。问题已保留,请换个说法再试。", state="error"
            )
            return
        status.update(label=f"已核对 {len(reply.citations)} 条引用", state="complete")
    st.write_stream(_blocks(linked(reply.answer, current.advisor.library, settings.today())))
    turn["reply"] = reply.model_dump(mode="json")
    turn["labels"] = {name: fact.label for name, fact in reply.facts.items()}
    _keep()
    st.rerun()


def _blocks(text: str) -> Iterator[str]:
    yield from re.split(r"(?<=\n\n)", text)


def _draw_reply(current: Engine, turn: dict[str, Any], number: int, last: bool) -> None:
    reply = turn["reply"]
    advisor = current.advisor
    st.markdown(linked(reply["answer"], advisor.library, settings.today()) if advisor else reply["answer"])
    for notice in reply["notices"]:
        st.caption(f":material/info: {plain(notice)}")
    if advisor and reply["citations"]:
        _draw_citations(advisor.library, reply["citations"], number)
    if any(finding["elements"] for finding in reply["findings"]):
        draw_findings(reply["findings"])
    if advisor and reply.get("ways"):
        draw_ways(reply["ways"], advisor.library)
    if last and not reply["refused"] and reply["facts"]:
        draw_facts(turn, reply["facts"], number, advisor.library if advisor else None)


def _draw_citations(library: Any, cited: list[dict[str, Any]], number: int) -> None:
    keys = {}
    for citation in cited:
        statute = next((s for s in library.versions(citation["law"]) if s.version == citation["version"]), None)
        if statute and f"{statute.id}/{citation['article']}" in library.provisions:
            several = len(library.versions(citation["law"])) > 1
            name = f"{citation['law']}{'(' + citation['version'] + ')' if several else ''} {citation['article']}"
            keys[name] = f"{statute.id}/{citation['article']}"
    with st.expander(f"引用的 {len(keys)} 条原文(点条号看原文、版本和施行日期)", icon=":material/menu_book:"):
        chosen = st.pills("条文", list(keys), key=f"cited:{number}", label_visibility="collapsed")
        if chosen:
            draw_provision(library, library.provisions[keys[chosen]], settings.today())


main()
