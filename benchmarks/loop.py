"""`make loop`: the recipe medical-loop, from notes to the verdict on notes that no model has seen.

The endpoint is simulated unless OPENAI_BASE_URL or OPENAI_API_KEY is set; then LOOP_MODEL names the base model there,
and LOOP_JUDGE the judge.
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

RECIPE = "medical-loop"
FOLDER = Path("out/loop")
PROGRAM = [sys.executable, "-m", "corpusmill"]
MODEL, JUDGE = "simulated", "judge"
HABITS = {"--invented": "0.15", "--missed": "0.12", "--sloppy": "0.30", "--tuned": "0.2", "--judge-bias": "0.15"}
"""The truth: what the simulated base model does wrong, what of that its tuned one still does, and the judge's habit."""


def main() -> int:
    """Go through the loop; return the first exit code that is not 0."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with endpoint() as environment:
        model, judge = environment.get("LOOP_MODEL", MODEL), environment.get("LOOP_JUDGE", JUDGE)
        steps = (
            ("recipes", "copy", RECIPE, "."),
            ("run", f"{RECIPE}.yaml", "--model-name", model, "--quiet"),
            ("finetune", RECIPE, "--model", model),
            ("evaluate", "heldout.yaml", "--model-name", model, "--html", "heldout.html"),
        )
        FOLDER.mkdir()
        for step in steps:
            print(f"\n$ corpusmill {' '.join(step)}", flush=True)
            code = subprocess.run([*PROGRAM, *step], cwd=FOLDER, env=environment, check=False).returncode
            if code:
                return code
            if step[0] == "recipes" and judge != JUDGE:
                spec = FOLDER / "heldout.yaml"
                spec.write_text(spec.read_text("utf-8").replace(f"model: {JUDGE} ", f"model: {judge} "))
    print(f"\nThe notes, the corpus, the attempt and all answers are in {FOLDER}.")
    return 0


@contextmanager
def endpoint() -> Iterator[dict[str, str]]:
    """Give the environment of the commands: the caller's endpoint, or a simulated one while the block runs."""
    if os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY"):
        yield dict(os.environ)
        return
    told = [each for pair in HABITS.items() for each in pair]
    # Items in other words than the reference's would be counted as wrong, and the truth would not be known.
    served = ["simulate", "--port", "0", "--models", f"{MODEL},{JUDGE}", "--reworded", "0"]
    process = subprocess.Popen([*PROGRAM, *served, *told], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        ready = re.search(r"ready: (\S+)", process.stderr.readline())
        assert ready is not None
        invented, missed, sloppy, tuned, bias = map(float, HABITS.values())
        for name, share in (("base", 1.0), ("tuned", tuned)):
            truth = f"precision {1 - share * invented:.3f}, recall {1 - share * missed:.3f}"
            print(f"simulated {name}: {truth}, {share * sloppy:.0%} of lists without bullets")
        print(f"simulated judge: names the answer that stands first, whatever it says, in {bias:.0%} of its verdicts")
        yield {**os.environ, "OPENAI_BASE_URL": ready.group(1)}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stderr.close()


if __name__ == "__main__":
    sys.exit(main())
