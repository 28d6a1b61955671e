"""Chat completions as the server gives them: as long as plot outlines, each with a serial number in it."""

import msgspec

from benchmarks.prose import invented_texts

MODEL = "prepared"

TEXTS = 1024
TEXT_CHARS = 2000
"""About 400 tokens."""

SERIAL = "0000000000"
"""Stands at the beginning of a text where each answer's serial number goes."""


def prepared_texts() -> list[str]:
    """Return the texts, with the place of the serial number."""
    return [f"{SERIAL} {text}" for text in invented_texts(TEXTS, TEXT_CHARS - len(SERIAL) - 1)]


def completion_body(number: int, text: str) -> bytes:
    """Return the JSON of a chat completion of a text."""
    message = {"role": "assistant", "content": text, "refusal": None}
    answer = {
        "id": f"chatcmpl-{number:024d}",
        "object": "chat.completion",
        "created": 1_750_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 60,
            "completion_tokens": 400,
            "total_tokens": 460,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
    return msgspec.json.encode(answer)
