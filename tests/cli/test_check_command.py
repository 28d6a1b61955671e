import json
from pathlib import Path

from tests.cli.harness import invoke, process, refused
from tests.e2e.running import SPEC, simulated, stats, write_spec


def test_what_a_run_needs_is_asked_with_one_call_and_nothing_is_written(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    with simulated() as base_url:
        done = process("check", path, OPENAI_BASE_URL=base_url)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"endpoint default: {base_url} answers; models listed: 1" in done.stdout
        assert "model default (simulated): answered in" in done.stdout
        assert done.stdout.endswith("all is well: a job can run\n")
        assert stats(base_url)["requests"] == 1
        told = json.loads(process("check", "--json", OPENAI_BASE_URL=base_url).stdout)
    assert told["ok"] is True
    assert [endpoint["name"] for endpoint in told["endpoints"]] == ["default"]
    assert list(tmp_path.iterdir()) == [path]


def test_the_exit_code_says_that_there_is_something_to_mend(tmp_path: Path) -> None:
    done = process("check", write_spec(tmp_path), OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert done.returncode == 1
    assert "endpoint default: NOT USABLE: endpoint http://127.0.0.1:9/v1 does not answer" in done.stdout
    assert done.stdout.endswith("2 to mend\n")


def test_a_bad_spec_and_no_endpoint_are_one_line(tmp_path: Path) -> None:
    step = {**SPEC["steps"][0], "prompt": "{{ gnere }}"}
    assert "did you mean `genre`" in refused("check", write_spec(tmp_path, steps=[step]))
    assert "set OPENAI_BASE_URL" in refused("check", exit_code=1)
    assert refused("check", OPENAI_BASE_URL="localhost:8000/v1").startswith("corpusmill: OPENAI_BASE_URL: the base URL")


def test_a_command_that_is_nearly_one_is_told_with_its_name() -> None:
    assert "No such command 'chek'. Did you mean 'check'?" in str(invoke("chek").exception)
    assert str(invoke("sing").exception) == "No such command 'sing'."
