"""Which items are done: one bit an item, in pages, full pages as nothing."""

from collections.abc import Iterable, Iterator

PAGE_BITS = 1 << 16


class DoneSet:
    """A set of item indexes that only grows.

    A page is 8 KiB and covers 65,536 indexes; a page whose indexes are all done is kept as `None`, so a job that is
    done up to n needs about n / 65,536 dictionary entries.
    """

    def __init__(self) -> None:
        self._pages: dict[int, bytearray | None] = {}
        self._missing: dict[int, int] = {}
        self.count = 0

    def add(self, index: int) -> bool:
        """Mark an index as done; return whether it was not done before."""
        number, bit = divmod(index, PAGE_BITS)
        page = self._pages.get(number, _EMPTY)
        if page is None:
            return False
        if page is _EMPTY:
            page = self._pages[number] = bytearray(PAGE_BITS // 8)
            self._missing[number] = PAGE_BITS
        mask = 1 << (bit & 7)
        if page[bit >> 3] & mask:
            return False
        page[bit >> 3] |= mask
        self._missing[number] -= 1
        self.count += 1
        if not self._missing[number]:
            self._pages[number] = None
        return True

    def update(self, indexes: Iterable[int]) -> None:
        """Mark many as done: the same as `add`, with its loop in place; a job is opened with millions."""
        touched: dict[int, bytearray] = {}
        number, page = -1, _EMPTY
        for index in indexes:
            if index // PAGE_BITS != number:
                number = index // PAGE_BITS
                page = touched.get(number) or self._page_to_fill(number, touched)
            page[(index % PAGE_BITS) >> 3] |= 1 << (index & 7)
        for number, page in touched.items():
            missing = PAGE_BITS - int.from_bytes(page).bit_count()
            self.count += self._missing.get(number, PAGE_BITS) - missing
            self._missing[number] = missing
            self._pages[number] = page if missing else None

    def count_below(self, index: int) -> int:
        """Return how many indexes of the set are below this one."""
        number, bit = divmod(index, PAGE_BITS)
        whole = sum(PAGE_BITS - self._missing[page] for page in self._pages if page < number)
        return whole + (int.from_bytes(self._bits(number), "little") & ((1 << bit) - 1)).bit_count()

    def __iter__(self) -> Iterator[int]:
        """Yield the indexes in ascending order."""
        for number in sorted(self._pages):
            for place, byte in enumerate(self._bits(number), number * PAGE_BITS // 8):
                yield from (8 * place + bit for bit in range(8) if byte >> bit & 1)

    def __contains__(self, index: int) -> bool:
        number, bit = divmod(index, PAGE_BITS)
        page = self._pages.get(number, _EMPTY)
        return page is None or bool(page[bit >> 3] & (1 << (bit & 7)))

    def __len__(self) -> int:
        return self.count

    def _bits(self, number: int) -> bytes | bytearray:
        page = self._pages.get(number, _EMPTY)
        return _FULL if page is None else page

    def _page_to_fill(self, number: int, touched: dict[int, bytearray]) -> bytearray:
        page = self._pages.get(number, _EMPTY)
        found = bytearray(self._bits(number)) if page is None or page is _EMPTY else page
        touched[number] = found
        return found


_EMPTY = bytearray(PAGE_BITS // 8)
"""Stands for a page that is not there yet; never written to."""

_FULL = b"\xff" * len(_EMPTY)
