"""``python -m advisor ask|search|batch|check``: the advisor from a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

import settings
from advisor.consultation import Consultation
from knowledge.library import Library, load
from knowledge.schema import BrokenKnowledge, Role

app = typer.Typer(help="退有据:退款纠纷的法律信息。", no_args_is_help=True, add_completion=False)
_errors = Console(stderr=True)
Day = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="行为发生的日期")]
AsJson = Annotated[bool, typer.Option("--json", help="只输出 JSON")]


def _stop(why: str) -> NoReturn:
    _errors.print(why, style="red", markup=False, highlight=False)
    raise typer.Exit(1)


def _library() -> Library:
    try:
        return load()
    except BrokenKnowledge as error:
        _stop(str(error))


def _advisor() -> Any:
    """The advisor, its index built if need be with a progress bar on stderr."""
    library = _library()
    from advisor.answer import Advisor
    from ingest.documents import Documents
    from ingest.index import IndexUnwritable, open_index

    data_dir = settings.get().data_dir
    with Progress(console=_errors, transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total, visible=True)

        try:
            return Advisor(library, open_index(library, data_dir, progress), Documents(data_dir))
        except IndexUnwritable as error:
            _stop(str(error))


@app.command()
def ask(
    question: str,
    role: Annotated[Role | None, typer.Option(help="merchant 商家、consumer 消费者、trainee 学员")] = None,
    on: Day = None,
    asked_on: Annotated[
        datetime | None, typer.Option("--asked-on", formats=["%Y-%m-%d"], help="提问的日期,默认今天")
    ] = None,
    province: Annotated[str | None, typer.Option(help="省份,例如 浙江")] = None,
    as_json: AsJson = False,
) -> None:
    """问一个问题。"""
    consultation = Consultation(
        question=question,
        role=role,
        date=on.date() if on else None,
        asked_on=asked_on.date() if asked_on else None,
        province=province,
    )
    reply = _advisor().reply(consultation)
    if as_json:
        typer.echo(reply.model_dump_json(indent=2))
        return
    Console().print(Markdown(reply.answer))
    for notice in reply.notices:
        _errors.print(f"注意:{notice}", markup=False, highlight=False)


@app.command()
def search(
    query: str,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="最多几条")] = 10,
    on: Day = None,
    as_json: AsJson = False,
) -> None:
    """检索条文、解说和案例。"""
    advisor = _advisor()
    today = settings.today()
    found = advisor.retriever.search(query, on.date() if on else today, today, k=k)
    rows: list[dict[str, Any]] = [
        {
            "kind": "provision",
            "law": p.law,
            "version": p.version,
            "article": p.article,
            "id": p.key,
            "score": s,
            "text": p.text,
        }
        for p, s in found.provisions
    ]
    rows += [{"kind": "commentary", "id": c.id, "score": s, "text": f"{c.title}:{c.short}"} for c, s in found.cards]
    rows += [{"kind": "case", "id": c.id, "score": s, "text": f"{c.title}:{c.outcome}"} for c, s in found.cases]
    rows = [row | {"score": round(row["score"], 4)} for row in sorted(rows, key=lambda row: -row["score"])[:k]]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        name = f"{row['law']}({row['version']}) {row['article']}" if row["kind"] == "provision" else row["id"]
        typer.echo(f"{row['score']:.3f}  {name}\n       {row['text'][:80]}".replace("\n\n", "\n"))
    if not rows:
        typer.echo("没有找到相关内容。")


@app.command()
def batch(
    source: Annotated[Path, typer.Argument(help="每行一个问题的 JSONL", exists=True, dir_okay=False, readable=True)],
    output: Annotated[Path, typer.Option("-o", "--output", help="结果 JSONL")],
) -> None:
    """成批回答;坏的一行在原位给出错误,其余照常,退出状态为 1。"""
    lines = source.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    advisor = _advisor()
    bad = 0
    try:
        with output.open("w", encoding="utf-8") as out, Progress(console=_errors) as bar:
            for record in bar.track(_answers(advisor, lines), total=len(lines), description="回答"):
                if record is None:
                    continue
                bad += "error" in record
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
    except OSError as error:
        _stop(f"结果文件 {output} 不能写入({error.strerror}),请换一个位置。")
    if bad:
        _errors.print(f"{bad} 行有误,见结果里的 error。")
        raise typer.Exit(1)


def _answers(advisor: Any, lines: list[str]) -> Iterator[dict[str, Any] | None]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield None
            continue
        name: Any = number
        try:
            data = json.loads(line)
            if not isinstance(data, dict):
                raise ValueError("不是 JSON 对象")
            name = data.get("id", number)
            yield advisor.reply(Consultation.model_validate(data)).model_dump(mode="json")
        except ValidationError as error:
            first = error.errors()[0]
            yield {"id": name, "error": f"第 {number} 行:{'.'.join(map(str, first['loc']))}:{first['msg']}"}
        except ValueError as error:
            yield {"id": name, "error": f"第 {number} 行不是可用的 JSON:{error}"}


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="要核对引用的文本,- 为标准输入", allow_dash=True)],
    on: Day = None,
    as_json: AsJson = False,
) -> None:
    """逐条核对一份文本里引用的法条;有不成立的,退出状态为 1。"""
    from advisor import citations

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        _stop(f"打不开 {file}({error.strerror})。")
    day: date = on.date() if on else settings.today()
    found = citations.check(text, _library(), day)
    ok = bool(found) and all(verdict.status == "in_force" for verdict in found)
    if as_json:
        verdicts = [v.model_dump(exclude={"replaced_by"} if v.replaced_by is None else None) for v in found]
        typer.echo(json.dumps({"ok": ok, "citations": verdicts}, ensure_ascii=False, indent=2))
    else:
        for v in found:
            typer.echo(f"{v.status:18} {v.text.strip()} {v.why}")
        if not found:
            typer.echo("没有找到引用;没有引用不等于核对通过。")
    raise typer.Exit(0 if ok else 1)


if __name__ == "__main__":
    app()
