"""``python -m knowledge check`` and ``python -m knowledge show LAW ARTICLE``."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

import typer

import settings
from knowledge import page, report
from knowledge.library import load
from knowledge.numerals import asked_article
from knowledge.schema import BrokenKnowledge

app = typer.Typer(help="查看和检查随附的法律知识。", no_args_is_help=True, add_completion=False)

Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]

_KINDS = {
    "unused": "没有用到的条文",
    "unchecked": "一年没有核对",
    "begins": "将要施行",
    "ends": "将要失效",
    "same_ask": "重复的问法",
}
_TALLIES = {
    "kind": "条文按效力",
    "instrument": "条文按法律",
    "audience": "卡片按读者",
    "aspect": "卡片按方面",
    "topic": "卡片按题目",
    "prevailed": "案例按谁占理",
}
_ROOMS = {"provisions": "条文", "cards": "卡片", "cases": "案例", "values": "数值"}


def _print(record: Any) -> None:
    typer.echo(json.dumps(record, ensure_ascii=False, indent=2))


@app.command()
def check(as_json: Json = False) -> None:
    """读入全部知识文件并核对;有误时给出文件、行号和改法,退出状态为 1。提醒不算错误。"""
    today = settings.today()
    try:
        library = load()
    except BrokenKnowledge as error:
        found = report.Remark("broken", error.path, error.line, error.why)
        if as_json:
            _print({"ok": False, "errors": [_remark(found)], "warnings": [], "counts": {}})
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    errors, warnings, counts = report.errors(library, today), report.warnings(library, today), report.counts(library)
    if as_json:
        found_all = {"errors": [_remark(e) for e in errors], "warnings": [_remark(w) for w in warnings]}
        _print({"ok": not errors, **found_all, "counts": counts})
    else:
        _print_report(errors, warnings, counts)
    if errors:
        raise typer.Exit(1)


def _remark(remark: report.Remark) -> dict[str, Any]:
    return {"kind": remark.kind, "file": str(remark.path), "line": remark.line, "why": remark.why}


def _print_report(errors: list[report.Remark], warnings: list[report.Remark], counts: dict[str, Any]) -> None:
    for name, title in _TALLIES.items():
        typer.echo(f"{title}:{','.join(f'{key} {number}' for key, number in counts[name].items())}")
    for name, title in _ROOMS.items():
        sure = counts["confidence"][name]
        typer.echo(f"{title}的把握:{','.join(f'{level} {sure.get(level, 0)}' for level in ('high', 'medium', 'low'))}")
    for kind, group in groupby(warnings, key=lambda remark: remark.kind):
        typer.echo(f"提醒({_KINDS[kind]}):")
        for remark in group:
            typer.echo(f"  {remark}")
    for error in errors:
        typer.echo(f"知识有误:{error}", err=True)
    sound = "知识完好" if not errors else f"有 {len(errors)} 处要改"
    typer.echo(
        f"{sound}:{counts['statutes']} 份法律文件(版本)、{counts['provisions']} 条条文、{counts['cards']} 张解说卡、"
        f"{counts['cases']} 个案例、{counts['parameters']} 项数值、{counts['rules']} 条规则、"
        f"{counts['questions']} 个问法;{len(warnings)} 条提醒。"
    )


@app.command()
def show(
    law: Annotated[str, typer.Argument(help="法律的简称、全称或别名,可带版本,例如 治安管理处罚法(2012修正)")],
    article: Annotated[str, typer.Argument(help="条号:58、第五十八条、253之一")],
    on: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="看哪一天有效的版本")] = None,
    as_json: Json = False,
) -> None:
    """显示一条法律的原文、效力、沿革、来源,以及用到它的卡片、案例、规则和数值。"""
    try:
        library = load()
    except BrokenKnowledge as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    day = on.date() if on else settings.today()
    ref = page.reference(law, asked_article(article))
    provision = library.resolve(ref, day)
    if provision is None:
        why = page.why_missing(library, ref)
        if as_json:
            _print({"error": why})
        else:
            typer.echo(why, err=True)
        raise typer.Exit(2)
    record = page.record(library, provision, day)
    if as_json:
        _print(record)
    else:
        typer.echo(page.words(provision, record))


if __name__ == "__main__":
    app()
