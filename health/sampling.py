"""Whom to visit unannounced: a draw that nobody can predict and everybody can check afterwards (周暗访).

The seed does not exist before the draw; with seed and population kept, the same sample follows again and again. The
order is that of SHA-256 over seed and id, so it depends on no library's random numbers.
"""

import hashlib
from collections.abc import Iterable, Sequence


def population_hash(population: Iterable[str]) -> str:
    """SHA-256 over the ids in order: what was in the drum."""
    return hashlib.sha256("\n".join(sorted(population)).encode()).hexdigest()


def sample(seed: bytes, population: Iterable[str], size: int) -> Sequence[str]:
    """``size`` ids (or all, if there are fewer), in the order drawn.

    Raises:
        ValueError: the seed is so short that it could be guessed.
    """
    if len(seed) < 16:
        raise ValueError("a seed of less than 16 bytes can be guessed")
    return sorted(set(population), key=lambda id: hashlib.sha256(seed + b"\0" + id.encode()).digest())[:size]
