"""The breakages: each a text of our source that is replaced, and what it stands for.

Rule of this file: a text must occur exactly once in its file, so that a changed source makes its breakage fail loudly
instead of testing nothing. A breakage that no test catches is listed with the reason why that is no harm.
"""

import msgspec

JOURNAL = ("kill", "power", "stacked", "eio-once", "eio-persistent", "enospc-once", "eio-then-power", "rot")
ENGINE = ("engine",)


class Breakage(msgspec.Struct, frozen=True):
    """One deliberate breakage.

    Attributes:
        what: is broken.
        file: below `service/corpusmill`.
        old, new: the text that is replaced.
        scenarios: of `tests.sim.crashes` that are run against it.
        survives: why no test can catch it; empty for one that must be caught.
        scale: times the usual seeds.
    """

    what: str
    file: str
    old: str
    new: str
    scenarios: tuple[str, ...] = JOURNAL
    survives: str = ""
    scale: float = 0.2


BREAKAGES = [
    Breakage(
        "a block is acknowledged without fsync",
        "journal/log.py",
        "        self._file.sync()\n        self._places.note(self.next_sequence",
        "        self._places.note(self.next_sequence",
    ),
    Breakage(
        "a segment's first block is acknowledged without fsync",
        "journal/log.py",
        "        self._file.sync()\n        self._files.sync_folder",
        "        self._files.sync_folder",
    ),
    Breakage(
        "a new segment's name is not made durable",
        "journal/log.py",
        "        self._files.sync_folder(self._folder)\n",
        "",
    ),
    Breakage(
        "a failed fsync is tried again on the same file",
        "journal/log.py",
        "        self._file.sync()\n        self._places.note(self.next_sequence",
        "        try:\n            self._file.sync()\n        except OSError:\n            self._file.sync()\n"
        "        self._places.note(self.next_sequence",
    ),
    Breakage(
        "a segment that refused something is written on",
        "journal/log.py",
        "            self._leave(self._offset)\n        self.close()",
        "            return\n        self.close()",
    ),
    Breakage(
        "the last block is not carried over into the next segment",
        "journal/log.py",
        "        if tail.last is not None:\n            block = tail.last\n",
        "        if (last := tail.last) is not None:\n"
        "            base = tail.carried.previous_valid if tail.carried.previous == tail.segment else 0\n"
        "            self._opening = Opening(tail.newest + 1, tail.segment, base + last.size_bytes)\n"
        "        if False:\n            block = tail.last\n",
    ),
    Breakage(
        "what stands behind the valid part of an old segment counts",
        "journal/segment.py",
        "end = max(len(content) if live.valid_bytes is None else live.valid_bytes, offset)",
        "end = len(content)",
    ),
    Breakage(
        "rot is taken for a torn tail",
        "journal/segment.py",
        "        if not torn:",
        "        if False:",
    ),
    Breakage(
        "a torn tail is taken for rot",
        "journal/segment.py",
        "torn = live.valid_bytes is None and not any(",
        "torn = False and not any(",
    ),
    Breakage(
        "frames carry no checksum",
        "journal/block.py",
        "    zstd.CompressionParameter.checksum_flag: 1,",
        "    zstd.CompressionParameter.checksum_flag: 0,",
    ),
    Breakage(
        "the number of a block's lines is not checked",
        "journal/block.py",
        "    if len(lines) != header.n or end:",
        "    if False:",
    ),
    Breakage(
        "the chain from block to block is not checked",
        "journal/segment.py",
        "if self.tail.last is not None and place != (self.tail.next_sequence, self.tail.chain):",
        "if False:",
    ),
    Breakage(
        "short writes are not continued",
        "journal/files.py",
        "        view = view[taken:]",
        "        view = view[len(view) :]",
    ),
    Breakage(
        "recovery begins behind the last commit, not at the first paid call without an outcome",
        "journal/fold.py",
        "needed = self._paid_lines[0] if self._paid_lines else self.sealed_sequence + 1",
        "needed = self.sealed_sequence + 1",
    ),
    Breakage(
        "recovery reads again what was paid for items that have their outcome",
        "journal/fold.py",
        "for line, index in pairs if index not in self.done]",
        "for line, index in pairs]",
    ),
    Breakage(
        "a second commit forgets where the completions stand that the first recovery read",
        "journal/store.py",
        "                self._fold.note_paid(sequence, record.index)\n",
        "                pass\n",
    ),
    Breakage(
        "a place is noted too late",
        "journal/places.py",
        "found = max(bisect_right(self._noted, sequence, key=_first) - 1, 0)",
        "found = max(min(bisect_right(self._noted, sequence, key=_first), len(self._noted) - 1), 0)",
    ),
    Breakage(
        "the fingerprints of sealed shards are not restored",
        "journal/store.py",
        "            self.fingerprints.append(covered)\n",
        "",
    ),
    Breakage(
        "the fingerprints of the journal's tail are not restored",
        "journal/store.py",
        "        self.fingerprints.append(replayed)\n",
        "",
    ),
    Breakage(
        "paid completions of items without an outcome are not restored",
        "journal/store.py",
        "            self.unfinished.add(record, standing, len(line))\n",
        "",
    ),
    Breakage(
        "completions that are not held in memory are not read from the journal",
        "journal/unfinished.py",
        "        for place in reversed(places):\n",
        "        blocks = []\n        for place in reversed(places):\n",
    ),
    Breakage(
        "an item's completions are read from the wrong block",
        "journal/unfinished.py",
        "standing = self._blocks[number]",
        "standing = self._blocks[number - 1]",
    ),
    Breakage(
        "the last sealed line is folded again",
        "journal/store.py",
        "        if sequence > self._fold.sealed_sequence:",
        "        if sequence >= self._fold.sealed_sequence:",
    ),
    Breakage(
        "the last block is sealed before it is carried over",
        "journal/store.py",
        "        log = Log(self._files, folder, reader, self._places, segment_bytes)\n"
        "        self._replay_block(last, replayed)\n",
        "        self._replay_block(last, replayed)\n"
        "        log = Log(self._files, folder, reader, self._places, segment_bytes)\n",
        ("stacked",),
        scale=8,
    ),
    Breakage(
        "a journal that ends before its manifest is accepted",
        "journal/store.py",
        "        if reader.tail.next_sequence <= self._fold.sealed_sequence:",
        "        if False:",
    ),
    Breakage(
        "files of an uncommitted shard are left in place",
        "journal/store.py",
        "            self._files.remove(self._folder / place / name)",
        "            pass",
    ),
    Breakage(
        "a shard is sealed without fsync",
        "journal/shard.py",
        "            sync_once(self._file, self._name)\n            self.close()",
        "            self.close()",
    ),
    Breakage(
        "the rows of kept texts are sealed without fsync",
        "journal/sketches.py",
        "                sync_once(self._file, self._names[-1])\n",
        "",
    ),
    Breakage(
        "the rows of sealed texts are not restored",
        "journal/store.py",
        "                self._fold.sketches.restore(commit.sketches.name, covered.sizes)\n",
        "                pass\n",
    ),
    Breakage(
        "a sidecar or manifest record is put in place without fsync",
        "journal/shard.py",
        "        write_all(file, 0, content)\n        sync_once(file, path.name)",
        "        write_all(file, 0, content)",
    ),
    Breakage(
        "the manifest names shards whose names are not durable",
        "journal/fold.py",
        'for place in ("corpus", "rejects", "state"):',
        'for place in ("state",):',
    ),
    Breakage(
        "the manifest names a sidecar whose name is not durable",
        "journal/fold.py",
        'for place in ("corpus", "rejects", "state"):',
        'for place in ("corpus", "rejects"):',
    ),
    Breakage(
        "a commit's own name is not made durable",
        "journal/manifest.py",
        "    files.sync_folder(folder)\n",
        "",
    ),
    Breakage(
        "a budget's grant is spent before it is durable",
        "engine/purse.py",
        "await self._writer.put_durably(Entry.of(Granted(grant.calls, grant.picodollars)))",
        "self._writer.put(Entry.of(Granted(grant.calls, grant.picodollars)))",
        ENGINE,
        scale=1,
    ),
    Breakage(
        "entries count as durable before they are written",
        "engine/writer.py",
        "            await self._write(_made(batch))\n            self._durable_count += len(batch)\n",
        "            self._durable_count += len(batch)\n            self._room.ring()\n"
        "            await self._write(_made(batch))\n",
        ENGINE,
        scale=1,
    ),
    Breakage(
        "what was granted before a crash does not count as spent",
        "bootstrap/assembly.py",
        "spent = Price(max(figures.calls.sent, granted.calls), max(figures.cost_picodollars, granted.picodollars))",
        "spent = Price(figures.calls.sent, figures.cost_picodollars)",
        ENGINE,
        scale=1,
    ),
    Breakage(
        "a call is reserved at nothing instead of its worst case",
        "engine/caller.py",
        "        worst = lane.worst_case(prompt)\n",
        "        worst = Price(0, 0)\n",
        ENGINE,
        scale=1,
    ),
    Breakage(
        "the next run begins behind what was handed out, not behind what is done",
        "engine/schedule.py",
        "return self._handed_out[0] if self._handed_out else self._position",
        "return self._position",
        ENGINE,
        scale=1,
    ),
    Breakage(
        "decided items are forgotten when a job is opened again",
        "journal/store.py",
        "            self.done.update(covered.decided)\n",
        "",
    ),
]
