"""What docs/evaluate.md shows is an evaluation, makes sound jobs, and has a row for each key."""

import re
from pathlib import Path

import msgspec
import yaml

from corpusmill.evaluate.check import check_evaluation
from corpusmill.evaluate.judge import judge_jobs
from corpusmill.evaluate.spec import EvaluationSpec, Judge, job_of
from corpusmill.spec.checks import check_spec

PAGE = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text("utf-8")


def test_the_example_is_an_evaluation() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    spec = msgspec.convert(yaml.safe_load(found.group(1)), EvaluationSpec)
    check_evaluation(spec)
    for key in spec.models:
        check_spec(job_of(spec, key, "a-model"))
    jobs = judge_jobs(spec)
    assert list(jobs) == ["tuned", "teacher"]
    for job in jobs.values():
        check_spec(job)


def test_every_key_is_explained() -> None:
    for key in EvaluationSpec.__struct_fields__:
        assert f"{key}:" in PAGE or f"`{key}`" in PAGE
    for key in Judge.__struct_fields__:
        assert f"`judge.{key}`" in PAGE
