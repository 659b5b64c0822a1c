"""Platforms from the centre: what is asked, and what accepts a connection."""

import asyncio
import contextlib
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from collectors.reach import Endpoint, PlatformReach, endpoints_of
from cuntong.demo import EXAMPLE
from inventory.loader import load


def test_the_platforms_pages_are_what_is_asked() -> None:
    assert endpoints_of(load(EXAMPLE).county.kiosks) == (
        Endpoint("insurance", "si.example", 443, "/kiosk", tls=True),
        Endpoint("services", "zwfw.example", 443, "/", tls=True),
    )
    assert endpoints_of(None) == ()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.0 503 Service Unavailable\r\n\r\n", 503),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", None, id="no HTTP"),
        pytest.param(b"x" * 10_000, None, id="a line without an end"),
        pytest.param(b"", None, id="it hangs up"),
    ],
)
@pytest.mark.parametrize("tls", [False, True])
async def test_a_platform_is_known_by_the_status_of_its_answer(
    answer: bytes, status: int | None, tls: bool, certificate: ssl.SSLContext
) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(answer)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificate if tls else None)
    one = Endpoint("any", "127.0.0.1", server.sockets[0].getsockname()[1], "/kiosk", tls)
    reach = PlatformReach([one], timeout_s=10)
    await reach._try(one)
    server.close()
    assert reach.accepted == {one: True}
    assert reach.statuses == ({} if status is None else {one: status})
    assert asked == [b"HEAD /kiosk HTTP/1.1\r\n"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate that nobody knows, as platforms inside the extranet have."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "zwfw.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_one_that_listens_is_told_from_one_that_does_not() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        up, down = (
            Endpoint("any", "127.0.0.1", port) for port in (server.sockets[0].getsockname()[1], deaf.getsockname()[1])
        )
        reach = PlatformReach([up, down], interval_s=0.05)
        task = asyncio.create_task(reach.run())
        try:
            async with asyncio.timeout(20):
                while len(reach.accepted) < 2:
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    assert reach.accepted == {up: True, down: False}
    server.close()
    await server.wait_closed()
