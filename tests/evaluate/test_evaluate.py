"""The whole way on a simulated endpoint whose models have known faults: corpus, training, evaluation."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.loop import notes as invented
from tests.e2e.running import command, simulated

LOOP = Path(invented.__file__).parent
FAULTS = {"invented": 0.15, "missed": 0.12, "sloppy": 0.3}
TUNED_SHARE = 0.2


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    options = [each for name, share in FAULTS.items() for each in (f"--{name}", str(share))]
    with simulated("--tuning-seconds", "0.1", "--tuned", str(TUNED_SHARE), *options) as url:
        yield url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, base_url: str) -> Path:
    """A folder with notes, a corpus, and a model trained on it."""
    folder = tmp_path_factory.mktemp("loop")
    invented.write(folder)
    for name in ("medical.yaml", "heldout.yaml"):
        shutil.copy(LOOP / name, folder)
    for arguments in (("run", "medical.yaml", "--quiet"), ("finetune", "medical", "--model", "simulated")):
        done = command(*arguments, folder=folder, base_url=base_url)
        assert done.returncode == 0, done.stderr
    return folder


def test_the_intervals_contain_what_the_simulation_was_told(folder: Path, base_url: str) -> None:
    done = command("evaluate", "heldout.yaml", "--json", folder=folder, base_url=base_url)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["clusters"] == invented.HELD_OUT
    for key, share in (("base", 1.0), ("tuned", TUNED_SHARE)):
        model = result["models"][key]
        assert (model["answers"], model["unanswered"]) == (invented.HELD_OUT * 4 * 3, 0)
        for score, truth in (("precision", 1 - share * FAULTS["invented"]), ("recall", 1 - share * FAULTS["missed"])):
            found = model["scores"][score]
            assert found["low"] <= truth <= found["high"], (key, score)
    verdicts = {each["score"]: each["verdict"] for each in result["differences"]}
    assert set(verdicts.values()) == {"better"}
    assert {"precision", "agreement", "length_spread", "format", "groundedness"} <= set(verdicts)

    again = command("evaluate", "heldout.yaml", "--html", "page.html", folder=folder, base_url=base_url)
    assert "precision: tuned against base better" in again.stdout
    page = (folder / "page.html").read_text()
    assert page.count("<svg") == 2 * len(result["models"]["base"]["scores"])
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "not measured" in again.stdout, "no call was made a second time"


def test_notes_that_were_trained_on_are_refused_by_name_also_under_another_name(folder: Path, base_url: str) -> None:
    note = json.loads((folder / "training.jsonl").read_text().splitlines()[3])
    kept = (folder / "heldout.jsonl").read_text()
    copied = {**note, "id": "a-copy", "text": note["text"].upper()}
    (folder / "leak.jsonl").write_text(kept + json.dumps(copied) + "\n")
    spec = (folder / "heldout.yaml").read_text().replace("heldout.jsonl", "leak.jsonl")
    (folder / "leak.yaml").write_text(spec.replace("name: medical-heldout", "name: leak"))
    done = command("evaluate", "leak.yaml", folder=folder, base_url=base_url)
    assert done.returncode == 2
    assert f"a-copy (there: {note['id']})" in done.stderr
    assert "1 of 61 held-out documents" in done.stderr
    assert not (folder / "data" / "evaluations" / "jobs" / "leak-base").exists()


def test_a_sample_that_is_too_small_says_so_and_finds_nothing(folder: Path, base_url: str) -> None:
    lines = (folder / "heldout.jsonl").read_text().splitlines()[:6]
    (folder / "few.jsonl").write_text("\n".join(lines) + "\n")
    spec = (folder / "heldout.yaml").read_text().replace("heldout.jsonl", "few.jsonl")
    (folder / "few.yaml").write_text(spec.replace("name: medical-heldout", "name: few"))
    done = command("evaluate", "few.yaml", folder=folder, base_url=base_url)
    assert done.returncode == 0, done.stderr
    assert "WARNING too small to tell: 6 different values of note" in done.stdout
    assert "better" not in done.stdout
    assert "not told apart" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("finetuned: medical", "finetuned: nothing", "no model has come of job nothing yet"),
        ("cluster: note", "cluster: ward", "there is no axis 'ward'"),
        ("source: note", "sourse: note", "did you mean"),
        ("note.fields[task]", "note.fields[tusk]", "tusk"),
        ("trained_on: [medical]", "trained_on: [absent]", "no job 'absent'"),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_one_line(
    folder: Path, base_url: str, old: str, new: str, said: str
) -> None:
    (folder / "wrong.yaml").write_text((folder / "heldout.yaml").read_text().replace(old, new))
    done = command("evaluate", "wrong.yaml", folder=folder, base_url=base_url)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
