"""The one reader of the environment, of ``.env`` and of today's date."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, HttpUrl, field_validator
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
    chroma_url: HttpUrl | None = Field(
        default=None, description="a Chroma server (http://host:port) instead of a folder, for several app processes"
    )

    embedding_model: str | None = Field(
        default=None, description="a sentence-transformers model (path or name) instead of the shipped one"
    )
    embedding_prompt: str | None = Field(
        default=None, description="words that model wants before a question, where its own settings have none"
    )

    @field_validator("chroma_url", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        """``CHROMA_URL=`` means none, as an empty line in ``.env`` would."""
        return None if value == "" else value


@cache
def get() -> Settings:
    """The settings of this process."""
    return Settings()


def today() -> date:
    """The day of asking where none is given: today in China."""
    return get().today or datetime.now(ZoneInfo("Asia/Shanghai")).date()
