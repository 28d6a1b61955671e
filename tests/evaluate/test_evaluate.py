"""The whole way on a simulated endpoint whose models and judge have known faults: corpus, training, evaluation."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpusmill.evaluate.errors import EvaluationError
from corpusmill.jobs.folder import UnknownJobError
from corpusmill.recipes import recipe_files
from corpusmill.simulate.findings import Care
from corpusmill.spec.errors import SpecError
from tests.cli.harness import invoke
from tests.e2e.running import command, simulated, stats, write_spec
from tests.evaluate.truth import judged

RECIPE, HELD_OUT = "medical-loop", 60
FAULTS = {"invented": 0.15, "missed": 0.12, "sloppy": 0.3, "reworded": 0.0}
TUNED_SHARE, BIAS = 0.2, 0.15
SERVED = ("--models", "simulated,judge", "--tuned", str(TUNED_SHARE), "--judge-bias", str(BIAS))
HABITS = [each for name, share in FAULTS.items() for each in (f"--{name}", str(share))]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with simulated("--tuning-seconds", "0.1", *SERVED, *HABITS) as url:
        yield url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, base_url: str) -> Path:
    """A folder with the recipe, its corpus, and a model trained on it."""
    folder = tmp_path_factory.mktemp("loop")
    for name, content in recipe_files(RECIPE).items():
        (folder / name).write_bytes(content)
    for arguments in (("run", f"{RECIPE}.yaml", "--quiet"), ("finetune", RECIPE, "--model", "simulated")):
        done = command(*arguments, folder=folder, base_url=base_url)
        assert done.returncode == 0, done.stderr
    return folder


def variant(folder: Path, name: str, **changes: Any) -> str:
    """Write the recipe's evaluation under another name, with other top-level keys; None takes one out."""
    spec = {**yaml.safe_load((folder / "heldout.yaml").read_text()), "name": name, **changes}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in spec.items() if value is not None}))
    return path.name


def evaluated(folder: Path, base_url: str, spec: str) -> dict[str, Any]:
    done = command("evaluate", spec, "--json", folder=folder, base_url=base_url)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def contains(interval: dict[str, float], truth: float) -> bool:
    return interval["low"] <= truth <= interval["high"]


def test_the_intervals_contain_what_the_simulation_was_told(folder: Path, base_url: str) -> None:
    result = evaluated(folder, base_url, "heldout.yaml")
    assert result["clusters"] == HELD_OUT
    for key, share in (("base", 1.0), ("tuned", TUNED_SHARE)):
        model = result["models"][key]
        assert (model["answers"], model["unanswered"], model["of_answered"]) == (HELD_OUT * 4 * 3, 0, {})
        for score, truth in (("precision", 1 - share * FAULTS["invented"]), ("recall", 1 - share * FAULTS["missed"])):
            assert contains(model["scores"][score], truth), (key, score)
    verdicts = {each["score"]: each["verdict"] for each in result["differences"]}
    assert set(verdicts.values()) == {"better"}
    assert {"precision", "agreement", "length_spread", "format", "groundedness", "preference"} <= set(verdicts)

    judge = result["judge"]
    (judgement,) = judge["judgements"]
    care = Care(**FAULTS)
    for share_of, truth in judged(care, care.times(TUNED_SHARE), BIAS).items():
        assert contains(judgement[share_of], truth), share_of
    assert judgement["pairs"] == HELD_OUT * 4
    assert judge["cost"]["calls"] == 2 * (judgement["pairs"] - judgement["same"]), "each pair in both orders, once"
    assert judge["unjudged"] == 0
    assert judgement["first"]["low"] > 0.5
    assert any("favours what stands first" in warning for warning in result["warnings"])

    before = stats(base_url)["requests"]
    again = command("evaluate", "heldout.yaml", "--html", "page.html", folder=folder, base_url=base_url)
    assert "precision: tuned against base better" in again.stdout
    assert "preference: tuned against base better" in again.stdout
    assert "not measured" in again.stdout, "no call was made a second time"
    assert stats(base_url)["requests"] == before
    page = (folder / "page.html").read_text()
    assert page.count("<svg") == 2 * len(result["models"]["base"]["scores"]) + 5
    assert "contradicted" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_notes_that_were_trained_on_are_refused_by_name_also_under_another_name(folder: Path, base_url: str) -> None:
    """The job is not named in the spec: it is known by the model that came of it."""
    note = json.loads((folder / "training.jsonl").read_text().splitlines()[3])
    kept = (folder / "heldout.jsonl").read_text()
    copied = {**note, "id": "a-copy", "text": note["text"].upper()}
    (folder / "leak.jsonl").write_text(kept + json.dumps(copied) + "\n")
    space = yaml.safe_load((folder / "heldout.yaml").read_text())["space"]
    space["documents"]["note"]["jsonl"] = "leak.jsonl"
    done = command("evaluate", variant(folder, "leak", space=space), folder=folder, base_url=base_url)
    assert done.returncode == 2
    assert f"a-copy (there: {note['id']})" in done.stderr
    assert "1 of 61 held-out documents" in done.stderr
    assert not (folder / "data" / "evaluations" / "jobs" / "leak-base").exists()


def test_a_sample_that_is_too_small_says_so_and_finds_nothing(folder: Path, base_url: str) -> None:
    done = command("evaluate", few(folder, "few"), folder=folder, base_url=base_url)
    assert done.returncode == 0, done.stderr
    assert "WARNING too small to tell: 6 different values of note" in done.stdout
    assert "better" not in done.stdout
    assert "not told apart" in done.stdout


def few(folder: Path, name: str, **changes: Any) -> str:
    """The recipe's evaluation on six of its notes."""
    lines = (folder / "heldout.jsonl").read_text().splitlines()[:6]
    (folder / "few.jsonl").write_text("\n".join(lines) + "\n")
    space = yaml.safe_load((folder / "heldout.yaml").read_text())["space"]
    space["documents"]["note"]["jsonl"] = "few.jsonl"
    return variant(folder, name, **{"space": space, **changes})


def test_a_budget_stops_the_judge_and_nothing_is_paid_twice_after_it(folder: Path, base_url: str) -> None:
    judge = yaml.safe_load((folder / "heldout.yaml").read_text())["judge"]
    models = {"base": "default", "tuned": {"finetuned": RECIPE}}
    before = stats(base_url)["requests"]
    stopped = command(
        "evaluate", few(folder, "frugal", judge={**judge, "budget": {"calls": 9}}), folder=folder, base_url=base_url
    )
    assert stopped.returncode == 2
    assert "frugal-judge-tuned is exhausted: the budget is spent" in stopped.stderr
    asked = len(models) * 6 * 4
    assert stats(base_url)["requests"] - before == asked + 9
    result = evaluated(folder, base_url, few(folder, "frugal", judge=judge))
    (judgement,) = result["judge"]["judgements"]
    calls = 2 * (judgement["pairs"] - judgement["same"])
    assert result["judge"]["cost"]["calls"] == calls
    assert stats(base_url)["requests"] - before == asked + calls


def test_another_judge_is_asked_anew_and_the_models_are_not(folder: Path, base_url: str) -> None:
    judge = yaml.safe_load((folder / "heldout.yaml").read_text())["judge"]
    first = evaluated(folder, base_url, few(folder, "twice"))["judge"]["cost"]["calls"]
    before = stats(base_url)["requests"]
    changed = few(folder, "twice", judge={**judge, "criteria": "A good answer is short."})
    assert evaluated(folder, base_url, changed)["judge"]["cost"]["calls"] == first
    assert stats(base_url)["requests"] - before == first
    evaluated(folder, base_url, few(folder, "twice"))
    assert stats(base_url)["requests"] - before == first, "the first one's verdicts are still there"


def test_a_judge_can_be_asked_for_scores(folder: Path, base_url: str) -> None:
    judge = yaml.safe_load((folder / "heldout.yaml").read_text())["judge"]
    result = evaluated(
        folder, base_url, few(folder, "scored", judge={**judge, "asks": "score", "between": [0, 5], "draws": 2})
    )
    base, tuned = (result["models"][key]["scores"]["judge"]["estimate"] for key in ("base", "tuned"))
    assert base < tuned <= 1
    assert result["judge"]["cost"]["calls"] == 2 * 6 * 4 * 2
    assert result["judge"]["judgements"] == []
    assert "judge" in {each["score"] for each in result["differences"]}


def test_what_is_true_can_be_told_anew_without_a_call(folder: Path, base_url: str) -> None:
    strict = few(folder, "anew", match=1, judge=None)
    first = evaluated(folder, base_url, strict)
    before = stats(base_url)["requests"]
    other = evaluated(
        folder, base_url, few(folder, "anew", match=1, judge=None, reference="[] if index % 2 else ['x']")
    )
    assert stats(base_url)["requests"] == before
    assert first["models"]["base"]["scores"]["recall"]["estimate"] > 0.5
    assert other["models"]["base"]["scores"]["recall"]["estimate"] == 0


def test_silence_counts_as_wrong_and_is_told_both_ways(folder: Path, tmp_path: Path) -> None:
    """Some answers are withheld by the endpoint, and some of the judge's are no verdict."""
    own = tmp_path / "own"
    shutil.copytree(folder, own, ignore=shutil.ignore_patterns("evaluations"))
    with simulated("--tuning-seconds", "0", *SERVED, "--faults", "content_filter=0.1,refusal=0.1") as url:
        trained = command("finetune", RECIPE, "--again", "--model", "simulated", folder=own, base_url=url)
        assert trained.returncode == 0, trained.stderr
        result = evaluated(own, url, "heldout.yaml")
        text = command("evaluate", "heldout.yaml", folder=own, base_url=url).stdout
    base = result["models"]["base"]
    assert base["unanswered"] == sum(base["unanswered_by"].values()) > 0
    spoken = 1 - base["unanswered"] / (HELD_OUT * 4)
    assert base["scores"]["answered"]["estimate"] == pytest.approx(spoken)
    assert base["scores"]["format"]["estimate"] == pytest.approx(base["of_answered"]["format"]["estimate"] * spoken)
    assert base["scores"]["recall"]["estimate"] < base["of_answered"]["recall"]["estimate"]
    over = {each["score"]: each["items"] for each in result["differences"]}
    both = {"precision", "groundedness", "agreement", "same_shape", "length_spread", "preference"}
    assert {score for score, items in over.items() if items == "answered by both"} == both
    assert {score for score, items in over.items() if items == "all"} == {"recall", "f1", "format", "answered"}
    assert result["judge"]["unjudged"] > 0
    assert f"base gave no answer to {base['unanswered']} items (" in text
    assert "of the items that were answered alone" in text
    assert "verdict on" in text


def test_items_without_documents_are_held_out_by_their_values_and_by_what_is_asked(tmp_path: Path) -> None:
    """The training job has one axis more, and other words."""
    axes = {"genre": ["noir", "western"], "place": ["Rome", "Oslo", "Lima"]}
    training = {
        "space": {"axes": {**axes, "tone": ["grim"]}, "where": "place != 'Lima'"},
        "steps": [{"name": "plot", "prompt": "Imagine a {{ tone }} {{ genre }} plot set in {{ place }}."}],
        "examples": [
            {"name": "row", "prompt": "What is a {{ genre }} like in {{ place }}?", "completion": "{{ plot }}"}
        ],
        "filters": [],
    }
    held_out = {
        "name": "unseen",
        "space": {"axes": axes, "where": "place == 'Lima'"},
        "prompt": "List a {{ genre }} in {{ place }}.",
        "models": {"base": "simulated"},
        "reference": "[genre]",
        "cluster": "genre",
        "trained_on": ["job"],
    }
    with simulated() as url:
        assert (
            command("run", write_spec(tmp_path, **training), "--quiet", folder=tmp_path, base_url=url).returncode == 0
        )
        trained = stats(url)["requests"]

        def evaluate(**changes: Any) -> str:
            (tmp_path / "unseen.yaml").write_text(yaml.safe_dump({**held_out, **changes}))
            return command("evaluate", "unseen.yaml", folder=tmp_path, base_url=url).stderr

        by_values = evaluate(space={"axes": axes})
        assert "4 of 6 held-out items were on the training side of job job" in by_values
        assert "genre=noir, place=Rome (there: job:" in by_values
        by_words = evaluate(
            space={"axes": {"about": ["a noir", "a western"]}},
            prompt="what is {{ about }} like in OSLO",
            reference="[about]",
            cluster="about",
        )
        assert "about=a noir (there: job:" in by_words
        assert stats(url)["requests"] == trained, "nothing was asked"
        assert "answers of simulated" in evaluate()


def test_a_judge_that_is_not_there_is_missed_before_anything_is_asked(folder: Path, base_url: str) -> None:
    spec = variant(folder, "absent", judge={"model": "no such", "criteria": "x"})
    done = command("evaluate", spec, folder=folder, base_url=base_url)
    assert done.returncode == 1
    assert "has no model 'no such'" in done.stderr
    assert not (folder / "data" / "evaluations" / "jobs" / "absent-base").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": {"base": "default", "tuned": {"finetuned": "nothing"}}}, "no model has come of job nothing yet"),
        ({"cluster": "nots"}, "cluster: there is no axis `nots`; did you mean `note`?"),
        ({"sourse": "note"}, "did you mean"),
        ({"reference": "note.fields[tusk]"}, "reference: `tusk` is not defined; did you mean `task`?"),
        ({"reference": "note"}, "reference: item 0: expected a list of texts, got "),
        ({"trained_on": ["absent"]}, "no job 'absent'"),
        ({"parameters": {"n": 0}}, "parameters.n: expected at least 1"),
        ({"budget": {"usd": 1}, "parameters": {}}, "parameters: a dollar budget needs max_tokens"),
        ({"models": {"judge": "default"}}, "models.judge: the judge's own jobs are called judge"),
        ({"form": "["}, "form: not a regular expression in RE2's syntax"),
        ({"judge": {"model": "judge", "critera": "x"}}, "judge.critera: unknown key; did you mean `criteria`?"),
        ({"judge": {"model": "judge", "criteria": "{{ tusk }}"}}, "judge.criteria: `tusk` is not defined"),
        ({"judge": {"model": "judge", "criteria": "x", "asks": "rank"}}, "judge.asks: expected one of"),
        (
            {"judge": {"model": "judge", "criteria": "x", "between": [5, 1]}},
            "judge.between: the least score comes first",
        ),
        ({"judge": {"model": "judge", "criteria": "x", "parameters": {"n": 2}}}, "judge.parameters.n: a verdict is"),
        ({"models": {"base": "default"}}, "judge.asks: a preference needs two models"),
    ],
)
def test_what_cannot_be_evaluated_is_told_before_anything_is_asked(
    folder: Path, base_url: str, changes: dict[str, Any], said: str
) -> None:
    before = stats(base_url)["requests"]
    spec = folder / variant(folder, "wrong", **changes)
    exception = invoke("evaluate", spec, "--data", folder / "data", OPENAI_BASE_URL=base_url).exception
    assert isinstance(exception, SpecError | EvaluationError | UnknownJobError)
    assert said in str(exception)
    assert "\n" not in str(exception)
    assert stats(base_url)["requests"] == before
    assert not (folder / "data" / "evaluations" / "jobs" / "wrong-base").exists()


def test_an_error_is_one_line_on_stderr(folder: Path, base_url: str) -> None:
    done = command("evaluate", variant(folder, "wrong", cluster="nots"), folder=folder, base_url=base_url)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
