"""Amounts of money on the command line, in US dollars."""

import math
from typing import Any

import click


class Dollars(click.FloatRange):
    """As many as a spec's budget may have; `nan` and `inf`, which a float may be too, are none.

    Args:
        least_open: whether 0 is too little.
    """

    name = "amount"

    def __init__(self, *, least_open: bool = False) -> None:
        super().__init__(min=0, max=1e9, min_open=least_open)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the amount; a usage error where it is none."""
        amount: float = super().convert(value, param, ctx)
        if math.isnan(amount):
            self.fail(f"{value!r} is no amount of money.", param, ctx)
        return amount
