"""`make loop`: notes, a corpus, a model trained on it, and base against tuned on notes that neither has seen.

The endpoint is simulated unless OPENAI_BASE_URL or OPENAI_API_KEY is set; then LOOP_MODEL names the base model there.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.loop.notes import write

HERE = Path(__file__).parent
FOLDER = Path("out/loop")
PROGRAM = [sys.executable, "-m", "corpusmill"]
HABITS = {"--invented": "0.15", "--missed": "0.12", "--sloppy": "0.30", "--tuned": "0.2"}
"""The truth: what the simulated base model does wrong, and what of that its tuned one still does."""


def main() -> int:
    """Go through the loop; return the first exit code that is not 0."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    write(FOLDER)
    with endpoint() as environment:
        model = environment.get("LOOP_MODEL", "simulated")
        for name in ("medical.yaml", "heldout.yaml"):
            (FOLDER / name).write_text((HERE / name).read_text("utf-8").replace("base: simulated", f"base: {model}"))
        for arguments in (
            ["run", "medical.yaml", "--model-name", model, "--quiet"],
            ["finetune", "medical", "--model", model],
            ["evaluate", "heldout.yaml", "--html", "heldout.html"],
        ):
            print(f"\n$ corpusmill {' '.join(arguments)}", flush=True)
            code = subprocess.run([*PROGRAM, *arguments], cwd=FOLDER, env=environment, check=False).returncode
            if code:
                return code
    print(f"\nThe notes, the corpus, the attempt and all answers are in {FOLDER}.")
    return 0


@contextmanager
def endpoint() -> Iterator[dict[str, str]]:
    """Give the environment of the commands: the caller's endpoint, or a simulated one while the block runs."""
    if os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY"):
        yield dict(os.environ)
        return
    told = [each for pair in HABITS.items() for each in pair]
    process = subprocess.Popen([*PROGRAM, "simulate", "--port", "0", *told], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        ready = re.search(r"ready: (\S+)", process.stderr.readline())
        assert ready is not None
        invented, missed, sloppy, tuned = map(float, HABITS.values())
        for name, share in (("base", 1.0), ("tuned", tuned)):
            truth = f"precision {1 - share * invented:.3f}, recall {1 - share * missed:.3f}"
            print(f"simulated {name}: {truth}, {share * sloppy:.0%} of lists without bullets")
        yield {**os.environ, "OPENAI_BASE_URL": ready.group(1)}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stderr.close()


if __name__ == "__main__":
    sys.exit(main())
