"""The law by article, with the cards and cases that use it; ``?id=zhian-2025/58`` is an article's permanent link."""

from __future__ import annotations

import streamlit as st

import settings
from knowledge.files import CITE
from knowledge.numerals import heading, sort_key
from views.engine import engine, show_state
from views.provision import draw_provision
from views.text import plain


def main() -> None:
    """Draw the page."""
    st.title("条文")
    current = engine()
    if not show_state(current) or current.advisor is None:
        return
    library = current.advisor.library
    wanted = library.provisions.get(st.query_params.get("id", ""))
    if "id" in st.query_params and wanted is None:
        st.warning("没有收录这一条。可以在下面选法律和条号。")
    names = {s.id: f"{s.short}({s.version})" for s in library.statutes.values()}
    ids = sorted(names, key=names.__getitem__)
    start = ids.index(wanted.statute_id if wanted else "zhian-2025")
    left, right = st.columns([3, 2])
    statute = library.statutes[left.selectbox("法律", ids, start, format_func=names.__getitem__)]
    articles = sorted(statute.texts, key=sort_key)
    place = articles.index(wanted.article) if wanted and wanted.statute_id == statute.id else 0
    article = right.selectbox("条", articles, place, format_func=heading)
    provision = library.provisions[f"{statute.id}/{article}"]
    draw_provision(library, provision, settings.today())
    cards = library.cards_for(provision)
    if cards:
        st.subheader("用到这一条的解说")
        for card in cards[:12]:
            with st.expander(card.title):
                st.markdown(CITE.sub(r"\1", card.short).replace("$", r"\$"))
    cases = list(library.cases_for(provision))
    if cases:
        st.subheader("用到这一条的案例")
        for case in cases[:12]:
            with st.expander(f"{case.title}({case.when})"):
                st.markdown(plain(f"{case.facts}\n{case.outcome}\n{case.lesson}"))


main()
