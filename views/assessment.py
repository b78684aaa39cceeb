"""Draws what an answer rests on: each element with its evidence, and the ways out with what may be said on them."""

from __future__ import annotations

from typing import Any

import streamlit as st

import settings
from advisor.words import words
from views.text import linked, plain

STATUSES = {
    "likely": "red",
    "possible": "orange",
    "unlikely": "green",
    "not_established": "green",
    "information": "gray",
}
STATES = {
    "supported": ":material/check_circle:",
    "disputed": ":material/balance:",
    "unknown": ":material/help:",
    "absent": ":material/cancel:",
}
FITS = {"fits": "green", "perhaps": "orange", "unfit": "gray"}


def draw_findings(findings: list[dict[str, Any]]) -> None:
    """Every finding, each element with its state, why, and what would settle it."""
    with st.expander("逐项对照:法律要什么,现在有什么,还差什么证据", icon=":material/checklist:"):
        for finding in findings:
            status = f":{STATUSES[finding['status']]}[{words()['states'][finding['status']]}]"
            st.markdown(f"**{words()['aspects'][finding['aspect']]}** · {status}:{_safe(finding['headline'])}")
            if finding["burden"]:
                st.caption(f"谁来证明:{plain(finding['burden'])}")
            lines = []
            for element in finding["elements"]:
                state = words()["element_states"][element["state"]]
                lines.append(
                    f"- {STATES[element['state']]} **{plain(element['name'])}**({state}):{plain(element['why'])}"
                    f"  \n  靠这些弄清:{plain(element['proof'])}"
                )
            if lines:
                st.markdown("\n".join(lines))


def draw_ways(ways: list[dict[str, Any]], library: Any) -> None:
    """The ways out, one tab each."""
    with st.expander("几条路并排看:期限、带什么、对方会怎么说", icon=":material/alt_route:"):
        for tab, way in zip(st.tabs([way["name"] for way in ways]), ways, strict=True):
            with tab:
                st.markdown(f":{FITS[way['fit']]}[{words()['fits'][way['fit']]}]:{_safe(way['why'])}")
                rows = [("最后日期", way["deadline"]), ("带什么", way["bring"]), ("花费", way["cost"])]
                rows.append(("多半怎么收场", way["ends"]))
                st.markdown("\n".join(f"- **{name}**:{_safe(text)}" for name, text in rows))
                for one in way["answers"]:
                    st.markdown(f"> 对方说“{plain(one['they'])}”  \n> 可以答:{_linked(one['reply'], library)}")
                for case in way["cases"]:
                    st.caption(f"见过的一件:{plain(case['title'])}({words()['prevailed'][case['prevailed']]})")


def _safe(text: str) -> str:
    return text.replace("$", r"\$").replace("![", r"!\[")


def _linked(text: str, library: Any) -> str:
    return linked(text, library, settings.today())
