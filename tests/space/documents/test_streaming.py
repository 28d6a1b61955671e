"""A source is streamed: memory grows neither with its size nor with the number of its documents."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import random, resource, sys
from pathlib import Path
from corpusmill.space.documents.axis import DocumentAxis
from corpusmill.space.documents.places import Base
from corpusmill.space.documents.scan import Scanner
from corpusmill.spec.schema import Clean, Documents, SpaceSpec
from corpusmill.space.space import build_space

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

folder = Path(sys.argv[1])
spec = Documents(jsonl="posts.jsonl", clean=Clean(collapse=True), min_chars=10)
before = peak()
documents = Scanner("post", spec, Base({"": folder}), folder / "post.index", b"").run().footer.documents
axis = DocumentAxis("post", spec, folder / "post.index")
space = build_space(SpaceSpec(documents={"post": spec}), 7, None, {"post": axis})
for _ in range(2000):
    space.item(random.randrange(space.size)).values["post"].text()
print(documents, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from Linux's /proc")
def test_fifty_megabytes_in_two_hundred_thousand_documents_take_little_memory(tmp_path: Path) -> None:
    rows = [json.dumps({"id": number, "text": f"{number} words of a text " * 12}) for number in range(1000)]
    block = "\n".join(rows) + "\n"
    with (tmp_path / "posts.jsonl").open("w") as file:
        for _ in range(200):
            file.write(block)
    assert (tmp_path / "posts.jsonl").stat().st_size > 50_000_000
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    documents, kilobytes = map(int, subprocess.run(command, capture_output=True, check=True).stdout.split())
    assert documents == 200_000
    # 9.6 MB of index are mapped, and 16 MB of documents may be kept; the source is 52 MB.
    assert kilobytes < 34_000
