"""Do devices let us in: some of each credential are asked, a few a second."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from collectors.asker import SnmpAsker
from collectors.snmp.transport import SnmpTransport
from cuntong.collect import Reach, is_asked, targets_of
from cuntong.doctor.findings import Findings, failure, fine, warning
from cuntong.errors import StartError
from health.reading import Readings
from inventory.devices import Device
from inventory.model import Inventory

_A_SECOND: Final = 10
_OF_EACH: Final = 3
_NAMED: Final = 5


def sample(inventory: Inventory, *, every: bool) -> dict[str, list[Device]]:
    """By credential whom to ask: the first, the last and one between, or everybody."""
    by: dict[str, list[Device]] = defaultdict(list)
    for device in inventory.devices:
        if is_asked(device) and device.credential is not None:
            by[device.credential].append(device)
    if every:
        return by
    return {name: _spread(devices) for name, devices in by.items()}


def _spread(devices: Sequence[Device]) -> list[Device]:
    step = max(1, (len(devices) - 1) // (_OF_EACH - 1))
    return list(devices[::step][:_OF_EACH])


def credentials(inventory: Inventory, reach: Reach, timeout_s: float, retries: int, *, every: bool) -> Findings:
    """Whether devices answer to what we know of them."""
    try:
        targets = targets_of(inventory, reach)
    except StartError as error:
        yield failure("credentials", str(error), "Put the secret right; cuntong collect does not start without it.")
        return
    asked = sample(inventory, every=every)
    ordinals = [device.ordinal for devices in asked.values() for device in devices]
    told = asyncio.run(_ask(targets, ordinals, timeout_s, retries))
    for name, devices in asked.items():
        silent = [device.id for device in devices if told.get(device.ordinal) is None]
        refused = [
            device.id
            for device in devices
            if (answer := told.get(device.ordinal)) is not None
            and answer.problems
            and answer == Readings(problems=answer.problems)
        ]
        good = len(devices) - len(silent) - len(refused)
        if refused:
            mend = f"Compare {name} with what these devices were given: cuntong poll ADDRESS --credential {name}"
            yield failure("credentials", f"{name}: refused by {_names(refused)}", mend)
        if silent and not good:
            mend = "A wrong community is answered with silence, too: suspect it where a device answers ping."
            yield failure("credentials", f"{name}: none of {len(devices)} asked devices answers", mend)
        elif silent:
            yield warning("credentials", f"{name}: silent are {_names(silent)}", "See cuntong outage list.")
        elif not refused:
            yield fine("credentials", f"{name}: {good} of {len(devices)} asked devices answer")


def _names(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more


async def _ask(
    targets: Sequence[object], ordinals: Sequence[int], timeout_s: float, retries: int
) -> dict[int, Readings | None]:
    told: dict[int, Readings | None] = {}
    transport = SnmpTransport(asyncio.get_running_loop())
    asker = SnmpAsker(transport, targets, timeout_s, retries, timeout_s * 10)  # type: ignore[arg-type]
    try:
        for ordinal in ordinals:
            asker.survey_next(ordinal)
            asker.ask(ordinal, told.__setitem__)
            await asyncio.sleep(1 / _A_SECOND)
        deadline = asyncio.get_running_loop().time() + timeout_s * 12
        while len(told) < len(ordinals) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
    finally:
        transport.close()
    return told
