"""The journal's lines: what older versions wrote is read, and what is usual is not written."""

import msgspec

from corpusmill.journal.records import Attempts, Paid, decode_record, encode_record


def test_a_completion_of_a_step_with_one_part_is_written_as_ever() -> None:
    paid = Paid(7, 1, 2, Attempts(1), "m", msgspec.Raw(b'{"choices":[]}'))
    line = encode_record(paid)
    assert line == b'{"k":"r","i":7,"s":1,"a":2,"t":[1,0,0],"m":"m","body":{"choices":[]}}'
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
    assert encode_record(paid) == b'{"k":"r","i":7,"s":1,"a":2,"t":[1,0,0],"m":"m","body":{},"q":"req_1"}'
    found = decode_record(b'{"k":"r","i":7,"s":1,"a":2,"t":[1,0,0],"m":"m","body":{}}')
    assert isinstance(found, Paid)
    assert found.request_id == ""
