"""What docs/documents.md shows is true: its spec runs, and it tells every key and attribute."""

import json
import re
from pathlib import Path

from corpusmill.spec.checks.documents import ATTRIBUTES
from corpusmill.spec.schema import Clean, Documents
from tests.e2e.running import command

TEXT = (Path(__file__).parent.parent / "docs" / "documents.md").read_text("utf-8")


def test_the_spec_runs_as_it_stands(tmp_path: Path) -> None:
    found = re.search(r"<!-- checked by tests/test_docs_documents.py -->\n```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    (tmp_path / "coach.yaml").write_text(found.group(1))
    (tmp_path / "posts").mkdir()
    rows = [
        {"id": f"post{number}", "subreddit": f"r{number % 2}", "body": f"Story {number}. " + "It was night. " * 500}
        for number in range(4)
    ]
    rows += [{"id": "short", "subreddit": "r0", "body": "Too short."}]
    (tmp_path / "posts" / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\nnot json\n")
    plan = command("plan", "coach.yaml", "--json", folder=tmp_path)
    assert plan.returncode == 0, plan.stderr
    assert json.loads(plan.stdout)["items"] == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coach.yaml", "posts"]
    done = command("run", "coach.yaml", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcomes"]["kept"] == 8
    assert '"name":"posts/a.jsonl:6"' in done.stderr
    report = command("report", "coach", folder=tmp_path)
    assert "4 documents used, 2 not: 1 malformed, 1 min_chars" in report.stdout
    [corpus] = (tmp_path / "data" / "jobs" / "coach" / "corpus").iterdir()
    prompt = json.loads(corpus.read_text().splitlines()[0])["prompt"]
    assert len(prompt) > 7000
    assert "TRUNCATED" not in prompt


def test_every_key_and_attribute_is_told() -> None:
    keys = {*Documents.__struct_fields__, *Clean.__struct_fields__} - {"digest"}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", TEXT)] == []
    assert [name for name in ATTRIBUTES if f"story.{name}" not in TEXT] == []
