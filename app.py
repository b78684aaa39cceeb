"""The page: ``streamlit run app.py``. Heavy imports happen behind it, in views/engine.py."""

from __future__ import annotations

import streamlit as st

st.set_page_config(page_title="退有据 · 退款纠纷法律信息", page_icon="⚖️", layout="centered")
st.navigation(
    [
        st.Page("views/consult.py", title="咨询", icon=":material/forum:", default=True),
        st.Page("views/statute.py", title="条文", icon=":material/menu_book:", url_path="statute"),
    ],
    position="top",
).run()
