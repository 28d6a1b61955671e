"""The judge: what is put before it, by which jobs, and what it said.

Method: a model as judge, asked about each pair twice with the positions swapped, and a win counted only where both
orders agree (Zheng et al., Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, NeurIPS 2023, who measured how much
judges favour the answer that stands first).

Rules of this file: the judge is asked by the engine, so that its verdicts are journaled, budgeted and resumed like any
answer; it sees held-out items alone, as there are no others; two answers that are the same tie, and cost nothing.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from corpusmill.evaluate.answers import Answer
from corpusmill.evaluate.items import Items
from corpusmill.evaluate.spec import EvaluationSpec, Judge
from corpusmill.exports.record import read_record
from corpusmill.journal.files import Files
from corpusmill.journal.shard import write_durably
from corpusmill.spec.schema import Budget, Documents, Example, JobSpec, SpaceSpec, Step

GIVEN, SWAPPED = "given", "swapped"
FIRST, SECOND, TIE = "A", "B", "tie"

_HEAD = """\
Below is a request, and {{ what }}. Judge by what counts here, and by nothing else: neither length nor order is a merit.

[WHAT COUNTS]
{{ row.fields["criteria"] }}

[REQUEST]
{{ row.fields["question"] }}
"""
_PREFERENCE = (
    _HEAD.replace("{{ what }}", "two answers to it")
    + """
[ANSWER A]
{% if order == "given" %}{{ row }}{% else %}{{ row.fields["baseline"] }}{% endif %}

[ANSWER B]
{% if order == "given" %}{{ row.fields["baseline"] }}{% else %}{{ row }}{% endif %}

[VERDICT]
Reply with a JSON object: "reason", one sentence; then "verdict", which is "A" or "B" for the better answer, or "tie".
"""
)
_SCORE = (
    _HEAD.replace("{{ what }}", "an answer to it")
    + """
[ANSWER]
{{ row }}

[VERDICT]
Reply with a JSON object: "reason", one sentence; then "score", a whole number from LOW (worst) to HIGH (best).
"""
)


class Pair(msgspec.Struct, frozen=True):
    """A model's answer and the baseline's to the same draw of an item, as judged.

    Attributes:
        cluster: what they are about.
        asked: whether the judge was; not where both are the same.
        outcome: 1 where the model wins in both orders, -1 where it loses in both, else 0.
        contradicted: whether the orders disagree.
        decided, first: verdicts that are no tie, and those among them for the answer that stood first.
    """

    cluster: str
    asked: bool = False
    outcome: int = 0
    contradicted: bool = False
    decided: int = 0
    first: int = 0


def judge_jobs(spec: EvaluationSpec) -> dict[str, JobSpec]:
    """Return the jobs that ask the judge, by the key of the model whose answers it judges; none without a judge."""
    if spec.judge is None:
        return {}
    baseline = next(iter(spec.models))
    judged = [key for key in spec.models if key != baseline or spec.judge.asks == "score"]
    return {key: _job(spec, spec.judge, f"{spec.name}-judge-{key}") for key in judged}


def rows_of(job: JobSpec) -> str:
    """Return the name of the file that a judge's job reads."""
    return f"{job.name}.jsonl"


def bench_of(judge: Judge) -> str:
    """Return the name of the folder of a judge's jobs: another one for whatever would be judged otherwise."""
    asked = msgspec.structs.replace(judge, budget=Budget())
    digest = blake2b(msgspec.json.encode([asked, _PREFERENCE, _SCORE]), digest_size=6)
    return digest.hexdigest()


def write_rows(
    files: Files, path: Path, judge: Judge, items: Items, answers: list[Answer], others: list[Answer] | None
) -> int:
    """Write what is put before the judge about one model; return how many rows that is.

    Args:
        files: the disk.
        path: of the file, in which there may be the same already.
        judge: the evaluation's.
        items: of the evaluation.
        answers: of the model.
        others: of the baseline; None where each answer is judged for itself.
    """
    rows: list[bytes] = []
    for answer, other in _opposed(judge, answers, others):
        if other is not None and _alike(answer, other):
            continue
        item = items.item(answer.index)
        row = {
            "name": _name(answer),
            "text": answer.text,
            "baseline": other.text if other is not None else "",
            "question": item.question,
            "criteria": item.criteria,
        }
        rows.append(msgspec.json.encode(row) + b"\n")
    files.make_folder(path.parent)
    write_durably(files, path, b"".join(rows))
    return len(rows)


def read_pairs(
    lines: Iterable[bytes], judge: Judge, answers: list[Answer], others: list[Answer]
) -> tuple[list[Pair], int]:
    """Return the pairs that are judged, and how many of those asked about are not, as a verdict could not be read."""
    said = _said(lines)
    pairs: list[Pair] = []
    unjudged = 0
    for answer, other in _opposed(judge, answers, others):
        if other is not None and _alike(answer, other):
            pairs.append(Pair(answer.cluster))
        elif len(verdicts := said.get(_name(answer), {})) == len((GIVEN, SWAPPED)):
            pairs.append(_pair(answer.cluster, verdicts[GIVEN], verdicts[SWAPPED]))
        else:
            unjudged += 1
    return pairs, unjudged


def read_scores(
    lines: Iterable[bytes], judge: Judge, answers: list[Answer]
) -> tuple[dict[tuple[int, int], float], int]:
    """Return the score of each judged answer from 0 to 1, 0 where none was given; and how many could not be read."""
    said = _said(lines)
    low, high = judge.between
    scores: dict[tuple[int, int], float] = {}
    unjudged = 0
    for answer in _judged(judge, answers):
        score = said.get(_name(answer), {}).get(GIVEN) if answer.given else str(low)
        if score is None:
            unjudged += 1
        else:
            scores[answer.index, answer.choice] = (int(score) - low) / (high - low)
    return scores, unjudged


def _job(spec: EvaluationSpec, judge: Judge, name: str) -> JobSpec:
    preference = judge.asks == "preference"
    low, high = judge.between
    prompt = _PREFERENCE if preference else _SCORE.replace("LOW", str(low)).replace("HIGH", str(high))
    verdict = (
        {"type": "string", "enum": [FIRST, SECOND, TIE]}
        if preference
        else {"type": "integer", "minimum": low, "maximum": high}
    )
    field = "verdict" if preference else "score"
    step = Step(
        name="judged",
        model=judge.model,
        prompt=prompt,
        parameters=judge.parameters,
        parse="json",
        structured=judge.structured,
        schema={
            "type": "object",
            "properties": {"reason": {"type": "string"}, field: verdict},
            "required": ["reason", field],
            "additionalProperties": False,
        },
    )
    return JobSpec(
        name=name,
        seed=spec.seed,
        space=SpaceSpec(
            axes={"order": [GIVEN, SWAPPED] if preference else [GIVEN]},
            documents={"row": Documents(jsonl=f"{name}.jsonl", name="name")},
        ),
        steps=[step],
        examples=[Example(name="verdict", prompt="", completion=f"{{{{ judged.{field} }}}}")],
        limits=spec.limits,
        budget=judge.budget,
    )


def _judged(judge: Judge, answers: Iterable[Answer]) -> Iterator[Answer]:
    """Yield of each item the draws that are judged: the first ones."""
    seen: dict[str, int] = {}
    for answer in sorted(answers, key=lambda each: (each.index, each.choice)):
        place = seen.get(answer.item, 0)
        seen[answer.item] = place + 1
        if place < judge.draws:
            yield answer


def _opposed(
    judge: Judge, answers: list[Answer], others: list[Answer] | None
) -> Iterator[tuple[Answer, Answer | None]]:
    """Yield the judged answers, each with the baseline's to the same draw; those to which both said something."""
    baseline = {(other.index, other.choice): other for other in others or () if other.given}
    for answer in _judged(judge, answers):
        other = baseline.get((answer.index, answer.choice))
        if answer.given and (others is None or other is not None):
            yield answer, other


def _alike(answer: Answer, other: Answer) -> bool:
    return answer.text.strip() == other.text.strip()


def _name(answer: Answer) -> str:
    return f"{answer.index}:{answer.choice}"


def _said(lines: Iterable[bytes]) -> dict[str, dict[str, str]]:
    """Return what was said of each row, by order."""
    said: dict[str, dict[str, str]] = {}
    for record in map(read_record, lines):
        values = msgspec.json.decode(record.values, type=dict[str, str])
        said.setdefault(values["row"], {})[values["order"]] = record.completion
    return said


def _pair(cluster: str, given: str, swapped: str) -> Pair:
    """Return what two verdicts come to; in the given order the model's answer stood first."""
    ours = {FIRST: 1, SECOND: -1, TIE: 0}
    first, second = ours[given], -ours[swapped]
    verdicts = (given, swapped)
    return Pair(
        cluster,
        asked=True,
        outcome=first if first == second else 0,
        contradicted=first != second,
        decided=sum(verdict != TIE for verdict in verdicts),
        first=verdicts.count(FIRST),
    )
