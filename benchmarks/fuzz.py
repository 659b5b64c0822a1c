"""`make fuzz`: a million broken messages at every decoder of network bytes (BENCH_FUZZ changes the number).

Each message begins as a valid one (v1, v2c, v3 with and without keys, traps of both versions) and is cut, stretched,
spliced with another or has octets, lengths and tags changed. A decoder may return or raise `DecodeError` (a REPORT
also `RefusedError`); anything else, a message that takes longer than the limit, or memory that grows, is a failure.
"""

import contextlib
import os
import random
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from collectors.errors import DecodeError, RefusedError
from collectors.inbox import Inbox, engine_id
from collectors.ping import reply
from collectors.snmp import ber
from collectors.snmp.layouts import Known, read_values
from collectors.snmp.message import (
    VERSION_1,
    VERSION_2C,
    Names,
    Pdu,
    Varbind,
    decode_message,
    decode_values,
    decode_varbinds,
    encode_message,
    encode_varbinds,
    open_envelope,
)
from collectors.snmp.sealed import open_sealed
from collectors.snmp.traps import decode_trap
from collectors.snmp.usm import Auth, Priv, Security, User

MESSAGES = int(os.environ.get("BENCH_FUZZ", "1000000"))
LIMIT_S = 0.05
"""CPU seconds for one message; a valid one of the largest size takes below 1 ms."""
GROWTH_MB = 64
_OID = ber.encode_oid


def corpus() -> list[bytes]:
    """Valid messages of every kind."""
    values: list[Varbind] = [
        (_OID("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 123456),
        (_OID("1.3.6.1.2.1.1.5.0"), ber.OCTET_STRING, "徙榆".encode()),
        (_OID("1.3.6.1.2.1.2.2.1.10.4294967295"), ber.COUNTER64, 2**63),
        (_OID("1.3.6.1.2.1.1.2.0"), ber.OBJECT_IDENTIFIER, _OID("1.3.6.1.4.1.2011.2.224")),
        (_OID("1.3.6.1.2.1.4.20.1.1.10.0.0.1"), ber.IP_ADDRESS, bytes((10, 0, 0, 1))),
        (_OID("1.3.6.1.2.1.99.1"), ber.INTEGER, -1),
    ]
    trap: list[Varbind] = [
        (_OID("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 1),
        (_OID("1.3.6.1.6.3.1.1.4.1.0"), ber.OBJECT_IDENTIFIER, _OID("1.3.6.1.6.3.1.1.5.3")),
        *values,
    ]
    known = encode_varbinds(values)
    found = [encode_message(version, b"public", Pdu.RESPONSE, 7, known) for version in (VERSION_1, VERSION_2C)]
    found += [encode_message(VERSION_2C, b"public", pdu, 7, encode_varbinds(trap)) for pdu in (Pdu.TRAP_V2, Pdu.INFORM)]
    content = (
        ber.encode_tlv(ber.OBJECT_IDENTIFIER, _OID("1.3.6.1.4.1.2011"))
        + ber.encode_tlv(ber.IP_ADDRESS, bytes((10, 0, 0, 1)))
        + ber.encode_integer(2)
        + ber.encode_integer(0)
        + ber.encode_integer(99, ber.TIME_TICKS)
        + known
    )
    body = ber.encode_integer(0) + ber.encode_tlv(ber.OCTET_STRING, b"public") + ber.encode_tlv(Pdu.TRAP_V1, content)
    found.append(ber.encode_tlv(ber.SEQUENCE, body))
    for security in securities():
        found += [security.seal(Pdu.GET, 7, known, 0, 0.0), security.seal(Pdu.GET_BULK, 8, known, 20, 0.0)]
        found.append(security.seal(Pdu.TRAP_V2, 9, encode_varbinds(trap), 0, 0.0))
        security.stand(engine_id("fuzz"), 1_800_000_000 - 1_600_000_000, 0, 0.0)
        found.append(security.seal(Pdu.INFORM, 10, encode_varbinds(trap), 0, 0.0))
    found.append(Security(User(""), count(1).__next__).seal(Pdu.GET, 11, known, 0, 0.0))  # who asks who we are
    return found


def securities() -> list[Security]:
    """Three users: in the open, signed, and encrypted; each knows its engine, as after discovery."""
    made = []
    for auth, priv in ((Auth.NONE, Priv.NONE), (Auth.SHA256, Priv.NONE), (Auth.SHA256, Priv.AES128)):
        password = "fuzzing-only" if auth is not Auth.NONE else ""
        secret = password if priv is not Priv.NONE else ""
        security = Security(User("fuzz", auth, password, priv, secret), count(1).__next__)
        report = _report()
        sealed = open_sealed(report)
        envelope, inner = security.open(sealed, report, 0.0)
        security.report(envelope, sealed, inner, 0.0)
        made.append(security)
    return made


def _report() -> bytes:
    """What an agent answers to discovery: its engine, boots and time (RFC 3414 section 4)."""
    names = encode_varbinds([(_OID("1.3.6.1.6.3.15.1.1.4.0"), ber.COUNTER32, 1)])
    engine = bytes.fromhex("80001f8804") + b"fuzzing"
    pdu = ber.encode_tlv(Pdu.REPORT, ber.encode_integer(1) + ber.encode_integer(0) + ber.encode_integer(0) + names)
    octets = ber.OCTET_STRING
    scoped = ber.encode_tlv(ber.SEQUENCE, ber.encode_tlv(octets, engine) + ber.encode_tlv(octets, b"") + pdu)
    usm = (
        ber.encode_tlv(octets, engine) + ber.encode_integer(1) + ber.encode_integer(1) + ber.encode_tlv(octets, b"") * 3
    )
    header = ber.encode_integer(1) + ber.encode_integer(65507) + ber.encode_tlv(octets, b"\0") + ber.encode_integer(3)
    parameters = ber.encode_tlv(octets, ber.encode_tlv(ber.SEQUENCE, usm))
    return ber.encode_tlv(
        ber.SEQUENCE, ber.encode_integer(3) + ber.encode_tlv(ber.SEQUENCE, header) + parameters + scoped
    )


def mutate(message: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """One to four changes, each of a kind that real lines, real agents or attackers make."""
    data = bytearray(message)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data)) if data else 0
        match dice.randrange(8):
            case 0 if data:
                data[at] ^= 1 << dice.randrange(8)
            case 1 if data:
                data[at] = dice.choice((0, 1, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x88, 0xFF, dice.randrange(256)))
            case 2:
                del data[at:]
            case 3:
                del data[at : at + dice.randint(1, 8)]
            case 4:
                data[at:at] = dice.randbytes(dice.randint(1, 8))
            case 5:
                other = dice.choice(others)
                cut = dice.randrange(len(other))
                data[at:] = other[cut:]
            case 6:
                data[at:at] = data[at : at + 32] * dice.randint(1, 8)
            case _:
                data += dice.randbytes(dice.randint(0, 64))
    return bytes(data[:65507])


def decoders() -> dict[str, Callable[[bytes], object]]:
    """Everything that reads octets from the network."""
    names = Names.of([_OID("1.3.6.1.2.1.1.3.0"), _OID("1.3.6.1.2.1.1.5.0")])
    known = securities()

    def response(data: bytes) -> object:
        envelope = open_envelope(data)
        return decode_varbinds(data, envelope.start, envelope.end)

    def expected(data: bytes) -> object:
        envelope = open_envelope(data)
        return decode_values(data, envelope.start, envelope.end, names)

    looks: Known = {}

    def steady(data: bytes) -> object:
        envelope = open_envelope(data)
        return read_values(data, envelope.start, envelope.end, names, looks)

    def version_3(data: bytes) -> object:
        sealed = open_sealed(data)
        for security in known:
            try:
                envelope, inner = security.open(sealed, data, 0.0)
                if envelope.pdu == Pdu.REPORT:
                    security.report(envelope, sealed, inner, 0.0)
                else:
                    decode_varbinds(inner, envelope.start, envelope.end)
            except (DecodeError, RefusedError):
                continue
        return sealed

    users = [security.user for security in known]
    inboxes = [
        Inbox("fuzz", 1.8e9, 0.0, lambda _, user=user: (user,), lambda _, one=one: one, count(1).__next__)  # type: ignore[misc]
        for user, one in zip(users, known, strict=True)
    ]

    def notification_3(data: bytes) -> object:
        sealed = open_sealed(data)
        for inbox in inboxes:
            with contextlib.suppress(DecodeError):
                inbox.open(0, data, 0.0)
        return sealed

    return {
        "message": decode_message,
        "response": response,
        "expected values": expected,
        "steady values": steady,
        "trap": decode_trap,
        "v3": version_3,
        "v3 notification": notification_3,
        "echo reply": lambda data: [reply(family, b"8 octets", data) for family in (socket.AF_INET, socket.AF_INET6)],
        "object identifier": ber.decode_oid,
    }


def campaign(seed: int, messages: int) -> tuple[Counter[str], float, list[str], float]:
    """Outcomes, the slowest decoding (CPU s), failures, and memory growth (MB) of one process."""
    dice = random.Random(seed)
    valid, told, slowest, wrong = corpus(), Counter[str](), 0.0, list[str]()
    readers = decoders()
    for data in valid:  # what is made once, pysnmp's engines and keys, is no message's cost
        for read in readers.values():
            with contextlib.suppress(DecodeError, RefusedError):
                read(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(messages):
        data = mutate(dice.choice(valid), valid, dice)
        for name, read in readers.items():
            start = time.process_time()
            try:
                read(data)
                told["read"] += 1
            except (DecodeError, RefusedError):
                told["refused"] += 1
            except Exception as error:  # what fuzzing is for: each one is told with its message
                wrong.append(f"{name}: {type(error).__name__}: {error}: {data.hex()}")
                if len(wrong) > 20:
                    return told, slowest, wrong, 0.0
            slowest = max(slowest, time.process_time() - start)
    return told, slowest, wrong, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    processes = os.cpu_count() or 1
    seed = int(os.environ.get("FUZZ_SEED", str(random.SystemRandom().randrange(2**32))))
    share = -(-MESSAGES // processes)
    with ProcessPoolExecutor(processes) as pool:
        results = list(pool.map(campaign, range(seed, seed + processes), [share] * processes))
    told = sum((one[0] for one in results), Counter[str]())
    slowest, growth = max(one[1] for one in results), max(one[3] for one in results)
    wrong = [failure for one in results for failure in one[2]]
    print(f"{share * processes:,} messages (seed {seed}), {len(decoders())} decoders each:")
    print(f"  read {told['read']:,}, refused {told['refused']:,}, anything else {len(wrong)}")
    print(f"  slowest {slowest * 1000:.1f} ms of CPU, memory grew by {growth:.0f} MB")
    for failure in wrong[:20]:
        print(f"  ! {failure[:400]}")
    if wrong or slowest > LIMIT_S or growth > GROWTH_MB:
        sys.exit("the fuzzing found something: see above")


if __name__ == "__main__":
    main()
