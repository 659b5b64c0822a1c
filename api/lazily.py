"""A mapping whose values are made when they are first asked for, and then kept."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lazily(Mapping[K, V], Generic[K, V]):
    """Known keys, values by ``make`` unless they are ``made``. Two threads may make one twice; both are the same."""

    def __init__(self, keys: Iterable[K], make: Callable[[K], V], made: Mapping[K, V] | None = None) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self._made: dict[K, V] = dict(made or {})

    def __getitem__(self, key: K) -> V:
        found = self._made.get(key)
        if found is None:
            if key not in self._keys:
                raise KeyError(key)
            found = self._made[key] = self._make(key)
        return found

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:  # the default would make the value
        return key in self._keys

    @property
    def made(self) -> tuple[K, ...]:
        """The keys that were asked for."""
        return tuple(self._made)
