"""What docs/evaluate.md shows is an evaluation, and makes sound jobs."""

import re
from pathlib import Path

import msgspec
import yaml

from corpusmill.evaluate.spec import EvaluationSpec, job_of
from corpusmill.spec.checks import check_spec

PAGE = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text("utf-8")


def test_the_example_is_an_evaluation() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    spec = msgspec.convert(yaml.safe_load(found.group(1)), EvaluationSpec)
    for key in spec.models:
        check_spec(job_of(spec, key, "a-model"))
