"""Runs the crash tests against each breakage of our code, in a copy of it, and tells which were caught.

Run as `python -m tests.mutants`; it ends with 1 if a breakage that must be caught was not, or one that is explained as
harmless was caught after all.
"""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.breakages import BREAKAGES, JOURNAL, Breakage

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "service" / "corpusmill"
SECONDS = 300
"""After which a run that does not end counts as caught: a test hangs."""


def broken_copy(folder: Path, breakage: Breakage) -> Path:
    """Copy the source and break it there; return what belongs on the path."""
    shutil.copytree(SOURCE, folder / "corpusmill", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "corpusmill" / breakage.file
    text = path.read_text()
    if text.count(breakage.old) != 1:
        raise SystemExit(f"{breakage.what}: its text occurs {text.count(breakage.old)} times in {breakage.file}")
    path.write_text(text.replace(breakage.old, breakage.new))
    return folder


def is_caught(breakage: Breakage) -> bool:
    """Whether the quick tests fail on the broken copy."""
    with TemporaryDirectory(prefix="corpusmill-mutant-") as name:
        environment = {
            **os.environ,
            "PYTHONPATH": str(broken_copy(Path(name), breakage)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return any(_fails(command, environment) for command in _commands(breakage))


def _commands(breakage: Breakage) -> list[list[str]]:
    crashes = ["-m", "tests.sim.crashes", "--workers", "1", "--failures", "1", "--scale", str(breakage.scale), "--only"]
    reopening = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/journal/test_reopening.py"]
    return (
        [reopening, [*crashes, *breakage.scenarios]]
        if breakage.scenarios == JOURNAL
        else [[*crashes, *breakage.scenarios]]
    )


def _fails(command: list[str], environment: dict[str, str]) -> bool:
    try:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> None:
    """Run all breakages, as many at once as there are processors, and print what became of them."""
    began = time.monotonic()
    wanted = [each for each in BREAKAGES if not sys.argv[1:] or any(word in each.what for word in sys.argv[1:])]
    wrong = caught = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for breakage, found in zip(wanted, pool.map(is_caught, wanted), strict=True):
            caught += found
            wrong += found == bool(breakage.survives)
            print(f"{_word(breakage, found):<9} {breakage.what}", flush=True)  # noqa: T201 - a command's output
            if breakage.survives:
                print(f"          because {breakage.survives}", flush=True)  # noqa: T201 - as above
    seconds = time.monotonic() - began
    print(f"{caught} of {len(wanted)} caught in {seconds:.0f} s; {wrong} not as expected")  # noqa: T201 - as above
    sys.exit(wrong > 0)


def _word(breakage: Breakage, found: bool) -> str:
    if found == bool(breakage.survives):
        return "CAUGHT?" if found else "SURVIVED"
    return "caught" if found else "survives"


if __name__ == "__main__":
    main()
