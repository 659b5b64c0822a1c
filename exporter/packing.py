"""Gzip of a page whose blocks hardly change: each block is compressed when it is new, and kept while it stays the same.

Blocks are compressed by themselves, ended at a byte (a full flush), and put one after the other into a single stream,
which every reader of gzip understands (RFC 1951, RFC 1952); members of their own would be lost on some. Identities,
states and what else stays the same from one scrape to the next so costs its checksum only.
"""

import zlib
from collections.abc import Iterable
from typing import Final

_LEVEL: Final = 1  # of nine: half as small again takes four times as long, and villages' lines repeat themselves
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_END: Final = b"\x03\x00"  # a last block with nothing in it


class Packer:
    """Compresses one page again and again."""

    def __init__(self) -> None:
        self._kept: list[tuple[bytes, bytes]] = []
        self.packed = 0
        """Bytes that had to be compressed so far."""

    def pack(self, blocks: Iterable[bytes]) -> bytes:
        """These blocks as one gzip stream. A block is known by its place; only the newest page is remembered."""
        kept: list[tuple[bytes, bytes]] = []
        crc = size = 0
        for block in blocks:
            before = self._kept[len(kept)] if len(kept) < len(self._kept) else (b"", b"")
            kept.append(before if before[0] == block else (block, self._deflate(block)))
            crc, size = zlib.crc32(block, crc), size + len(block)
        self._kept = kept
        tail = crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
        return b"".join([_HEAD, *(packed for _, packed in kept), _END, tail])

    def _deflate(self, block: bytes) -> bytes:
        packer = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
        self.packed += len(block)
        return packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)


def compress(body: bytes) -> bytes:
    """One body as gzip."""
    return Packer().pack([body])
