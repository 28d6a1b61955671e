import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.exports.errors import ExportError
from corpusmill.exports.formats import JSON_LINES, encode_line
from corpusmill.exports.record import read_record

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


def line(**content: Any) -> bytes:
    return msgspec.json.encode({"id": "job:4:outline", "index": 4, "example": "outline", "values": {"x": 1}, **content})


def pair(prompt: str, completion: str) -> bytes:
    return line(prompt=prompt, completion=completion)


def chat(*turns: tuple[str, str]) -> bytes:
    return line(messages=[{"role": role, "content": content} for role, content in turns])


def exported(form: str, corpus_line: bytes) -> Any:
    return json.loads(encode_line(JSON_LINES[form](read_record(corpus_line))))


@given(TEXTS.filter(str.strip), TEXTS)
def test_prompt_and_completion_in_every_format(prompt: str, completion: str) -> None:
    corpus_line = pair(prompt, completion)
    assert exported("prompt-completion", corpus_line) == {"prompt": prompt, "completion": completion}
    assert exported("openai-chat", corpus_line) == {
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
    }
    assert exported("sharegpt", corpus_line) == {
        "conversations": [{"from": "human", "value": prompt}, {"from": "gpt", "value": completion}]
    }
    assert exported("alpaca", corpus_line) == {"instruction": prompt, "input": "", "output": completion}


@given(TEXTS, TEXTS, TEXTS)
def test_one_exchange_with_a_system_message_in_every_format(system: str, user: str, assistant: str) -> None:
    corpus_line = chat(("system", system), ("user", user), ("assistant", assistant))
    assert exported("openai-chat", corpus_line) == {"messages": json.loads(corpus_line)["messages"]}
    assert exported("prompt-completion", corpus_line) == {"prompt": f"{system}\n\n{user}", "completion": assistant}
    assert [turn["from"] for turn in exported("sharegpt", corpus_line)["conversations"]] == ["system", "human", "gpt"]
    assert exported("alpaca", corpus_line) == {
        "instruction": user,
        "input": "",
        "output": assistant,
        "system": system,
    }


def test_a_chat_without_a_system_message_has_none_afterwards() -> None:
    corpus_line = chat(("user", "Q"), ("assistant", "A"))
    assert exported("prompt-completion", corpus_line) == {"prompt": "Q", "completion": "A"}
    assert exported("alpaca", corpus_line) == {"instruction": "Q", "input": "", "output": "A"}


LONG = (("user", "1"), ("assistant", "2"), ("user", "3"), ("assistant", "4"))


@pytest.mark.parametrize("turns", [LONG, (("assistant", "alone"),), (("system", "S"), ("assistant", "A"))])
@pytest.mark.parametrize("form", ["prompt-completion", "alpaca"])
def test_what_is_not_one_exchange_is_refused_with_the_record_and_the_way_out(
    form: str, turns: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(ExportError, match=r"^record job:4:outline, of example outline, .*--example NAME") as told:
        exported(form, chat(*turns))
    assert ", ".join(role for role, _ in turns) in str(told.value)
    assert len(exported("openai-chat", chat(*turns))["messages"]) == len(turns)
    assert len(exported("sharegpt", chat(*turns))["conversations"]) == len(turns)


@pytest.mark.parametrize("form", ["openai-chat", "sharegpt"])
def test_an_empty_prompt_is_no_chat(form: str) -> None:
    with pytest.raises(ExportError, match=r"^record job:4:outline, of example outline, has an empty prompt"):
        exported(form, pair(" ", "all by itself"))
    assert exported("prompt-completion", pair("", "all by itself")) == {"prompt": "", "completion": "all by itself"}


@given(TEXTS, TEXTS, TEXTS)
def test_a_preference_after_a_prompt_in_both_trainers_formats(prompt: str, chosen: str, rejected: str) -> None:
    corpus_line = line(prompt=prompt, chosen=chosen, rejected=rejected)
    assert exported("trl-preference", corpus_line) == {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    assert exported("openai-preference", corpus_line) == {
        "input": {"messages": [{"role": "user", "content": prompt}]},
        "preferred_output": [{"role": "assistant", "content": chosen}],
        "non_preferred_output": [{"role": "assistant", "content": rejected}],
    }


def test_a_preference_after_a_chat_keeps_the_chat() -> None:
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    corpus_line = line(messages=messages, chosen="A", rejected="B")
    assert exported("trl-preference", corpus_line) == {
        "prompt": messages,
        "chosen": [{"role": "assistant", "content": "A"}],
        "rejected": [{"role": "assistant", "content": "B"}],
    }
    assert exported("openai-preference", corpus_line)["input"] == {"messages": messages}


@pytest.mark.parametrize("form", sorted(JSON_LINES))
def test_a_preference_and_one_answer_are_not_taken_for_each_other(form: str) -> None:
    one, two = pair("Q", "A"), line(prompt="Q", chosen="A", rejected="B")
    with pytest.raises(ExportError, match=r"preference.*--example NAME"):
        exported(form, one if form.endswith("-preference") else two)
