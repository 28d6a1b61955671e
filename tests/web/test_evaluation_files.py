"""An evaluation file that a submitted spec names lies where the operator says, or nowhere."""

from pathlib import Path

import msgspec
import pytest

from corpusmill.chain.filters.evaluation import unpacked
from corpusmill.daemon.intake import Terms, accepted
from corpusmill.space.documents.places import Base
from corpusmill.spec.errors import SpecError


def body(file: str) -> bytes:
    return msgspec.json.encode(
        {
            "name": "job",
            "space": {"axes": {"a": ["x"]}},
            "steps": [{"name": "plot", "prompt": "{{ a }}"}],
            "examples": [{"name": "row", "prompt": "", "completion": "{{ plot }}"}],
            "filters": [{"of": "plot", "decontaminate": {"file": file, "ngram": 5}}],
        }
    )


def test_it_becomes_part_of_the_spec(tmp_path: Path) -> None:
    (tmp_path / "gsm8k.txt").write_text("Natalia sold clips to 48 of her friends\n")
    terms = Terms(None, Base({"evals": tmp_path}))
    filters = accepted(body("evals/gsm8k.txt"), "json", terms).filters
    assert filters[0].decontaminate is not None
    assert filters[0].decontaminate.file == "evals/gsm8k.txt"
    assert len(unpacked(filters[0].decontaminate)) == 4


@pytest.mark.parametrize("file", ["gsm8k.txt", "evals/../../etc/passwd", "/etc/passwd", "other/gsm8k.txt"])
def test_no_other_file_is_read(tmp_path: Path, file: str) -> None:
    terms = Terms(None, Base({"evals": tmp_path}))
    with pytest.raises(SpecError) as told:
        accepted(body(file), "json", terms)
    assert told.value.path == "filters[0].decontaminate.file"
