"""Conversations kept on this machine, so that reloading the page loses nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, String, Text, create_engine, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Unkept(Exception):
    """A conversation could not be read or written; the message says what to do."""


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    turns: Mapped[str] = mapped_column(Text)


class Conversations:
    """Conversations by id, each a list of JSON-ready turns."""

    def __init__(self, data_dir: Path) -> None:
        self._url = f"sqlite:///{data_dir / 'conversations.db'}"
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(self._url)
            _Base.metadata.create_all(self._engine)
        except (OSError, SQLAlchemyError) as error:
            raise Unkept(f"对话不能保存到 {data_dir}(请检查磁盘空间和权限);本页关掉之前仍可继续问。") from error

    def save(self, name: str, turns: list[dict[str, Any]]) -> None:
        """Keep the turns of a conversation, replacing what was kept; raises :class:`Unkept`."""
        row = _Row(id=name, saved_at=datetime.now(UTC), turns=json.dumps(turns, ensure_ascii=False))
        try:
            with Session(self._engine) as session:
                session.merge(row)
                session.commit()
        except SQLAlchemyError as error:
            raise Unkept("对话没能保存(请检查磁盘空间和权限);本页关掉之前仍可继续问。") from error

    def load(self, name: str) -> list[dict[str, Any]]:
        """The turns of a conversation; none when it is unknown or unreadable."""
        try:
            with Session(self._engine) as session:
                row = session.scalar(select(_Row).where(_Row.id == name))
            turns = json.loads(row.turns) if row else []
        except (SQLAlchemyError, ValueError):
            return []
        return turns if isinstance(turns, list) else []

    def delete(self, name: str) -> None:
        """Forget a conversation for good; raises :class:`Unkept`."""
        try:
            with Session(self._engine) as session:
                session.execute(delete(_Row).where(_Row.id == name))
                session.commit()
        except SQLAlchemyError as error:
            raise Unkept("对话没能删除(请检查磁盘权限)。") from error
