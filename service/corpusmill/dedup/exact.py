"""The index of fingerprints: open addressing in flat arrays, cut into parts so that growing one never stops the world.

Rule of this file: 16 bytes a slot, at most 7 of 10 slots taken; about 23 to 46 bytes a text, whatever its length.
"""

from array import array
from collections.abc import Sequence

PARTS = 4096
"""A part holds 1/4096 of the fingerprints: at 100 million texts, growing one moves about 24,000 entries."""

SMALLEST = 8
"""Slots of a fresh part."""

LOAD_TENTHS = 7
"""How full a part may get, in tenths, before it doubles."""


class ExactIndex:
    """Maps the fingerprint of a kept text to the index of the item that holds it. Grows only."""

    def __init__(self) -> None:
        self._keys: list[array[int] | None] = [None] * PARTS
        self._holders: list[array[int] | None] = [None] * PARTS
        self._taken = [0] * PARTS
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size_bytes(self) -> int:
        """Memory of the slots."""
        return sum(16 * len(keys) for keys in self._keys if keys is not None)

    def holder(self, fingerprint: int) -> int | None:
        """Return the item that holds the text, or None if there is none."""
        part = fingerprint % PARTS
        keys, holders = self._keys[part], self._holders[part]
        if keys is None or holders is None:
            return None
        slot = _slot(keys, fingerprint)
        return holders[slot] if keys[slot] else None

    def add(self, fingerprint: int, index: int) -> bool:
        """Remember that item `index` holds the text; return False, changing nothing, if some item already does."""
        part = fingerprint % PARTS
        keys, holders = self._keys[part], self._holders[part]
        if keys is None or holders is None:
            keys, holders = self._grow(part, SMALLEST)
        slot = _slot(keys, fingerprint)
        if keys[slot]:
            return False
        if (self._taken[part] + 1) * 10 > len(keys) * LOAD_TENTHS:
            keys, holders = self._grow(part, 2 * len(keys))
            slot = _slot(keys, fingerprint)
        keys[slot], holders[slot] = fingerprint, index
        self._taken[part] += 1
        self._count += 1
        return True

    def load(self, fingerprints: Sequence[int], holders: Sequence[int]) -> None:
        """Add many, in the order in which they were kept: the same as `add`, with its loop in place."""
        all_keys, all_holders, taken = self._keys, self._holders, self._taken
        for fingerprint, index in zip(fingerprints, holders, strict=True):
            part = fingerprint % PARTS
            keys, its_holders = all_keys[part], all_holders[part]
            if keys is None or its_holders is None or taken[part] * 10 >= (len(keys) - 2) * LOAD_TENTHS:
                self.add(fingerprint, index)
                continue
            mask = len(keys) - 1
            slot = (fingerprint // PARTS) & mask
            while (key := keys[slot]) and key != fingerprint:
                slot = (slot + 1) & mask
            if not key:
                keys[slot], its_holders[slot] = fingerprint, index
                taken[part] += 1
        self._count = sum(taken)

    def reserve(self, more: int) -> None:
        """Make room for so many more at once; from a few thousand on that is quicker than growing as they come."""
        share = -(-(self._count + more) // PARTS)
        slots = SMALLEST
        while slots * LOAD_TENTHS < share * 10:
            slots *= 2
        for part, keys in enumerate(self._keys):
            if more >= PARTS and (keys is None or len(keys) < slots):
                self._grow(part, slots)

    def _grow(self, part: int, slots: int) -> tuple["array[int]", "array[int]"]:
        keys, holders = array("Q", bytes(8 * slots)), array("Q", bytes(8 * slots))
        old_keys, old_holders = self._keys[part], self._holders[part]
        if old_keys is not None and old_holders is not None:
            for key, holder in zip(old_keys, old_holders, strict=True):
                if key:
                    slot = _slot(keys, key)
                    keys[slot], holders[slot] = key, holder
        self._keys[part], self._holders[part] = keys, holders
        return keys, holders


def _slot(keys: "array[int]", fingerprint: int) -> int:
    """Return the slot that holds the fingerprint, or the empty one where it belongs (linear probing)."""
    mask = len(keys) - 1
    slot = (fingerprint // PARTS) & mask
    while keys[slot] and keys[slot] != fingerprint:
        slot = (slot + 1) & mask
    return slot
