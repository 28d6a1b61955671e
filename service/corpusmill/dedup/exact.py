"""The index of fingerprints: open addressing in flat arrays, cut into parts so that growing one never stops the world.

Rule of this file: 16 bytes a slot, at most 7 of 10 slots taken; about 23 to 46 bytes a text, whatever its length.
"""

from array import array

PARTS = 4096
"""A part holds 1/4096 of the fingerprints: at 100 million texts, growing one moves about 24,000 entries."""

SMALLEST = 8
"""Slots of a fresh part."""

LOAD_TENTHS = 7
"""How full a part may get, in tenths, before it doubles."""

MANY = 100_000
"""From so many on it is quicker to load numpy first than to add one by one, which takes a microsecond each."""


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

    def load(self, fingerprints: "array[int]", holders: "array[int]") -> None:
        """Add what was kept before, in its order: the same as `add` of each; once, before anything else."""
        if len(fingerprints) < MANY:
            for fingerprint, index in zip(fingerprints, holders, strict=True):
                self.add(fingerprint, index)
            return
        from corpusmill.dedup.slots import laid_out  # noqa: PLC0415 - numpy: only a large job waits for that

        for part in laid_out(fingerprints, holders, PARTS, _slots_for):
            self._keys[part.number], self._holders[part.number] = part.keys, part.holders
            self._taken[part.number] = part.taken
        self._count = sum(self._taken)

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


def _slots_for(fingerprints: int) -> int:
    """Return how many slots hold so many, and one more."""
    slots = SMALLEST
    while slots * LOAD_TENTHS < (fingerprints + 1) * 10:
        slots *= 2
    return slots


def _slot(keys: "array[int]", fingerprint: int) -> int:
    """Return the slot that holds the fingerprint, or the empty one where it belongs (linear probing)."""
    mask = len(keys) - 1
    slot = (fingerprint // PARTS) & mask
    while keys[slot] and keys[slot] != fingerprint:
        slot = (slot + 1) & mask
    return slot
