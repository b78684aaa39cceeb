"""The fixed phrases of prompts/, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROMPTS = Path(__file__).parent.parent / "prompts"


@cache
def words() -> dict[str, Any]:
    """The phrases of prompts/words.yaml."""
    return dict(yaml.safe_load((PROMPTS / "words.yaml").read_text(encoding="utf-8")))


@cache
def refusals() -> dict[str, str]:
    """The refusals of prompts/refusals.yaml, by kind."""
    return dict(yaml.safe_load((PROMPTS / "refusals.yaml").read_text(encoding="utf-8")))
