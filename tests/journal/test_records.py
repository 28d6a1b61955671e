"""The journal's lines: what older versions wrote is read, and what is usual is not written."""

import msgspec
import pytest

from corpusmill.journal.records import Attempts, Billed, Decided, Paid, decode_record, encode_record


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
