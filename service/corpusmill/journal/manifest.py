"""The manifest: numbered commit records, each the point at which shards become part of the corpus.

Rule of this file: a record is written once, whole, and never changed; record n+1 exists only if record n does. A file
that no record names is not part of the corpus.
"""

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Files
from corpusmill.journal.places import Place
from corpusmill.journal.shard import Sealed, shard_number, write_durably
from corpusmill.journal.sheet import Sheet

SUFFIX = ".json"


class StateFile(msgspec.Struct, frozen=True):
    """The sidecar of a commit: which items it covers and their fingerprints."""

    name: str
    bytes: int
    sha256: str


class Commit(msgspec.Struct, frozen=True):
    """One record of the manifest.

    Attributes:
        number: from 1, without gaps.
        corpus, rejects: the shards that this commit adds, if any.
        state: its sidecar.
        sketches: the rows of the texts that its decisions keep, where near duplicates are looked for.
        horizon: every position of the job's order below it has its outcome, or is no item; 0 in older manifests.
        sealed_sequence: decisions up to this line of the journal are in committed shards.
        replay_segment, replay_offset: the journal's block from which recovery must read: it stands at or before the
            first line of any item that was paid for but not decided.
        sheet: the balance sheet at `sealed_sequence`.
        sealed_at: wall clock, ISO 8601, UTC.
        job_state: the job's state when the run ended with this commit, else `running`.
    """

    number: int
    corpus: Sealed | None
    rejects: Sealed | None
    state: StateFile
    sealed_sequence: int
    replay_segment: int
    sheet: Sheet
    sealed_at: str
    job_state: str = "running"
    replay_offset: int = 0
    sketches: StateFile | None = None
    horizon: int = 0

    @property
    def replay(self) -> Place:
        """The block from which recovery must read."""
        return Place(self.replay_segment, self.replay_offset)

    def shards(self) -> list[tuple[str, Sealed]]:
        """Return the shards that this commit adds, with their folders."""
        pairs = (("corpus", self.corpus), ("rejects", self.rejects))
        return [(place, shard) for place, shard in pairs if shard is not None]


class Stored(msgspec.Struct, frozen=True):
    """A commit with the checksum of its own JSON, so that a changed record is noticed."""

    commit: msgspec.Raw
    blake2b: str


def commit_name(number: int) -> str:
    """Return the file name of a manifest record."""
    return f"{number:08d}{SUFFIX}"


def write_commit(files: Files, folder: Path, commit: Commit) -> None:
    """Make a commit durable: on return it is the truth."""
    raw = msgspec.json.encode(commit)
    stored = msgspec.json.encode(Stored(msgspec.Raw(raw), _digest(raw)))
    write_durably(files, folder / commit_name(commit.number), stored + b"\n")
    files.sync_folder(folder)


def read_commits(files: Files, folder: Path) -> list[Commit]:
    """Return all commits in order; CorruptionError where one is missing or changed."""
    names = [name for name in files.names(folder) if name.endswith(SUFFIX)]
    numbers = range(1, len(names) + 1)
    if missing := [commit_name(number) for number in numbers if names[number - 1] != commit_name(number)]:
        raise CorruptionError(f"manifest record {missing[0]} is missing")
    return [read_commit(files, folder, number) for number in numbers]


def read_commit(files: Files, folder: Path, number: int) -> Commit:
    """Return one commit.

    Raises:
        FileNotFoundError: there is none of that number.
        CorruptionError: its record was changed.
    """
    name = commit_name(number)
    try:
        stored = msgspec.json.decode(files.read(folder / name), type=Stored)
        raw = bytes(stored.commit)
        commit = msgspec.json.decode(raw, type=Commit)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptionError(f"manifest record {name} is damaged: {error}") from None
    if stored.blake2b != _digest(raw) or commit.number != number:
        raise CorruptionError(f"manifest record {name} is damaged: its checksum does not match")
    return commit


def commit_of(files: Files, folder: Path, place: Literal["corpus", "rejects"], name: str) -> Commit | None:
    """Return the commit that adds a shard to `corpus` or `rejects`; None if there is none.

    A commit adds one shard to a place at most, so the n-th shard stands in the n-th commit or soon behind it; nothing
    before that is read.

    Raises:
        CorruptionError: a manifest record is damaged.
    """
    wanted = number = shard_number(name)
    while number:
        try:
            commit = read_commit(files, folder, number)
        except FileNotFoundError:
            return None
        sealed = commit.corpus if place == "corpus" else commit.rejects
        if sealed is not None and shard_number(sealed.name) >= wanted:
            return commit if sealed.name == name else None
        number += 1
    return None


def _digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=16).hexdigest()
