"""How long a source of documents takes to be indexed and read, and how much memory: `python -m benchmarks.documents`.

A JSONL file of the given size is made in a temporary folder, of rows of about 2.2 kB.
"""

import argparse
import json
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from corpusmill.space.documents.axis import DocumentAxis
from corpusmill.space.documents.places import Base
from corpusmill.space.documents.scan import Scanner
from corpusmill.spec.schema import Documents

READS = 5_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024)
    size = parser.parse_args().mebibytes * 2**20
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "posts.jsonl", size)
        spec = Documents(jsonl="posts.jsonl")
        began = time.perf_counter()
        footer = Scanner("post", spec, Base({"": folder}), folder / "post.index", b"").run().footer
        seconds = time.perf_counter() - began
        print(
            f"index  {footer.documents:,} documents in {seconds:.1f} s, {size / 2**20 / seconds:.0f} MiB/s; {_memory()}"
        )
        axis, chance = DocumentAxis("post", spec, folder / "post.index"), random.Random(1)
        began = time.perf_counter()
        for _ in range(READS):
            axis[chance.randrange(len(axis))].text()
        print(f"read   {(time.perf_counter() - began) / READS * 1e6:.0f} microseconds a document; {_memory()}")


def _write(path: Path, size: int) -> None:
    chance = random.Random(1)
    words = [f"w{chance.getrandbits(28):x}" for _ in range(5000)]
    rows = [json.dumps({"id": number, "text": " ".join(chance.choices(words, k=250))}) for number in range(2000)]
    with path.open("w") as file:
        while file.tell() < size:
            file.write("\n".join(chance.sample(rows, 1000)) + "\n")


def _memory() -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return ", ".join(" ".join(line.split()) for line in lines if line.startswith(("VmHWM", "RssAnon")))


if __name__ == "__main__":
    main()
