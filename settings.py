"""The one reader of the environment, of ``.env`` and of today's date."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).parent


class Settings(BaseSettings):
    """What a user may set through environment variables or ``.env``."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore")

    data_dir: Path = Field(default=ROOT / ".data", description="index, conversations and own documents")
    today: date | None = Field(
        default=None, description="a fixed day instead of the clock, for tests and demonstrations"
    )
    max_question: int = Field(default=20_000, gt=0, description="the longest question accepted, in characters")


@cache
def get() -> Settings:
    """The settings of this process."""
    return Settings()


def today() -> date:
    """The day of asking where none is given: today in China."""
    return get().today or datetime.now(ZoneInfo("Asia/Shanghai")).date()
