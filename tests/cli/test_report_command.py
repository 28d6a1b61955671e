import json
from pathlib import Path

from tests.cli.harness import output, refused

SUMMARY = [
    "job",
    "state",
    "items",
    "outcomes",
    "rejected_by",
    "failed_by",
    "records",
    "calls",
    "tokens",
    "cost_usd",
    "seconds",
    "reason",
    "cause",
]
LOOKED_AT = [
    *("coverage", "pairs", "lengths", "openings", "variety", "duplicates"),
    *("reasons", "sample", "disk", "documents", "estimates"),
]


def test_the_object_is_the_runs_summary_and_what_was_looked_at(data: Path) -> None:
    report = json.loads(output("report", "tales", "--data", data, "--json"))
    assert list(report) == SUMMARY + LOOKED_AT
    assert list(report["outcomes"]) == ["kept", "rejected", "duplicate", "failed"]
    assert list(report["coverage"]["genre"]["horror: of fear"]) == [
        "kept",
        "decided",
        "acceptance",
        "share",
        "expected",
    ]
    assert list(report["lengths"]["chat"]["words"]) == ["min", "p5", "median", "p95", "max"]
    assert list(report["reasons"]["min_chars"]) == ["items", "id", "detail", "samples"]
    assert list(report["openings"]["chat"][0]) == ["words", "records", "share"]
    assert list(report["duplicates"]) == ["items", "share", "most_repeated"]
    assert list(report["disk"]) == ["journal", "corpus", "rejects", "state"]
    assert sum(report["outcomes"].values()) == report["items"] == 120


def test_the_text_tells_the_same_figures(data: Path) -> None:
    report = json.loads(output("report", "tales", "--data", data, "--json"))
    rows = [" ".join(line.split()) for line in output("report", "tales", CORPUSMILL_DATA=str(data)).splitlines()]
    assert rows[0] == "tales: finished, 120 of 120 items done"
    assert f"kept {report['outcomes']['kept']} {report['records']} records" in rows
    for reason, first in report["reasons"].items():
        assert any(row.startswith(f"{reason} {first['items']} as {first['id']}") for row in rows)
    for axis, values in report["coverage"].items():
        assert axis in rows
        for name, value in values.items():
            assert any(row.startswith(f"{name} {value['kept']} {value['decided']} ") for row in rows)
    chars = report["lengths"]["outline"]["chars"]
    assert " ".join(["outline characters", *(f"{length:,}" for length in chars.values())]) in rows


def test_a_long_axis_shows_what_falls_behind_and_says_that_it_is_cut(tmp_path: Path) -> None:
    spec = tmp_path / "long.yaml"
    spec.write_text(
        "name: long\nspace: {axes: {n: [" + ", ".join(map(str, range(50))) + "]}, limit: 30}\n"
        'steps: [{name: s, prompt: "List {{ n }} things."}]\n'
        'examples: [{name: e, prompt: "{{ n }}", completion: "{{ s }}"}]\n'
    )
    output("run", spec, "--data", tmp_path, "--quiet")
    told = output("report", "long", "--data", tmp_path)
    assert "... and 30 values that fall less far behind; --json has all" in told
    assert sum(line.rstrip().endswith("0.0 %     2.0 %") for line in told.splitlines()) == 20
    assert len(json.loads(output("report", "long", "--data", tmp_path, "--json"))["coverage"]["n"]) == 50


def test_an_unknown_job_is_one_line_and_exit_2(data: Path, tmp_path: Path) -> None:
    assert refused("report", "nope", "--data", data).endswith("there are: broken-off, packed, tales")
    assert refused("report", "nope", "--data", tmp_path).endswith("there is none yet")


def test_what_a_run_learnt_of_its_calls_is_reported_and_planned_with(tmp_path: Path) -> None:
    axes = {"n": list(range(150))}
    steps = [{"name": "plot", "prompt": "{{ nonce }} a plot, number {{ n }}", "parameters": {"max_tokens": 4000}}]
    examples = [{"name": "row", "prompt": "{{ n }}:", "completion": " {{ plot }}"}]
    spec = tmp_path / "spec.yaml"
    spec.write_text(json.dumps({"name": "job", "space": {"axes": axes}, "steps": steps, "examples": examples}))
    before = json.loads(output("plan", spec, "--data", tmp_path, "--json"))
    output("run", spec, "--data", tmp_path, "--quiet")
    plot = json.loads(output("report", "job", "--data", tmp_path, "--json"))["estimates"]["plot"]
    after = json.loads(output("plan", spec, "--data", tmp_path, "--json"))
    assert "suggested_max_tokens" not in before
    assert plot["samples"] == 150
    assert plot["output_tokens"] < plot["suggested_max_tokens"] < plot["max_tokens"] == 4000
    assert 0 <= plot["error_ratio"] < 1
    assert after["suggested_max_tokens"] == {"plot": plot["suggested_max_tokens"]}
    assert "max_tokens could be that" in output("plan", spec, "--data", tmp_path)
    assert "estimates" in output("report", "job", "--data", tmp_path)
