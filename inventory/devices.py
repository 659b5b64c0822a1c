"""Devices as a view: two million of them are never stored, only what makes them differ.

Sites of one *shape* (class and exceptions) have the same slots; a device's ordinal is its site's first ordinal plus
its slot. Looking one up costs a binary search.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from inventory import addresses
from inventory.columns import Columns
from inventory.county import County
from inventory.vocabulary import DeviceClass


@dataclass(frozen=True, slots=True)
class Device:
    """One device.

    Attributes:
        id: site id and role, such as ``tq-chengxiang-xuyu-cpe1``.
        site: position of its site.
        role: ``cpe1``, ``core1``, ``kiosk1``, ``prt1``: what it is here, numbered.
        uplinks: ordinals of the routers above it; a kiosk's are the routers of its own site.
        address: where it answers management: a router's loopback, else its place in the site's prefix.
        credential: reference to how it is asked, its own or that of its class; None where the inventory names none.
        managed: the sections of a router's configuration that are ours; None for all, empty where it is only observed.
        monitored: ``partner`` where somebody else watches it (a bank's kiosk on the bank's network).
        second_path: where a router's SSH answers over another way than its lines; None where there is none.
    """

    id: str
    ordinal: int
    site: int
    role: str
    device_class: DeviceClass
    model: str
    vendor: str
    profile: str
    uplinks: tuple[int, ...]
    address: str
    credential: str | None
    serial: str | None
    asset_no: str | None
    origin: str
    owner: str
    monitored: str
    themes: tuple[str, ...]
    calendar: str | None
    installed: str | None
    managed: tuple[str, ...] | None = None
    second_path: str | None = None


class Slot(NamedTuple):
    role: str
    device_class: DeviceClass
    model: str


def slots_of_class(county: County, site_class: str, exceptions: Mapping[str, Any] | None) -> tuple[Slot, ...]:
    """The devices of a site: its class's, changed, dropped (null) and extended by the site's own."""
    models = dict(county.classes[site_class].devices)
    for role, told in (exceptions or {}).items():
        if told is None:
            models.pop(role, None)
        elif told.get("model") or role not in models:
            models[role] = told.get("model") or ""
    return tuple(
        Slot(role, county.models[model].device_class, model) for role, model in models.items() if model in county.models
    )


def number_of(role: str) -> int:
    """2 for ``kiosk2``."""
    return int(role.lstrip("abcdefghijklmnopqrstuvwxyz"))


class Devices(Sequence[Device]):
    """Every device of the inventory, by ordinal."""

    def __init__(self, columns: Columns, county: County, site_index: Mapping[str, int]) -> None:
        self._columns, self._county, self._site_index = columns, county, site_index
        shapes: dict[object, int] = {}
        self._shapes: list[tuple[Slot, ...]] = []
        self._routers: list[tuple[int, ...]] = []
        of_site = []
        for i, (site_class, host) in enumerate(zip(columns.site_classes, columns.site_hosts, strict=True)):
            entry = columns.entries.get(str(i)) if columns.entries else None
            exceptions = entry.get("devices") if entry else None
            key = None if host >= 0 else site_class if not exceptions else (site_class, i)
            shape = shapes.get(key)
            if shape is None:
                slots = () if host >= 0 else slots_of_class(county, site_class, exceptions)
                shape = shapes[key] = len(self._shapes)
                self._shapes.append(slots)
                self._routers.append(tuple(n for n, s in enumerate(slots) if s.device_class is DeviceClass.ROUTER))
            of_site.append(shape)
        self._shape_of = np.asarray(of_site, dtype=np.int32)
        sizes = np.asarray([len(slots) for slots in self._shapes], dtype=np.int64)
        counts = sizes[self._shape_of] if of_site else np.zeros(0, dtype=np.int64)
        self._first = np.concatenate(([0], np.cumsum(counts)))

    def __len__(self) -> int:
        return int(self._first[-1])

    def __iter__(self) -> Iterator[Device]:
        for site in range(len(self._shape_of)):
            yield from self.of(site)

    def __getitem__(self, ordinal: Any) -> Any:
        if isinstance(ordinal, slice):
            return [self[i] for i in range(*ordinal.indices(len(self)))]
        if ordinal < 0:
            ordinal += len(self)
        if not 0 <= ordinal < len(self):
            raise IndexError(ordinal)
        site = self.site_of(ordinal)
        return self._make(site, ordinal - int(self._first[site]))

    def site_of(self, ordinal: int) -> int:
        """The position of the site that holds this device."""
        return int(np.searchsorted(self._first, ordinal, side="right")) - 1

    def ordinals(self, site: int) -> range:
        """The ordinals of one site's devices."""
        return range(int(self._first[site]), int(self._first[site + 1]))

    def slots(self, site: int) -> tuple[Slot, ...]:
        """Role, class and model of each device of a site, in order of ordinals."""
        return self._shapes[int(self._shape_of[site])]

    def of(self, site: int) -> tuple[Device, ...]:
        """The devices of one site."""
        return tuple(self._make(site, n) for n in range(len(self.slots(site))))

    def routers(self, site: int) -> tuple[int, ...]:
        """Ordinals of one site's routers."""
        first = int(self._first[site])
        return tuple(first + n for n in self._routers[int(self._shape_of[site])])

    def find(self, device_id: str) -> Device:
        """The device with this id.

        Raises:
            KeyError: there is none.
        """
        site_id, _, role = device_id.rpartition("-")
        site = self._site_index[site_id]
        for n, slot in enumerate(self.slots(site)):
            if slot.role == role:
                return self._make(site, n)
        raise KeyError(device_id)

    def uplinks_of(self, ordinal: int) -> tuple[int, ...]:
        """Ordinals of the routers above a device."""
        site = self.site_of(ordinal)
        return self._uplinks(site, self.slots(site)[ordinal - int(self._first[site])])

    def site_uplinks(self, site: int) -> tuple[int, ...]:
        """Positions of the sites above one site in the uplink tree, the main line's first."""
        columns = self._columns
        main = columns.site_uplinks[site]
        if main < 0:
            return ()
        more = columns.more_uplinks.get(str(site)) if columns.more_uplinks else None
        return (main, *more) if more else (main,)

    def _uplinks(self, site: int, slot: Slot) -> tuple[int, ...]:
        if slot.device_class is not DeviceClass.ROUTER:
            return self.routers(site)
        return tuple(above for uplink in self.site_uplinks(site) for above in self.routers(uplink))

    def _address(self, site: int, slot: Slot) -> str:
        if slot.device_class is DeviceClass.ROUTER:
            return addresses.parse_routers(self._columns.site_routers[site])[slot.role][0]
        return addresses.host(self._columns.site_prefixes[site], slot.device_class, number_of(slot.role))

    def _make(self, site: int, n: int) -> Device:
        columns, slot = self._columns, self.slots(site)[n]
        entry = columns.entries.get(str(site)) if columns.entries else None
        own = ((entry.get("devices") or {}).get(slot.role) if entry else None) or {}
        model = self._county.models[slot.model]
        return Device(
            id=f"{columns.site_ids[site]}-{slot.role}",
            ordinal=int(self._first[site]) + n,
            site=site,
            role=slot.role,
            device_class=slot.device_class,
            model=slot.model,
            vendor=model.vendor,
            profile=model.profile,
            uplinks=self._uplinks(site, slot),
            address=self._address(site, slot),
            credential=own.get("credential") or self._county.credentials.get(slot.device_class),
            serial=own.get("serial"),
            asset_no=own.get("asset_no"),
            origin=own.get("origin") or "new",
            owner=own.get("owner") or "own",
            monitored=own.get("monitored") or "us",
            themes=tuple(own.get("themes") or ()),
            calendar=own.get("calendar"),
            installed=own.get("installed"),
            managed=None if own.get("managed") is None else tuple(own["managed"]),
            second_path=own.get("second_path"),
        )
