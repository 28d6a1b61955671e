"""`corpusmill refold` and `purge` as a user runs them."""

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

from tests.e2e.running import SPEC, command, simulated, started, stats, write_spec

JOB = Path("data/jobs/job")
TWO_STEPS = [SPEC["steps"][0], {"name": "title", "prompt": "{{ nonce }}\nA title for: {{ plot }}", "attempts": 2}]
STRICT = [{"of": "plot", "min_chars": 2400, "no_refusal": True}]


def corpus(folder: Path) -> list[dict[str, Any]]:
    """All lines of a folder's shards, in order of their items."""
    found = [json.loads(line) for path in folder.glob("corpus/*.jsonl") for line in path.read_text().splitlines()]
    return sorted(found, key=lambda line: line["index"])


def contents(folder: Path) -> dict[Path, bytes]:
    names = ("corpus", "rejects", "manifest", "state", "journal")
    return {path: path.read_bytes() for name in names for path in (folder / name).iterdir()}


def test_a_stricter_filter_gives_the_corpus_that_a_run_would_have_given_without_a_call(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    with simulated("--faults", "exact_duplicate=0.1,refusal=0.05,bad_request=0.02") as base_url:
        command("run", write_spec(tmp_path), "--quiet", folder=tmp_path, base_url=base_url)
        before, asked = contents(tmp_path / JOB), stats(base_url)["requests"]
        spec = write_spec(tmp_path, filters=STRICT, dedup=None)
        done = command("refold", "job", "--spec", spec, "--json", folder=tmp_path)
        text = command("refold", "job", "--spec", spec, folder=tmp_path)
        assert stats(base_url)["requests"] == asked
        command("run", write_spec(fresh, filters=STRICT, dedup=None), "--quiet", folder=fresh, base_url=base_url)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert corpus(tmp_path / JOB / "generations/0002") == corpus(fresh / JOB)
    assert summary["outcomes"]["kept"] == len(corpus(fresh / JOB))
    assert sum(summary["outcomes"].values()) == 200
    assert summary["rejected_by"]["min_chars"] > 0
    assert "change" in text.stdout
    assert contents(tmp_path / JOB) == before, "the first generation was touched"
    current = json.loads(command("report", "job", "--json", folder=tmp_path).stdout)
    assert current["outcomes"] == summary["outcomes"]
    first = json.loads(command("report", "job", "--json", "--generation", "1", folder=tmp_path).stdout)
    assert first["outcomes"]["kept"] > summary["outcomes"]["kept"]
    missing = command("report", "job", "--generation", "9", folder=tmp_path)
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)


def test_a_changed_prompt_needs_consent_and_asks_from_its_step_on(tmp_path: Path) -> None:
    with simulated() as base_url:
        spec = write_spec(tmp_path, steps=TWO_STEPS)
        command("run", spec, "--quiet", folder=tmp_path, base_url=base_url)
        assert stats(base_url)["requests"] == 400
        changed = [TWO_STEPS[0], {**TWO_STEPS[1], "prompt": "{{ nonce }}\nA better title for: {{ plot }}"}]
        spec = write_spec(tmp_path, steps=changed, budget={"calls": 650})
        refused = command("refold", "job", "--spec", spec, folder=tmp_path, base_url=base_url)
        assert refused.returncode == 2
        assert "steps[1].prompt" in refused.stderr
        assert stats(base_url)["requests"] == 400
        done = command("refold", "job", "--spec", spec, "--run", "--json", folder=tmp_path, base_url=base_url)
        assert done.returncode == 0, done.stderr
        assert stats(base_url)["requests"] == 600
        assert sum(json.loads(done.stdout)["outcomes"].values()) == 200
        again = [changed[0], {**changed[1], "prompt": "{{ nonce }}\nThe best title for: {{ plot }}"}]
        spec = write_spec(tmp_path, steps=again, budget={"calls": 650})
        short = command("refold", "job", "--spec", spec, "--run", "--json", folder=tmp_path, base_url=base_url)
        assert short.returncode == 3, "what all generations spent counts in the budget"
        assert stats(base_url)["requests"] == 650
    assert sorted(path.name for path in (tmp_path / JOB / "generations").iterdir()) == ["0002", "0003.part"]


def test_other_items_are_refused(tmp_path: Path) -> None:
    with simulated() as base_url:
        command("run", write_spec(tmp_path), "--quiet", folder=tmp_path, base_url=base_url)
    refused = command("refold", "job", "--spec", write_spec(tmp_path, seed=9), folder=tmp_path)
    assert refused.returncode == 2
    assert "seed" in refused.stderr
    assert not (tmp_path / JOB / "generations").exists()


def test_a_fold_that_is_killed_goes_on_and_is_not_seen_before_it_is_complete(tmp_path: Path) -> None:
    rng = random.Random(1)
    with simulated() as base_url:
        space = {**SPEC["space"], "limit": 1200}
        command("run", write_spec(tmp_path, space=space), "--quiet", folder=tmp_path, base_url=base_url)
    spec = write_spec(tmp_path, space=space, filters=STRICT)
    for _ in range(4):
        process = started("refold", "job", "--spec", spec, folder=tmp_path, base_url="http://127.0.0.1:9/v1")
        time.sleep(rng.uniform(0.4, 0.9))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if not (tmp_path / JOB / "generations/0002").exists():
            seen = json.loads(command("report", "job", "--json", folder=tmp_path).stdout)
            assert "min_chars" not in seen["rejected_by"] or seen["rejected_by"]["min_chars"] < 100
    done = command("refold", "job", "--spec", spec, "--json", folder=tmp_path)
    assert sum(json.loads(done.stdout)["outcomes"].values()) == 1200
    ids = [line["id"] for line in corpus(tmp_path / JOB / "generations/0002")]
    assert len(ids) == len(set(ids)) == json.loads(done.stdout)["records"]


def test_a_fold_that_is_interrupted_says_that_the_same_command_goes_on_and_it_does(tmp_path: Path) -> None:
    space = {**SPEC["space"], "limit": 1200}
    with simulated() as base_url:
        command("run", write_spec(tmp_path, space=space), "--quiet", folder=tmp_path, base_url=base_url)
    spec = write_spec(tmp_path, space=space, filters=STRICT)
    process = started("refold", "job", "--spec", spec, folder=tmp_path, base_url="http://127.0.0.1:9/v1")
    while not (tmp_path / JOB / "generations/0002.part/spec.json").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.strip() == "corpusmill: interrupted; what is folded is kept, the same command goes on"
    assert not (tmp_path / JOB / "generations/0002").exists()
    done = command("refold", "job", "--spec", spec, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["outcomes"].values()) == 1200


def test_a_journal_is_deleted_only_with_consent_and_only_of_a_finished_job(tmp_path: Path) -> None:
    with simulated() as base_url:
        spec = write_spec(tmp_path)
        command("run", spec, "--quiet", folder=tmp_path, base_url=base_url)
        before = corpus(tmp_path / JOB)
        asked = command("purge", "job", folder=tmp_path)
        assert asked.returncode == 1
        assert (tmp_path / JOB / "journal").exists()
        assert command("purge", "job", "--yes", folder=tmp_path).returncode == 0
        assert not (tmp_path / JOB / "journal").exists()
        again = command("run", spec, "--quiet", folder=tmp_path, base_url=base_url)
        assert stats(base_url)["requests"] == 200
    assert again.returncode == 2
    assert "purged" in again.stderr
    assert corpus(tmp_path / JOB) == before
    assert command("report", "job", folder=tmp_path).returncode == 0
    assert command("fsck", "job", folder=tmp_path).returncode == 0
    assert "purged" in command("refold", "job", "--spec", spec, folder=tmp_path).stderr


def test_other_preferences_are_made_of_the_same_drafts_and_scores(tmp_path: Path) -> None:
    def judged(folder: Path, margin: int) -> Path:
        example = {
            "name": "pair",
            "prompt": "A {{ genre }} plot.",
            "pairs": {"of": "draft_choices", "by": "score", "margin": margin},
            "chosen": "{{ better_score }} {{ better }}",
            "rejected": "{{ worse_score }} {{ worse }}",
        }
        draft = {"name": "draft", "prompt": "{{ nonce }} A {{ genre }} plot.", "parameters": {"n": 3, "max_tokens": 60}}
        prompt = "Grade this from 1 to 5. End with GRADE: n.\n\n{{ element }}"
        score = {"name": "score", "each": "draft_choices", "require": "all", "prompt": prompt, "parse": "number"}
        space = {**SPEC["space"], "limit": 60}
        return write_spec(folder, space=space, steps=[draft, score], filters=[], dedup=None, examples=[example])

    fresh = tmp_path / "fresh"
    fresh.mkdir()
    with simulated() as base_url:
        command("run", judged(tmp_path, 1), "--quiet", folder=tmp_path, base_url=base_url)
        asked = stats(base_url)["requests"]
        done = command("refold", "job", "--spec", judged(tmp_path, 3), "--json", folder=tmp_path, base_url=base_url)
        assert stats(base_url)["requests"] == asked == 240
        command("run", judged(fresh, 3), "--quiet", folder=fresh, base_url=base_url)
    summary, wide = json.loads(done.stdout), corpus(tmp_path / JOB / "generations/0002")
    assert wide == corpus(fresh / JOB)
    assert 0 < len(wide) == summary["records"] < len(corpus(tmp_path / JOB))
    assert summary["rejected_by"] == {"no_example": 60 - len(wide)}
    for record in corpus(tmp_path / JOB):
        assert int(record["chosen"].split()[0]) > int(record["rejected"].split()[0])
    out = command("export", "job", "--format", "trl-preference", "--output", "pairs.jsonl", folder=tmp_path)
    assert out.returncode == 0, out.stderr
    assert len((tmp_path / "pairs.jsonl").read_text().splitlines()) == len(wide)
