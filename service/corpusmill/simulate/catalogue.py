"""Which models the endpoint answers to.

Rule of this file: the configured names, and every name whose price is known, so that costs can be tried out.
"""

from functools import lru_cache


class Catalogue:
    """The models of one endpoint."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def has(self, name: str) -> bool:
        """Whether a request for this model is answered."""
        return name in self.names or (0 < len(name) <= 200 and _is_priced(name))


@lru_cache(maxsize=1024)
def _is_priced(name: str) -> bool:
    """Whether the price tables know the name, at any provider."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - a tenth of a second that most runs never need

    return any(provider.find_model(name) is not None for provider in get_snapshot().providers)
