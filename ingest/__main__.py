"""``python -m ingest [PATH…]``: index the shipped knowledge, or a user's own files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

import settings
from ingest.documents import Documents
from ingest.embedder import ModelMissing
from ingest.index import FileReport, IndexUnwritable, changed_files, open_index
from knowledge.library import load
from knowledge.schema import BrokenKnowledge

_errors = Console(stderr=True)


def main(
    paths: Annotated[list[Path] | None, typer.Argument(help="自己的文件或文件夹;不写则处理随附的知识")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="只输出 JSON")] = False,
) -> None:
    """建立或更新索引,逐个文件报告结果;有文件或其中的行被拒时退出状态为 1。"""
    data_dir = settings.get().data_dir
    try:
        reports: Sequence[FileReport]
        with _shown() as progress:
            if paths:
                reports = Documents(data_dir).add(paths, progress)
            else:
                library = load()
                reports = changed_files(library, data_dir)
                open_index(library, data_dir, progress)
    except (BrokenKnowledge, IndexUnwritable, ModelMissing) as error:
        _errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(
            json.dumps({"files": [r.model_dump(exclude_none=True) for r in reports]}, ensure_ascii=False, indent=2)
        )
    else:
        _show(reports)
    raise typer.Exit(1 if any(r.status == "refused" or getattr(r, "refused", 0) for r in reports) else 0)


@contextmanager
def _shown() -> Iterator[Callable[[str, int, int], None]]:
    """A bar with the time left, on stderr; where that is no terminal, a line every tenth of the way."""
    with Progress(console=_errors, transient=True) as bar:
        task, told = bar.add_task("", total=None, visible=False), [0]

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total, visible=True)
            if not _errors.is_terminal and total > 1 and done * 10 // total != told[0]:
                told[0] = done * 10 // total
                left = bar.tasks[0].time_remaining
                rest = f",约剩 {left:.0f} 秒" if left else ""
                _errors.print(f"{stage} {done:,}/{total:,}{rest}", markup=False, highlight=False)

        yield progress


def _show(reports: Sequence[FileReport]) -> None:
    for report in reports:
        if report.status == "refused":
            typer.echo(f"未收录  {report.path}:{report.why}")
        elif report.status == "indexed":
            typer.echo(f"已收录  {report.path}({report.pieces} 段)")
        for warning in report.warnings:
            typer.echo(f"        注意:{warning}")
    counts = {status: sum(r.status == status for r in reports) for status in ("indexed", "unchanged", "refused")}
    typer.echo(
        f"共 {len(reports)} 个文件:收录 {counts['indexed']},未变 {counts['unchanged']},未收录 {counts['refused']}。"
    )


if __name__ == "__main__":
    typer.run(main)
