"""How busy a self-hosted server is, from its own metrics, and the width that keeps it full and no fuller.

Rule of this file: a short queue in the server proves that it is full; a long one only adds latency. Never steer by
latency: output length dominates it, and decoding slows down smoothly with the size of the batch. The metric names are
those of vLLM, with those of SGLang and of llama.cpp's server beside them.
"""

import re

import msgspec

WAITING_LITTLE = 0.02
WAITING_MUCH = 0.08
PREEMPTIONS_MUCH = 0.01
GROW = 1.25
GROW_NEAR = 1.05
SHRINK = 0.93
SATURATED = 0.9
LONGEST_TEXT = 4_000_000
NAMES = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:num_preemptions_total": "preemptions",
    "sglang:num_running_reqs": "running",
    "sglang:num_queue_reqs": "waiting",
    "llamacpp:requests_processing": "running",
    "llamacpp:requests_deferred": "waiting",
}
LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{[^}\n]*\})?[ \t]+([0-9.eE+-]+)", re.MULTILINE)


class ServerLoad(msgspec.Struct, frozen=True):
    """One look at a server: what it runs, what waits in it, and how often it has thrown work out so far."""

    running: float
    waiting: float
    preemptions: float = 0.0


def parse_load(text: str) -> ServerLoad | None:
    """Return the load in a Prometheus exposition text; None if it names none. Series of one name are added up."""
    sums: dict[str, float] = {}
    for name, value in LINE.findall(text[:LONGEST_TEXT]):
        what = NAMES.get(name)
        if what is not None:
            sums[what] = sums.get(what, 0.0) + to_number(value)
    if "running" not in sums or "waiting" not in sums:
        return None
    return ServerLoad(sums["running"], sums["waiting"], sums.get("preemptions", 0.0))


def width_for(width: float, load: ServerLoad, preempted: float, in_flight: int) -> float:
    """Return the width to use next.

    Args:
        width: the present one.
        load: what the server runs and holds in its queue.
        preempted: preemptions since the last look.
        in_flight: requests the gate has out; a width that is not used says nothing.
    """
    if preempted > PREEMPTIONS_MUCH * max(load.running, 1.0):
        return max(1.0, width * SHRINK)
    if load.waiting > WAITING_MUCH * load.running and load.waiting >= 1:
        return max(1.0, min(width, load.running * (1 + WAITING_MUCH)))
    if in_flight < SATURATED * width or load.waiting > WAITING_LITTLE * load.running:
        return width
    return width * (GROW_NEAR if load.waiting > 0 else GROW) + 1


def to_number(text: str) -> float:
    """Return a sample's value; what is no finite number counts as 0."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value < 1e15 else 0.0
