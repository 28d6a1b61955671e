"""Which items are done: one bit an item, in pages, full pages as nothing."""

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

    def __contains__(self, index: int) -> bool:
        number, bit = divmod(index, PAGE_BITS)
        page = self._pages.get(number, _EMPTY)
        return page is None or bool(page[bit >> 3] & (1 << (bit & 7)))

    def __len__(self) -> int:
        return self.count


_EMPTY = bytearray(PAGE_BITS // 8)
"""Stands for a page that is not there yet; never written to."""
