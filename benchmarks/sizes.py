"""How much is measured: enough for a person in some minutes, or for CI in one."""

import msgspec


class Sizes(msgspec.Struct, frozen=True):
    """The sizes of all parts.

    Attributes:
        rounds: how often the things that are compared take turns.
        calls: of one run at no latency.
        sdk_calls: the SDK needs fewer for the same time.
        waiting: (calls, in flight, latency in seconds) of the comparison at a latency.
        wide: the same for the widest window; its calls fill the window several times.
        items: of the small and of the large job whose memory is compared.
        dedup_texts: of one stream; a quarter of them for the comparison with all pairs.
        dedup_rows: of an index that is built again.
        chain: (items of three steps, in flight, latency in seconds) of the chain.
        notes: that `grounded_in` is tried on.
        resumed_items: items of the job that is opened again, and records in a shard of it.
    """

    rounds: int = 5
    calls: int = 20_000
    sdk_calls: int = 2_000
    waiting: tuple[int, int, float] = (5_000, 1_000, 1.0)
    wide: tuple[int, int, float] = (60_000, 10_000, 2.0)
    items: tuple[int, int] = (10_000, 100_000)
    chain: tuple[int, int, float] = (100_000, 1_000, 0.8)
    notes: int = 400
    resumed_items: tuple[int, int] = (1_000_000, 50_000)
    dedup_texts: int = 20_000
    dedup_rows: int = 2_000_000


NORMAL = Sizes()
LONG = Sizes(items=(10_000, 1_000_000), dedup_rows=10_000_000)
QUICK = Sizes(
    rounds=2,
    calls=5_000,
    sdk_calls=1_000,
    waiting=(1_000, 500, 0.5),
    wide=(8_000, 2_000, 0.8),
    chain=(4_000, 200, 0.2),
    notes=50,
    items=(4_000, 12_000),
    resumed_items=(20_000, 1_000),
    dedup_texts=4_000,
    dedup_rows=200_000,
)
