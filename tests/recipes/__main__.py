"""`python -m tests.recipes` (`make recipes`): every recipe at a small size, on an endpoint that errs, with its books.

It fails if the books of one do not add up.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from corpusmill.recipes import recipe_names
from tests.recipes.rehearsal import Rehearsal, rehearse

COLUMNS = ("recipe", "items", "kept", "rejected", "duplicate", "failed", "records", "calls", "errors", "seconds")


def main() -> None:
    """Rehearse the recipes that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.recipes", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="RECIPE", help="which; default: all")
    parser.add_argument("--limit", type=int, default=60, help="items of each at most (default: %(default)s)")
    parser.add_argument("--samples", action="store_true", help="show a record of each, and why items were rejected")
    options = parser.parse_args()
    _row(*COLUMNS)
    problems = []
    for name in options.names or recipe_names():
        with TemporaryDirectory(prefix="corpusmill-recipe-") as folder:
            rehearsal = rehearse(name, Path(folder), options.limit)
        _show(name, rehearsal)
        if options.samples:
            _show_sample(rehearsal)
        problems += [f"{name}: {problem}" for problem in rehearsal.problems()]
    sys.exit("\n".join(problems) or 0)


def _show(name: str, rehearsal: Rehearsal) -> None:
    sheet = rehearsal.summary
    out, calls = sheet.outcomes, sheet.calls
    errors = calls.errors + calls.rate_limited
    balance = (out.total, out.kept, out.rejected, out.duplicate, out.failed, sheet.records)
    _row(name, *balance, calls.sent, errors, f"{sheet.seconds:.1f}")
    reasons = [f"{reason} {count}" for reason, count in {**sheet.rejected_by, **sheet.failed_by}.items()]
    if reasons:
        print(f"{'':<26}{', '.join(reasons)}")


def _show_sample(rehearsal: Rehearsal) -> None:
    for line in {line["example"]: line for line in rehearsal.corpus}.values():
        shown = {key: line[key] for key in ("example", "prompt", "completion", "messages") if key in line}
        print("\n".join(f"    {key}: {value!s:.1500}" for key, value in shown.items()), end="\n\n")
    for line in {line["reason"]: line for line in rehearsal.rejects}.values():
        print(f"    {line['reason']}: {line['detail']:.300}")


def _row(name: object, *cells: object) -> None:
    print(f"{name!s:<26}" + "".join(f"{cell!s:>10}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
