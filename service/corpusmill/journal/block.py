"""A journal block: JSON lines in one ordinary zstd frame, chained to the block before it.

Rules of this file: a block's first line is its header; whatever reads zstd and JSON lines reads a journal (`zstdcat`).
A block is whole or it is nothing: its frame carries length and checksum, its header the count of its lines and a hash
that continues through all blocks before it, so that a block is valid only behind its predecessor.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b"\x28\xb5\x2f\xfd"
"""The four bytes with which every zstd frame begins (RFC 8878, 3.1.1)."""

CHAIN_START = "0" * 16
"""The chain value before the first block of a journal."""

_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 1,
    zstd.CompressionParameter.checksum_flag: 1,
    zstd.CompressionParameter.content_size_flag: 1,
}


class Opening(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the first block of a segment says beyond its lines: where the journal continues from.

    Attributes:
        segment: this segment's number.
        previous: the number of the segment before it in the journal, 0 for none.
        previous_valid: how many bytes of the previous segment count; what stands behind them was never acknowledged.
    """

    segment: int
    previous: int = 0
    previous_valid: int = 0


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of a block.

    Attributes:
        b: sequence number of the block's first line; lines are numbered through the whole journal from 1.
        n: how many lines follow.
        c: chain value of everything before this block.
        open: present in the first block of a segment.
    """

    b: int
    n: int
    c: str
    open: Opening | None = None


class Block(msgspec.Struct, frozen=True):
    """A decoded block: `size_bytes` is the length of its frame, `chain` the chain value behind it."""

    header: Header
    lines: list[bytes]
    size_bytes: int
    chain: str


class BadBlockError(Exception):
    """The bytes at this place are not a whole, valid block."""


def chain_behind(chain: str, frame: bytes | memoryview) -> str:
    """Return the chain value behind a block: 64 bits of BLAKE2b over the value before it and its frame's checksum."""
    return hashlib.blake2b(bytes(frame[-4:]), digest_size=8, key=chain.encode()).hexdigest()


def encode_block(lines: Sequence[bytes], *, first: int, chain: str, opening: Opening | None = None) -> bytes:
    """Return the frame for these lines, numbered from `first`, behind the chain value `chain`."""
    header = msgspec.json.encode(Header(first, len(lines), chain, opening))
    return zstd.compress(b"\n".join((header, *lines, b"")), options=_OPTIONS)


def decode_block(segment: memoryview, offset: int) -> Block:
    """Decode the block at `offset`; raise `BadBlockError` if there is none that is whole. The chain is not checked."""
    rest = segment[offset:]
    try:
        size = zstd.get_frame_size(rest)
        text = zstd.decompress(rest[:size])
        head, *lines, end = text.split(b"\n")
        header = _decode_header(head)
    except (zstd.ZstdError, ValueError, msgspec.DecodeError) as error:
        raise BadBlockError(str(error)) from None
    if len(lines) != header.n or end:
        raise BadBlockError(f"block of {header.n} lines holds {len(lines)}")
    return Block(header, lines, size, chain_behind(header.c, rest[:size]))


def frames_behind(segment: memoryview, offset: int) -> Iterator[Block]:
    """Yield every block that decodes anywhere behind `offset`: the search that tells a torn tail from rot."""
    text = bytes(segment)
    at = text.find(MAGIC, offset + 1)
    while at >= 0:
        try:
            block = decode_block(segment, at)
        except BadBlockError:
            at = text.find(MAGIC, at + 1)
        else:
            yield block
            at = text.find(MAGIC, at + block.size_bytes)


_decode_header = msgspec.json.Decoder(Header).decode
