"""Loads the advisor behind the page: the first visitor sees the page at once and the progress of the rest."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

import settings

if TYPE_CHECKING:
    from advisor.answer import Advisor


@dataclass
class Engine:
    """The advisor once it is ready; until then what is being done, and if it failed, why."""

    stage: str = "正在启动"
    share: float = 0.0
    advisor: Advisor | None = None
    error: str | None = None
    _thread: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> Engine:
        """Begin loading in a thread of its own."""
        self._thread = threading.Thread(target=self._load, name="engine", daemon=True)
        self._thread.start()
        return self

    def wait(self, seconds: float) -> bool:
        """Wait for the loading to end, well or badly; False when it goes on."""
        assert self._thread is not None
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _progress(self, stage: str, done: int, total: int) -> None:
        self.stage, self.share = stage, done / total if total else 0.0

    def _load(self) -> None:
        try:
            self.stage = "正在读入法律知识"
            from advisor.answer import Advisor
            from advisor.consultation import Consultation
            from ingest.documents import Documents
            from ingest.index import open_index
            from knowledge.library import load

            library = load()
            data_dir = settings.get().data_dir
            advisor = Advisor(library, open_index(library, data_dir, self._progress), Documents(data_dir))
            advisor.reply(Consultation(question="昨天买家骗我退款86元"))
            self.advisor = advisor
        except Exception as error:  # noqa: BLE001 - whatever it is, the page must say it instead of breaking
            self.error = str(error) or type(error).__name__


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The one engine of this server."""
    return Engine().start()


@st.fragment(run_every=0.5)
def _watch(current: Engine) -> None:
    if current.advisor or current.error:
        st.rerun()
    st.progress(current.share, text=f"{current.stage}……(可以先写问题)")


def show_state(current: Engine) -> bool:
    """Draw the progress or the error; True when the advisor is ready."""
    if current.error:
        st.error(f"启动没有成功:{current.error}", icon=":material/error:")
        if st.button("再试一次"):
            engine.clear()
            st.rerun()
        return False
    if current.advisor is None:
        _watch(current)
        return False
    return True
