"""`corpusmill run` as a user runs it: a process, a real socket, a real disk, real signals."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.running import command, lines, simulated, started, stats, write_spec


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Return when the process has logged something; it fails the test by ending before."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the process ended without saying {text!r}")


def wait_for_requests(base_url: str, count: int) -> None:
    """Return when the endpoint has seen so many requests; it fails the test if they do not come."""
    until = time.monotonic() + 60
    while stats(base_url)["requests"] < count:
        assert time.monotonic() < until, f"{count} requests did not come within a minute"


def all_ids(folder: Path) -> list[str]:
    return [line["id"].rsplit(":row", 1)[0] for place in ("corpus", "rejects") for line in lines(folder, place)]


def test_a_job_through_every_recoverable_fault_ends_with_every_item_accounted_for(tmp_path: Path) -> None:
    with simulated("--faults", "all=0.04", "--hang-seconds", "1", "--latency", "0.02") as base_url:
        spec = write_spec(tmp_path)
        done = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url=base_url)
        ledger = stats(base_url)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert sum(summary["outcomes"].values()) == summary["items"] == 200
    assert sorted(all_ids(tmp_path)) == sorted(f"job:{index}" for index in range(200))
    assert summary["outcomes"]["kept"] == len(lines(tmp_path, "corpus")) > 100
    assert summary["calls"]["sent"] == ledger["requests"]
    again = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url="http://127.0.0.1:9/v1")
    assert again.returncode == 1, "an endpoint that is gone is told even for a finished job"


def test_kill_and_the_same_command_again_gives_the_same_items_and_repeats_only_what_was_out(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, limits={"concurrency": 20})
    with simulated("--latency", "0.1") as base_url:
        process = started("run", spec, "--json", folder=tmp_path, base_url=base_url)
        wait_for_line(process, "job_started")
        wait_for_requests(base_url, 90)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        done = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url=base_url)
        ledger = stats(base_url)
    assert done.returncode == 0, done.stderr
    assert sorted(all_ids(tmp_path)) == sorted(f"job:{index}" for index in range(200))
    assert ledger["requests"] <= 200 + 20 + 20, "more was called again than was out or not yet synced"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_drains_and_the_same_command_goes_on(tmp_path: Path, number: signal.Signals, code: int) -> None:
    spec = write_spec(tmp_path, limits={"concurrency": 10})
    with simulated("--latency", "0.2") as base_url:
        process = started("run", spec, "--json", folder=tmp_path, base_url=base_url)
        wait_for_line(process, "job_started")
        wait_for_requests(base_url, 30)
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == code
        stopped = json.loads(output)
        assert stopped["state"] == "interrupted"
        assert stopped["calls"]["answered"] == stopped["calls"]["sent"] == stats(base_url)["requests"]
        done = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url=base_url)
        assert done.returncode == 0
        assert stats(base_url)["requests"] == 200


def test_a_running_job_refuses_a_second_run_and_names_the_process(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, limits={"concurrency": 2})
    with simulated("--latency", "0.5") as base_url:
        process = started("run", spec, folder=tmp_path, base_url=base_url)
        wait_for_line(process, "job_started")
        second = command("run", spec, folder=tmp_path, base_url=base_url)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert second.returncode == 1
    assert str(process.pid) in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_finished_job_runs_again_without_a_call(tmp_path: Path) -> None:
    spec = write_spec(tmp_path)
    with simulated() as base_url:
        first = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url=base_url)
        shards = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.jsonl")}
        again = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url=base_url)
        assert stats(base_url)["requests"] == 200
    before, after = json.loads(first.stdout), json.loads(again.stdout)
    assert {**before, "seconds": 0} == {**after, "seconds": 0}
    assert shards == {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.jsonl")}


def test_a_raised_limit_goes_on_and_a_changed_prompt_is_refused(tmp_path: Path) -> None:
    with simulated() as base_url:
        command("run", write_spec(tmp_path), "--quiet", folder=tmp_path, base_url=base_url)
        more = command("run", "spec.yaml", "--limit", "250", "--json", "--quiet", folder=tmp_path, base_url=base_url)
        assert json.loads(more.stdout)["items"] == 250
        assert stats(base_url)["requests"] == 250
        changed = write_spec(tmp_path, seed=9)
        refused = command("run", changed, folder=tmp_path, base_url=base_url)
    assert refused.returncode == 2
    assert "seed" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_budget_in_calls_stops_with_exit_code_3(tmp_path: Path) -> None:
    with simulated() as base_url:
        spec = write_spec(tmp_path, budget={"calls": 50})
        done = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url=base_url)
        assert stats(base_url)["requests"] == 50
    assert done.returncode == 3
    assert json.loads(done.stdout)["state"] == "exhausted"


PRICED = """
[endpoints.here]
base_url = "{base_url}"
[models.default]
endpoint = "here"
name = "simulated"
prices = {{input = 1.0, output = 2.0}}
"""


@pytest.mark.parametrize(("rate", "least", "most"), [(0.3, 50, 599), (1.0, 600, 600)])
def test_calls_that_were_billed_and_brought_nothing_are_in_the_balance_sheet(
    tmp_path: Path, rate: float, least: int, most: int
) -> None:
    with simulated("--faults", f"empty_choice={rate}") as base_url:
        config = tmp_path / "models.toml"
        config.write_text(PRICED.format(base_url=base_url))
        spec = write_spec(tmp_path, limits={"tries": 3})
        done = command("run", spec, "--config", config, "--json", "--quiet", folder=tmp_path)
        bills = stats(base_url)["billed"].values()
    report = command("report", "job", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    billed = {kind: sum(bill[kind] for bill in bills) for kind in ("input", "cached_input", "output")}
    assert least <= summary["calls"]["errors"] <= most
    assert summary["tokens"] == json.loads(report.stdout)["tokens"] == billed
    # cached input costs what input does, where no other price is told
    assert summary["cost_usd"] == pytest.approx((billed["input"] + 2 * billed["output"]) / 1e6, abs=1e-6)


def test_a_budget_in_dollars_is_kept_by_the_endpoints_own_count(tmp_path: Path) -> None:
    with simulated() as base_url:
        config = tmp_path / "models.toml"
        config.write_text(PRICED.format(base_url=base_url))
        spec = write_spec(tmp_path, budget={"usd": 0.05})
        done = command("run", spec, "--config", config, "--json", "--quiet", folder=tmp_path)
        tokens = stats(base_url)["tokens"]["used"]
    summary = json.loads(done.stdout)
    assert done.returncode == 3
    assert 0.04 < summary["cost_usd"] <= 0.05
    assert summary["tokens"]["input"] + summary["tokens"]["output"] == tokens


def test_without_an_endpoint_it_says_that_the_text_is_invented(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, space={"axes": {"genre": ["noir"], "place": ["Peru"], "n": [1, 2]}})
    done = command("run", spec, "--json", "--quiet", folder=tmp_path)
    assert done.returncode == 0
    assert "invented" in done.stderr
    assert json.loads(done.stdout)["outcomes"]["kept"] == 2


BAD: list[tuple[str, dict[str, object], tuple[str, ...], int, str]] = [
    ("unknown key", {"stepps": []}, (), 2, "did you mean `steps`"),
    ("wrong type", {"seed": "seven"}, (), 2, "seed: expected an integer"),
    (
        "undefined variable",
        {"examples": [{"name": "row", "prompt": "{{ gnere }}", "completion": "x"}]},
        (),
        2,
        "did you mean `genre`",
    ),
    ("limit 0", {"space": {"axes": {"a": [1]}, "limit": 0}}, (), 2, "space.limit"),
    ("empty axis", {"space": {"axes": {"genre": []}}}, (), 2, "space.axes.genre"),
    (
        "missing axis file",
        {"space": {"axes": {"genre": {"file": "no.txt"}, "place": ["x"], "n": [1]}}},
        (),
        2,
        "no.txt",
    ),
    ("negative limit", {"limits": {"requests_per_minute": -1}}, (), 2, "limits.requests_per_minute"),
    ("dollar budget without a price", {"budget": {"usd": 1.0}}, (), 2, "price"),
    ("unknown model", {}, ("--model-name", "no-such-model"), 1, "no-such-model"),
]


@pytest.mark.parametrize(("what", "changes", "options", "code", "says"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_ends_in_one_line_and_creates_nothing(
    tmp_path: Path, what: str, changes: dict[str, object], options: tuple[str, ...], code: int, says: str
) -> None:
    with simulated() as base_url:
        spec = write_spec(tmp_path, **changes)
        done = command("run", spec, *options, "--json", folder=tmp_path, base_url=base_url)
        assert stats(base_url)["admitted"] == 0
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "data" / "jobs").exists() or not any((tmp_path / "data" / "jobs").iterdir())


def test_a_wrong_key_and_a_silent_endpoint_end_in_one_line_and_create_nothing(tmp_path: Path) -> None:
    spec = write_spec(tmp_path)
    with simulated("--api-key", "right") as base_url:
        wrong = command("run", spec, folder=tmp_path, base_url=base_url, OPENAI_API_KEY="sk-very-wrong-key")
        assert stats(base_url)["admitted"] == 0
    silent = command("run", spec, folder=tmp_path, base_url="http://127.0.0.1:9/v1")
    for done, says in ((wrong, "OPENAI_API_KEY"), (silent, "OPENAI_BASE_URL")):
        assert done.returncode == 1
        assert says in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert "sk-very-wrong-key" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_unreadable_data_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with simulated() as base_url:
        done = command("run", write_spec(tmp_path), folder=tmp_path, base_url=base_url)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_negative_price_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "models.toml"
    config.write_text(
        '[endpoints.here]\nbase_url = "http://127.0.0.1:9/v1"\n[models.default]\nendpoint = "here"\nname = "m"\n'
        "prices = {input = -1.0, output = 2.0}\n"
    )
    done = command("run", write_spec(tmp_path), "--config", config, folder=tmp_path)
    assert done.returncode == 2
    assert "models.default.prices.input" in done.stderr
