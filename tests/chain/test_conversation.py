"""The messages that stand before a step's prompt."""

import pytest

from corpusmill.chain.chain import conversation
from corpusmill.chain.completion import Message
from corpusmill.spec.errors import RenderError


def test_messages_are_taken_as_they_are() -> None:
    value = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "", "name": "x"}]
    assert conversation(value) == (Message("user", "Hi"), Message("assistant", ""))
    assert conversation([]) == ()


@pytest.mark.parametrize(
    "value", ["text", [{}], [{"role": "system", "content": "x"}], [{"role": "user", "content": 1}]]
)
def test_what_are_no_messages_fails_the_item(value: object) -> None:
    with pytest.raises(RenderError, match="`conversation` gives no list of messages"):
        conversation(value)
