"""`corpusmill run`, measured from inside its process.

Run as `python -m benchmarks.command SPEC ...`, it is the command itself with everything imported beforehand; behind the
command's own output it prints what it cost as JSON.
"""

import sys

import msgspec

from benchmarks.cost import Cost, measured
from corpusmill.cli.run import run


def main() -> None:
    """Measure the command."""
    cost = Cost(0)
    with measured(cost):
        code = run.main(sys.argv[1:], prog_name="corpusmill run", standalone_mode=False)
    print(msgspec.json.encode(cost).decode())
    sys.exit(code)


if __name__ == "__main__":
    main()
