"""The table: one line for each comparison, printed when it is known."""

import msgspec

COLUMNS = (44, 18, 22, 8, 14)
"""Widths of all columns but the last."""


class Row(msgspec.Struct, frozen=True):
    """One comparison.

    Attributes:
        what: is compared.
        ours: figure, with its unit.
        reference: figure of what it is compared with, and what that is.
        ratio: ours to the reference.
        bar: what is to be reached; empty where nothing is asked.
        reached: whether it is.
        note: what else was seen.
    """

    what: str
    ours: str
    reference: str
    ratio: float
    bar: str = ""
    reached: bool = True
    note: str = ""


def print_heading() -> None:
    """Print the names of the columns."""
    print(_line("", "corpusmill", "against", "ratio", "bar", ""))
    print("-" * (sum(COLUMNS) + len("short")))


def print_row(row: Row) -> None:
    """Print a comparison, and what else was seen below it."""
    verdict = "" if not row.bar else "ok" if row.reached else "short"
    print(_line(row.what, row.ours, row.reference, f"{row.ratio:.2f}", row.bar, verdict))
    if row.note:
        print(f"    {row.note}")


def _line(*cells: str) -> str:
    *fixed, last = cells
    return "".join(f"{cell:<{width}}" for cell, width in zip(fixed, COLUMNS, strict=True)) + last
