"""``python -m knowledge check`` and ``python -m knowledge show LAW ARTICLE``."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

import settings
from knowledge.library import Library, has_article, load
from knowledge.numerals import article_of, heading
from knowledge.schema import BrokenKnowledge, Ref

app = typer.Typer(help="查看和检查随附的法律知识。", no_args_is_help=True, add_completion=False)


def _load() -> Library:
    try:
        return load()
    except BrokenKnowledge as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command()
def check() -> None:
    """读入全部知识文件并核对每一处引用;有误时给出文件、行号和改法,退出状态为 1。"""
    library = _load()
    typer.echo(
        f"知识完好:{len(library.statutes)} 份法律文件(版本)、{len(library.provisions)} 条条文、"
        f"{len(library.cards)} 张解说卡、{len(library.cases)} 个案例、{len(library.parameters)} 项数值。"
    )


@app.command()
def show(
    law: Annotated[str, typer.Argument(help="法律的简称、全称或别名,例如 治安管理处罚法")],
    article: Annotated[str, typer.Argument(help="条号:58、第五十八条、253之一")],
    on: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="看哪一天有效的版本")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """显示一条法律的原文、版本和施行日期。"""
    library, day = _load(), on.date() if on else settings.today()
    number = article_of(article if article.startswith("第") else f"第{article.removesuffix('条')}条")
    provision = library.resolve(Ref(law=law, article=number), day)
    if provision is None:
        why = _why_missing(library, law, number)
        typer.echo(json.dumps({"error": why}, ensure_ascii=False) if as_json else why, err=not as_json)
        raise typer.Exit(1)
    in_force = provision.in_force(day)
    if as_json:
        record = provision.model_dump(mode="json") | {"as_of": day.isoformat(), "in_force": in_force}
        typer.echo(json.dumps(record, ensure_ascii=False, indent=2))
        return
    span = f"{provision.effective} 起" + (f",{provision.repealed} 起不再适用" if provision.repealed else "")
    state = "" if in_force else f"注意:这一文本在 {day} 不是有效版本。\n"
    typer.echo(
        f"{provision.title}({provision.version}){heading(provision.article)}\n{state}"
        f"施行:{span};来源:{provision.source};核对于 {provision.checked_on},把握:{provision.confidence}"
        f"{';' + provision.note if provision.note else ''}\n\n{provision.text}"
    )


def _why_missing(library: Library, law: str, article: str) -> str:
    versions = library.versions(law)
    if not versions:
        return f"没有收录“{law}”。可用“python -m knowledge check”看收录情况,或换用全称、简称再试。"
    if not any(has_article(statute, article) for statute in versions):
        return f"“{law}”没有{heading(article)}(条号范围:{versions[0].articles or '未核'})。"
    return f"“{law}”有{heading(article)},但本库没有收录它的原文。"


if __name__ == "__main__":
    app()
