"""What a job has sealed of the texts that it kept, read by another.

Rule of this file: nothing is written, and no lock is taken; what a commit names stays as it is.
"""

from pathlib import Path

import msgspec

from corpusmill.journal.files import Files
from corpusmill.journal.manifest import read_commits
from corpusmill.journal.sketches import Sketches
from corpusmill.journal.state import Covered


class Sidecars(msgspec.Struct, frozen=True):
    """The sidecars of a job's commits, in order, and the rows of the texts they cover."""

    kept: list[Covered]
    sketches: Sketches


def read_sidecars(files: Files, folder: Path) -> Sidecars:
    """Read the sidecars of the job in a folder.

    Raises:
        FileNotFoundError: there is no job.
        CorruptionError: they are not what the manifest says.
    """
    state, kept = folder / "state", list[Covered]()
    commits = read_commits(files, folder / "manifest")
    sketches = Sketches(files, state, len(commits) + 1)
    for commit in commits:
        kept.append(Covered.read(files, state, commit.state))
        if commit.sketches is not None:
            sketches.restore(commit.sketches.name, kept[-1].sizes)
    return Sidecars(kept, sketches)
