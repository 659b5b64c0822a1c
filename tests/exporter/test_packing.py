"""Gzip in blocks: one stream that everybody reads, and what stays the same is not compressed again."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from exporter.packing import Packer, compress

PAGES = st.lists(st.lists(st.binary(max_size=200), max_size=6), min_size=1, max_size=4)


@given(PAGES)
def test_any_page_after_any_other_is_one_stream_of_its_blocks(pages: list[list[bytes]]) -> None:
    packer = Packer()
    for blocks in pages:
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)
        packed = packer.pack(blocks)
        assert reader.decompress(packed) == b"".join(blocks)
        assert reader.eof, "a reader that knows one member only sees all of it"
        assert not reader.unused_data


def test_only_a_block_that_changed_is_compressed_again() -> None:
    packer = Packer()
    packer.pack([b"head", b"a" * 1000, b"b" * 500])
    assert packer.packed == 1504
    page = packer.pack([b"head", b"a" * 1000, b"c" * 500])
    assert packer.packed == 2004
    assert gzip.decompress(page) == b"head" + b"a" * 1000 + b"c" * 500


def test_a_block_that_moved_is_compressed_again_and_stands_in_its_new_place() -> None:
    packer = Packer()
    packer.pack([b"one", b"two"])
    assert gzip.decompress(packer.pack([b"two", b"one", b"three"])) == b"twoonethree"


def test_nothing_is_an_empty_stream() -> None:
    assert gzip.decompress(compress(b"")) == b""
