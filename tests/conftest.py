"""Shared fixtures: the real library, one index and one advisor, with all state under a temporary directory."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# Set before anything reads the settings, so that no test touches a user's own data or the clock.
_STATE = tempfile.mkdtemp(prefix="refund-law-tests-")
os.environ["DATA_DIR"] = _STATE
os.environ["TODAY"] = "2026-11-23"
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)

# No time limits: a slow machine is no bug. The same examples on every run.
hypothesis_settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
hypothesis_settings.load_profile("steady")

import settings  # noqa: E402
from advisor.answer import Advisor  # noqa: E402
from advisor.facts import FactReader  # noqa: E402
from ingest.documents import Documents  # noqa: E402
from ingest.index import Index, open_index  # noqa: E402
from knowledge.library import ROOT, Library, load  # noqa: E402

TODAY = date(2026, 11, 23)

CARD = """---
id: petty-fraud
title: 骗退款怎么罚
audience: [merchant]
aspects: [administrative]
asks: [骗退款罚多少, 骗仅退款会拘留吗, P图骗退款怎么罚, 骗退款几天, 骗退款罚款多少, 骗退款管不管]
provisions: [治安管理处罚法(2025修订) 58]
cases: [one-case]
confidence: high
checked_on: 2026-11-23
---

## 短答

看[[治安管理处罚法(2025修订) 58]]。
"""
CASE = """---
id: one-case
title: 一件案子
date: "2026-03"
place: 浙江
authority: 派出所
methods: [ai_image]
outcome_type: administrative
prevailed: merchant
basis: [治安管理处罚法(2025修订) 58/1]
sources: [https://example.com/]
confidence: low
checked_on: 2026-11-23
---

## 事实

买家用假图退款。

## 结果

拘留。

## 启示

留原图。
"""
PARAMETER = """parameters:
  - id: limit.administrative
    title: 六个月
    unit: month
    values:
      - value: 6
        effective: 2026-01-01
        provision: 治安管理处罚法(2025修订) 25
        reference: 第25条
        confidence: high
        checked_on: 2026-11-23
"""
SIGNAL = """signals:
  - {name: swap, label: 调包, says: [调包]}
"""
RULE = """findings:
  - id: admin.swap
    aspect: administrative
    when: "swap"
    status: possible
    headline: 可能受罚
    provisions: [治安管理处罚法(2025修订) 58]
"""
STATUTES = ("zhian-2012", "zhian-2025")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Where this run keeps its state."""
    return settings.get().data_dir


@pytest.fixture(scope="session")
def library() -> Library:
    """The shipped knowledge."""
    return load()


@pytest.fixture(scope="session")
def index(library: Library, data_dir: Path) -> Index:
    """The index over the shipped knowledge, built once a run."""
    return open_index(library, data_dir)


@pytest.fixture(scope="session")
def advisor(library: Library, index: Index, data_dir: Path) -> Advisor:
    """The advisor as the pages and the terminal have it."""
    return Advisor(library, index, Documents(data_dir))


@pytest.fixture(scope="session")
def reader(library: Library) -> FactReader:
    """The reader of facts."""
    return FactReader(library)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small sound knowledge folder: two versions of one law, and one of every other kind of file."""
    root = tmp_path / "knowledge"
    (root / "statutes").mkdir(parents=True)
    for name in STATUTES:
        shutil.copy(ROOT / "statutes" / f"{name}.md", root / "statutes")
    for path, text in {
        "commentary/police/petty-fraud.md": CARD,
        "cases/one-case.md": CASE,
        "parameters/limits.yaml": PARAMETER,
        "lexicon/facts.yaml": SIGNAL,
        "rules/administrative.yaml": RULE,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root
