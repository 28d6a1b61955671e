"""The journal's lines: what older versions wrote is read, and what is usual is not written."""

import random
from pathlib import Path

import msgspec
import pytest

from corpusmill.journal.files import write_all
from corpusmill.journal.manifest import read_commits
from corpusmill.journal.records import Attempts, Billed, Decided, Paid, decode_record, encode_record
from tests.sim.disk import SimDisk

EARLIER_COMMIT = (
    b'{"commit":{"number":1,"corpus":{"name":"00001.jsonl","records":50000,"bytes":101413280,"sha256":"f73'
    b'064cc0595bc3933774bbbc1c145b6b589af9458865a1aeaadd51c1c3362ff"},"rejects":null,"state":{"name":"0000'
    b'0001.idx","bytes":1200060,"sha256":"9be3ece3f4a714ee85bc929019825fc633b0eaef11d40dffef767e1390d7e61e'
    b'"},"sealed_sequence":100001,"replay_segment":1,"sheet":{"outcomes":{"kept":50000,"rejected":0,"dupli'
    b'cate":0,"failed":0},"rejected_by":{},"failed_by":{},"records":50000,"calls":{"sent":50001,"answered"'
    b':50001,"rate_limited":0,"errors":0},"tokens":{"input":3000060,"cached_input":0,"output":20000400},"c'
    b'ost_picodollars":0,"unpriced":50001,"granted":null,"sample":{"items":0,"faults":{}},"learnt":{}},"se'
    b'aled_at":"2025-01-01T00:00:00.000Z","job_state":"running","replay_offset":42647475,"sketches":null},'
    b'"blake2b":"ab6c47ddab660ba306f374709801aa98"}'
)


def test_a_completion_of_a_step_with_one_part_is_written_as_ever() -> None:
    paid = Paid(7, 1, 2, Attempts(1), "m", msgspec.Raw(b'{"choices":[]}'))
    line = encode_record(paid)
    assert line == b'{"k":"r","i":7,"s":1,"a":2,"t":[1,0,0,null],"m":"m","body":{"choices":[]}}'
    found = decode_record(line)
    assert isinstance(found, Paid)
    assert found.place == (1, 0, 2)


def test_the_part_of_a_step_is_kept() -> None:
    paid = Paid(7, 1, 2, Attempts(1), "m", msgspec.Raw(b"{}"), part=3)
    found = decode_record(encode_record(paid))
    assert isinstance(found, Paid)
    assert found.place == (1, 3, 2)


def test_the_request_id_is_kept_and_a_line_without_one_is_read() -> None:
    paid = Paid(7, 1, 2, Attempts(1), "m", msgspec.Raw(b"{}"), request_id="req_1")
    assert encode_record(paid) == b'{"k":"r","i":7,"s":1,"a":2,"t":[1,0,0,null],"m":"m","body":{},"q":"req_1"}'
    found = decode_record(b'{"k":"r","i":7,"s":1,"a":2,"t":[1,0,0],"m":"m","body":{}}')
    assert isinstance(found, Paid)
    assert found.request_id == ""


def test_what_calls_without_a_completion_cost_is_kept_and_lines_that_do_not_tell_it_are_read() -> None:
    decided = Decided(7, "failed", "empty_choice", attempts=Attempts(2, 0, 2, Billed(10, 4, 0, 99)))
    assert decode_record(encode_record(decided)) == decided
    old = decode_record(b'{"k":"o","i":7,"v":"failed","t":[2,0,2]}')
    assert isinstance(old, Decided)
    assert old.attempts == Attempts(2, 0, 2)


def test_a_manifest_record_of_an_earlier_version_is_read() -> None:
    """Written before commits had a horizon; its checksum is over what it says."""
    disk, folder = SimDisk(random.Random(1)), Path("/manifest")
    disk.make_folder(folder)
    write_all(disk.create(folder / "00000001.json"), 0, EARLIER_COMMIT)
    (commit,) = read_commits(disk, folder)
    assert commit.horizon == 0
    assert (commit.sealed_sequence, commit.replay.offset, commit.sheet.outcomes.kept) == (100001, 42647475, 50000)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Attempts(1), Attempts(2, 1), Attempts(3, 1)),
        (Attempts(1, 0, 1, Billed(5, 1, 2, 7)), Attempts(1), Attempts(2, 0, 1, Billed(5, 1, 2, 7))),
        (
            Attempts(1, 0, 1, Billed(5, 1, 2, 7)),
            Attempts(1, 0, 1, Billed(1, 1, 1, 1, 1)),
            Attempts(2, 0, 2, Billed(6, 2, 3, 8, 1)),
        ),
    ],
)
def test_attempts_add_up_with_what_they_cost(one: Attempts, other: Attempts, both: Attempts) -> None:
    assert one + other == other + one == both
