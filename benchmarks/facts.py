"""How well facts are read from labelled stories: ``python -m benchmarks.facts [FILE.jsonl …] [--json] [-v]``.

A story has ``question``, perhaps ``history`` and ``asked_on``, and its labels: ``facts`` (name → value) must be read,
``not`` must not be, ``may`` may or may not; ``loose`` names values that have some room. Other names are not scored,
but for the decisive ones.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import settings
from advisor.consultation import Consultation
from advisor.facts import FactReader
from knowledge.library import load

STORIES = Path(__file__).parents[1] / "tests" / "data" / "stories_a.jsonl"
DECISIVE = (
    *("amount_yuan", "count", "date", "role", "confessed", "claim_false", "ai_fake", "swap", "threat"),
    "goods_returned",
)
OUTCOMES = ("found", "missed", "wrong", "false")
# A loose value may be off by a quarter ("三百多"); a loose day by a month ("半年前").
ROOM, DAYS = 0.25, 31


@dataclass(frozen=True)
class Reading:
    """One label against what was read: ``outcome`` is one of :data:`OUTCOMES`."""

    story: str
    name: str
    outcome: str
    wanted: Any
    read: Any
    source: str


def score(reader: FactReader, story: dict[str, Any]) -> Iterator[Reading]:
    """Every scored fact of one story."""
    asked_on = date.fromisoformat(story["asked_on"]) if "asked_on" in story else settings.today()
    consultation = Consultation(question=story["question"], history=story.get("history", []))
    facts = reader.read(consultation, asked_on)
    told = {name: fact for name, fact in facts.items() if name == "role" or fact.source != "assumed"}
    wanted: dict[str, Any] = story["facts"]
    for name, value in wanted.items():
        fact = told.get(name)
        if fact is None:
            outcome = "missed"
        else:
            outcome = "found" if _same(value, fact.value, name in story.get("loose", [])) else "wrong"
        yield Reading(story["id"], name, outcome, value, fact.value if fact else None, fact.source if fact else "")
    for name in dict.fromkeys([*story.get("not", []), *DECISIVE]):
        fact = told.get(name)
        if name in wanted or name in story.get("may", []) or name == "role" or not fact or not fact.value:
            continue
        yield Reading(story["id"], name, "false", None, fact.value, fact.source)


def figures(readings: list[Reading]) -> dict[str, dict[str, float]]:
    """Counts, precision and recall for every fact and, under "all", together."""
    table: dict[str, dict[str, float]] = {}
    for name in [*sorted({reading.name for reading in readings}), "all"]:
        counts = Counter(r.outcome for r in readings if name in (r.name, "all"))
        read = counts["found"] + counts["wrong"] + counts["false"]
        labelled = counts["found"] + counts["wrong"] + counts["missed"]
        table[name] = {
            **{outcome: counts[outcome] for outcome in OUTCOMES},
            "precision": round(counts["found"] / read, 3) if read else 1.0,
            "recall": round(counts["found"] / labelled, 3) if labelled else 1.0,
        }
    return table


def stories(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """The stories of some files, in order."""
    for path in paths:
        for line in path.read_text(encoding="utf-8-sig").splitlines():
            if line.strip():
                yield json.loads(line)


def main(
    files: Annotated[list[Path] | None, typer.Argument(help="JSONL:question、facts、not、may、loose")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="只输出 JSON")] = False,
    verbose: Annotated[bool, typer.Option("-v", help="逐条列出没读对的")] = False,
) -> None:
    """Print what was found, missed, misread and read without being told, for every fact."""
    reader = FactReader(load())
    readings = [reading for story in stories(files or [STORIES]) for reading in score(reader, story)]
    table = figures(readings)
    failures = [reading for reading in readings if reading.outcome != "found"] if verbose else []
    if as_json:
        result: dict[str, Any] = {"facts": table}
        if verbose:
            result["failures"] = [vars(reading) for reading in failures]
        typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        return
    shown = Table("事实", "对", "漏", "错", "多", "准确", "召回")
    for name, row in table.items():
        shown.add_row(name, *(f"{row[column]:g}" for column in (*OUTCOMES, "precision", "recall")))
    console = Console()
    console.print(shown)
    for r in failures:
        console.print(f"{r.story} {r.name} {r.outcome}:应为 {r.wanted},读成 {r.read}({r.source})", markup=False)


def _same(wanted: Any, read: Any, loose: bool) -> bool:
    if isinstance(wanted, bool | str) and isinstance(read, bool | str):
        if wanted is read or (isinstance(wanted, str) and wanted == read):
            return True
        return loose and (_near(wanted, read) if isinstance(wanted, str) and isinstance(read, str) else bool(read))
    if isinstance(wanted, int | float) and isinstance(read, int | float):
        return abs(wanted - read) <= (ROOM * abs(wanted) if loose else 0.005)
    return False


def _near(wanted: str, read: str) -> bool:
    """Whether two days or spans of days meet, give or take :data:`DAYS`."""
    try:
        (first, last), (start, end) = (
            [date.fromisoformat(day).toordinal() for day in (text.split("至")[0], text.split("至")[-1])]
            for text in (wanted, read)
        )
    except ValueError:
        return False
    return first - DAYS <= end and start <= last + DAYS


if __name__ == "__main__":
    typer.run(main)
