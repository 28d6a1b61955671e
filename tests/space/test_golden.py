"""The order of items, pinned.

A job is resumed by index: what was journaled for item 1,234 belongs to the combination that was item 1,234 then. If one
of these tests fails, the change behind it gives other items to the indices of every job that is under way, so that
resuming repeats some combinations, leaves others out, and attributes answers to the wrong values. Such a change must
not be made; if it ever has to be, a spec must say which order it was accepted with. Do not update the expected values.
"""

from hashlib import sha256

import msgspec
import pytest
from msgspec.structs import replace

from corpusmill.space.nonce import nonce
from corpusmill.space.space import Space, build_space
from corpusmill.space.values import encode_value
from corpusmill.spec.schema import Axis, SpaceSpec
from tests.space.spaces import PLOTS, product_spec

DEPENDENT = SpaceSpec(
    axes={
        "tone": Axis(values={"hopeful: it ends well": 3, "grim": 1}),
        "city": Axis(within="country", values={"France": ["Paris", "Lyon"], "Japan": ["Kyoto"]}),
        "country": Axis(values={"France": 1, "Japan": 2}),
        "food": Axis(within="country", values={"France": ["bread", "cheese"], "Japan": ["rice", "ramen", "tea"]}),
        "number": [1, 2.5, True],
    },
    draws=2,
)


def fingerprint(space: Space) -> str:
    """A digest of the first and last thousand items."""
    encode = msgspec.json.Encoder(enc_hook=encode_value).encode
    indices = range(space.size) if space.size <= 2000 else [*range(1000), *range(space.size - 1000, space.size)]
    lines = [encode([item.index, item.draw, item.values]) for item in map(space.item, indices)]
    return sha256(b"\n".join(lines)).hexdigest()[:16]


SYNOPSES = product_spec(192, 53, 30, 3, 11, 25, 34, 39)
TENS = product_spec(*[10] * 30, draws=2)
LONG = product_spec(140_000, 6)


@pytest.mark.parametrize(
    ("spec", "index", "values"),
    [
        (PLOTS, 0, "fantasy, cerebral, South Africa, the Renaissance"),
        (PLOTS, 1, "science fiction, supernatural, France, the 1990s"),
        (PLOTS, 2, "crime, tragic, India, the distant future"),
        (PLOTS, 500, "crime, gritty, Japan, the distant future"),
        (PLOTS, 1943, "horror, tragic, England, the 1920s"),
        (DEPENDENT, 0, "hopeful: it ends well, Kyoto, Japan, ramen, 1"),
        (DEPENDENT, 50, "grim, Kyoto, Japan, ramen, 2.5"),
        (DEPENDENT, 159, "hopeful: it ends well, Lyon, France, cheese, True"),
    ],
)
def test_an_index_is_one_combination_for_ever(spec: SpaceSpec, index: int, values: str) -> None:
    assert ", ".join(map(str, build_space(spec, 7).item(index).values.values())) == values


@pytest.mark.parametrize(
    ("spec", "seed", "balanced", "random", "sequential"),
    [
        (PLOTS, 7, "6a7e8b73f0151f19", "7c24e6757fddcbb3", "879053b63c9e83d4"),
        (PLOTS, -8, "37205f4535e7cf81", "f70d73ef3523f30f", "879053b63c9e83d4"),
        (DEPENDENT, 0, "8c1a0a32f07054ff", "09665f40b1d9a06a", "87e01a455b557c36"),
        (SYNOPSES, 7, "6725fff224079303", "9b688212765ce3a5", "2137a500ea1812b6"),
        (TENS, 7, "096a9f4bba8b9e9c", "057b3937612fc53a", "075fa19c5a63804c"),
        (LONG, 7, "dc89d5c921f93798", "7bff1f7e561f5a3d", "43ff774f140da7c2"),
    ],
)
def test_an_order_stays_the_same_for_ever(
    spec: SpaceSpec, seed: int, balanced: str, random: str, sequential: str
) -> None:
    assert fingerprint(build_space(replace(spec, order="balanced"), seed)) == balanced
    assert fingerprint(build_space(replace(spec, order="random"), seed)) == random
    assert fingerprint(build_space(replace(spec, order="sequential"), seed)) == sequential


def test_a_nonce_stays_the_same_for_ever() -> None:
    assert nonce(7, 1234, 0) == "96add6e7-ae86-8e4b-a3b4-31e8ed611cc8"
    assert nonce(-1, 10**30, 2) == "9f583314-575a-8b59-afc0-bdb617218bd6"
