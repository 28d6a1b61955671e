"""The generations of a job: what its answers came to under its first spec, and under those it was folded with since.

Rules of this file: the first generation is the job's own folder, later ones stand below it, each with all that a job's
folder has, so that whatever reads a job reads a generation. One that is not complete has another name; giving it its
own, in one step, is the point at which it is there. The newest complete one is the current one.
"""

import shutil
from pathlib import Path

import msgspec

from corpusmill.jobs.folder import JobFolderError, keep_spec
from corpusmill.journal.files import Files
from corpusmill.journal.shard import write_durably
from corpusmill.spec.freeze import spec_to_json
from corpusmill.spec.schema import JobSpec

GENERATIONS = "generations"
PART = ".part"
ORIGIN = "origin.json"


def generations(home: Path) -> list[int]:
    """Return the numbers of a job's complete generations, ascending; 1 is always there."""
    folder = home / GENERATIONS
    later = [int(path.name) for path in folder.iterdir() if path.name.isdigit()] if folder.exists() else []
    return [1, *sorted(later)]


def generation_path(home: Path, number: int | None = None) -> Path:
    """Return the folder of a generation, by default the current one.

    Raises:
        JobFolderError: there is no such generation.
    """
    known = generations(home)
    number = known[-1] if number is None else number
    if number not in known:
        told = ", ".join(map(str, known))
        raise JobFolderError(f"job {home.name} has no generation {number}; there are: {told}")
    return home if number == 1 else home / GENERATIONS / f"{number:04d}"


class Origin(msgspec.Struct, frozen=True):
    """Where a generation came from: the generation that was folded, and whether calls of its own were added."""

    source: int
    calls: bool


def newest_with_calls(home: Path) -> int:
    """Return the newest generation with completions of its own: what a fold reads by default."""
    later = [number for number in generations(home)[1:] if _origin(generation_path(home, number)).calls]
    return later[-1] if later else 1


def begun(files: Files, home: Path, spec: JobSpec, origin: Origin) -> Path:
    """Return the folder of the next generation: the one that was left incomplete like this, or a new one."""
    folder = home / GENERATIONS
    files.make_folder(folder)
    files.sync_folder(home)
    part = folder / f"{generations(home)[-1] + 1:04d}{PART}"
    kept = part / "spec.json"
    if not kept.exists() or kept.read_bytes() != spec_to_json(spec) or _origin(part) != origin:
        shutil.rmtree(part, ignore_errors=True)
        files.make_folder(part)
        write_durably(files, part / ORIGIN, msgspec.json.encode(origin))
        keep_spec(files, part, spec)
    return part


def complete(files: Files, part: Path) -> int:
    """Let a generation be there; return its number."""
    final = part.with_name(part.name.removesuffix(PART))
    files.rename(part, final)
    files.sync_folder(final.parent)
    return int(final.name)


def _origin(folder: Path) -> Origin:
    return msgspec.json.decode((folder / ORIGIN).read_bytes(), type=Origin)
