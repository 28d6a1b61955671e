"""The API against its own description: no error of ours, no answer that is not declared. More with `make fuzz`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import validate

from tests.e2e.serving import served

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = int(os.environ.get("FUZZ", "5"))
"""Cases of each operation; `make fuzz` asks for more, and for every phase."""


def test_whatever_is_sent_is_answered_as_described(tmp_path: Path) -> None:
    with served(tmp_path, None, "--max-running", "2") as daemon:
        validate(daemon.ask("GET", "/openapi.json"))
        phases = "examples,coverage,fuzzing,stateful" if EXAMPLES > 5 else "examples,fuzzing,stateful"
        program = Path(sys.executable).parent / "schemathesis"
        options = ["--max-examples", str(EXAMPLES), "--phases", phases, "--checks", CHECKS, "--seed", "1"]
        done = subprocess.run(
            [program, "run", f"{daemon.url}/openapi.json", "--url", f"{daemon.url}/api/v1", "--no-color",
             "--request-timeout", "20", *options],
            cwd=tmp_path, capture_output=True, text=True, timeout=600 + 30 * EXAMPLES, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-5000:]
        cases = re.search(r"(\d+) generated", done.stdout)
        assert cases is not None
        assert int(cases[1]) > (1000 if EXAMPLES > 5 else 100)
        assert daemon.status("/livez") == 200
