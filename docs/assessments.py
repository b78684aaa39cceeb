"""Writes the assessments of a dozen stories in full: ``python -m docs.assessments`` → docs/assessments.md."""

from __future__ import annotations

import json
from pathlib import Path

import settings
from advisor.answer import Advisor
from advisor.consultation import Consultation, Reply
from advisor.words import words
from ingest.index import open_index
from knowledge.library import load

HERE = Path(__file__).parent


def main() -> None:
    """Answer each story of docs/stories.jsonl and write what the answer rests on beside it."""
    library = load()
    advisor = Advisor(library, open_index(library, settings.get().data_dir))
    parts = ["# 十二个故事的完整评估\n\n由 `python -m docs.assessments` 生成,没有模型,没有网络。\n"]
    for line in (HERE / "stories.jsonl").read_text(encoding="utf-8").splitlines():
        story = json.loads(line)
        title = story.pop("title")
        parts.append(_written(title, story, advisor.reply(Consultation.model_validate(story))))
    (HERE / "assessments.md").write_text("\n".join(parts), encoding="utf-8")


def _written(title: str, story: dict[str, str], reply: Reply) -> str:
    facts = ";".join(
        f"{fact.label}={fact.value}({fact.source})" for name, fact in reply.facts.items() if name != "place"
    )
    lines = [f"## {title}\n", f"> {story['question']}\n", f"(提问日 {story['asked_on']};读到的事实:{facts})\n"]
    lines.append(reply.answer + "\n")
    lines.append("### 逐项\n")
    for finding in reply.findings:
        if finding.elements:
            aspect, state = words()["aspects"][finding.aspect], words()["states"][finding.status]
            lines.append(f"{aspect}·{state}(谁来证明:{finding.burden})\n")
            states = words()["element_states"]
            lines += [f"- {one.name}:{states[one.state]}——{one.why}" for one in finding.elements]
            lines.append("")
    for way in reply.ways:
        said = " ".join(f"说“{one.they}”,答:{one.reply}" for one in way.answers)
        seen = "、".join(f"{case.title}({words()['prevailed'][case.prevailed]})" for case in way.cases)
        lines.append(f"- **{way.name}**:带{way.bring}。{said}{'见过的:' + seen + '。' if seen else ''}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
