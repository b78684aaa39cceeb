"""Draws one article: its exact words, version, days in force, source and other versions."""

from __future__ import annotations

from datetime import date

import streamlit as st

from knowledge.library import Library
from knowledge.numerals import heading
from knowledge.schema import Provision
from views.text import link, plain

CONFIDENCE = {"high": "已用两份以上副本核对", "medium": "只核对过一份文本,以官方公布为准", "low": "没有核对到可靠文本"}


def draw_provision(library: Library, provision: Provision, on: date) -> None:
    """An article with everything a reader needs to trust it."""
    if provision.repealed and provision.repealed <= on:
        state = f":orange[{provision.repealed} 起不再适用]"
    elif on < provision.effective:
        state = f":orange[{provision.effective} 起施行]"
    else:
        state = ":green[现行有效]"
    with st.container(border=True):
        version = f"{provision.version} · {provision.effective} 起施行 · {state}"
        st.markdown(f"**{provision.title}** {heading(provision.article)}  \n{version}")
        st.markdown("\n\n".join(map(plain, provision.text.split("\n"))))
        notes = [CONFIDENCE[provision.confidence], f"核对于 {provision.checked_on}"]
        if provision.note:
            notes.append(provision.note)
        permanent = link(provision.statute_id, provision.article)
        st.caption(f"{';'.join(map(plain, notes))}。 [来源]({provision.source}) · [固定链接]({permanent})")
        statute = library.statutes[provision.statute_id]
        successor = statute.successors.get(provision.article)
        if statute.replaced_by and successor:
            following = library.statutes[statute.replaced_by]
            st.markdown(
                f"由 [{following.short}({following.version}) {successor}]({link(following.id, successor)}) 取代。"
            )
        for other in library.statutes.values():
            if other.replaced_by == provision.statute_id:
                for old, new in other.successors.items():
                    if new == provision.article and old in other.texts:
                        st.markdown(f"此前为 [{other.short}({other.version}) {old}]({link(other.id, old)})。")
