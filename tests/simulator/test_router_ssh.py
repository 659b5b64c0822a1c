"""Routers over real SSH: who is let in, what a cut does to sessions, and netmiko's own drivers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

import asyncssh
import pytest
from netmiko import ConnectHandler
from netmiko.exceptions import ConfigInvalidException, NetmikoAuthenticationException

from rollout.platform import Platform
from simulator.errors import SimulationError
from simulator.routers.device import Options, RouterSpec
from simulator.routers.fleet import Fleet, serving
from simulator.routers.reading import Path

PASSWORD = "Plain@123"  # noqa: S105  of the simulated routers
ENABLE = "Enable@123"
TEXTS = {
    Platform.VRP: f"""\
#
 sysname R
#
aaa
 local-user ops password irreversible-cipher {PASSWORD}
 local-user ops service-type ssh
#
interface GigabitEthernet0/0/0
 ip address 10.9.0.2 255.255.255.252
#
stelnet server enable
#
ip route-static 0.0.0.0 0.0.0.0 10.9.0.1
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound ssh
#
""",
    Platform.COMWARE: f"""\
#
 sysname R
#
line vty 0 63
 authentication-mode scheme
#
 ssh server enable
#
local-user ops class manage
 password simple {PASSWORD}
 service-type ssh
#
""",
    Platform.RGOS: f"""\
!
hostname R
!
enable secret {ENABLE}
username ops password {PASSWORD}
enable service ssh-server
!
line vty 0 4
 transport input ssh
 login local
!
""",
    Platform.FRR: "hostname R\n!\n",
}
PATH = Path(IPv4Address("10.126.12.10"), (IPv4Interface("10.9.0.1/30"),))


def spec(platform: Platform = Platform.VRP, ordinal: int = 0, **more: Any) -> RouterSpec:
    return RouterSpec(f"r{ordinal}", ordinal, platform, TEXTS[platform], users={"root": PASSWORD}, **more)


@asynccontextmanager
async def running(*specs: RouterSpec, **options: Any) -> AsyncIterator[Fleet]:
    fleet = Fleet(specs, Options(**{"minute_s": 0.2, "boot_s": 0.2} | options))
    await fleet.start(0)
    try:
        yield fleet
    finally:
        await fleet.close()


def knock(fleet: Fleet, device: str = "r0", **more: Any) -> Any:
    """A connection to a router, its host key known."""
    known = asyncssh.import_known_hosts(f"[{fleet.address(device)}]:{fleet.port} {fleet.host_key(device)}\n")
    given = {"username": "ops", "password": PASSWORD, "client_keys": None, "known_hosts": known, "config": None}
    return asyncssh.connect(fleet.address(device), fleet.port, **(given | more))


class Talk:
    """An interactive session."""

    def __init__(self, process: Any) -> None:
        self._process = process

    async def until(self, end: str) -> str:
        text = ""
        while not text.endswith(end):
            piece = await self._process.stdout.read(1024)
            assert piece, f"hung up after {text!r}"
            text += piece
        return text

    async def type(self, line: str, end: str) -> str:
        self._process.stdin.write(f"{line}\n")
        return await self.until(end)


@asynccontextmanager
async def talking(fleet: Fleet, prompt: str = "<R>") -> AsyncIterator[Talk]:
    async with knock(fleet) as connection, connection.create_process(term_type="vt100") as process:
        talk = Talk(process)
        await talk.until(prompt)
        yield talk


async def test_the_running_configuration_decides_who_is_let_in() -> None:
    async with asyncio.timeout(20), running(spec()) as fleet:
        with pytest.raises(asyncssh.PermissionDenied):
            await knock(fleet, password=PASSWORD[:-1])
        async with talking(fleet) as talk:
            await talk.type("system-view", "[R]")
            await talk.type("aaa", "[R-aaa]")
            await talk.type("undo local-user ops", "[R-aaa]")
            with pytest.raises(asyncssh.PermissionDenied):
                await knock(fleet)
            await talk.type("return", "<R>")  # who is inside stays inside


async def test_a_key_lets_its_user_in_and_no_other() -> None:
    mine, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    box = spec(keys={"ops": mine.export_public_key().decode()})
    async with asyncio.timeout(20), running(box) as fleet:
        async with knock(fleet, password=None, client_keys=[mine]) as connection:
            assert "sysname R" in (await connection.run("display current-configuration")).stdout
        with pytest.raises(asyncssh.PermissionDenied):
            await knock(fleet, password=None, client_keys=[other])


async def test_each_box_has_a_key_of_its_own_and_a_replaced_one_another() -> None:
    async with asyncio.timeout(20), running(spec(), spec(ordinal=1)) as fleet:
        first = fleet.host_key("r0")
        assert first != fleet.host_key("r1")
        fleet["r0"].replace_box()
        known = asyncssh.import_known_hosts(f"[{fleet.address('r0')}]:{fleet.port} {first}\n")
        assert fleet.host_key("r0") != first
        while not fleet["r0"].takes_sessions:
            await asyncio.sleep(0.01)
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            await knock(fleet, known_hosts=known)
    async with running(spec()) as again:
        assert again.host_key("r0") == first


async def test_long_output_waits_for_a_key_until_paging_is_off() -> None:
    async with asyncio.timeout(20), running(spec()) as fleet, talking(fleet) as talk:
        assert "return" not in await talk.type("display current-configuration", "---- More ----")
        await talk.type("q", "<R>")
        await talk.type("screen-length 0 temporary", "<R>")
        assert "return" in await talk.type("display current-configuration", "<R>")


async def test_a_change_that_cuts_the_way_silences_the_session_and_the_reboot_resets_it() -> None:
    async with asyncio.timeout(20), running(spec(path=PATH)) as fleet:
        box = fleet["r0"]
        before = box.running
        async with contextlib.AsyncExitStack() as stack:
            talk = await stack.enter_async_context(talking(fleet))
            await talk.type("schedule reboot delay 3", "[Y/N]:")
            await talk.type("y", "<R>")
            await talk.type("system-view", "[R]")
            await talk.type("interface GigabitEthernet0/0/0", "GigabitEthernet0/0/0]")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await talk.type("shutdown", "GigabitEthernet0/0/0]")
            assert "shutdown" in box.running
            with pytest.raises((OSError, asyncssh.Error)):
                await knock(fleet)
            while not box.reboots:
                await asyncio.sleep(0.01)
            with contextlib.suppress(asyncssh.Error, OSError):  # the box knows nothing of this session any more
                with pytest.raises((AssertionError, asyncssh.Error, OSError)):
                    await talk.type("", "]")
                raise ConnectionResetError
        assert box.running == before
        async with talking(fleet):
            pass


async def test_a_rollback_brings_the_silent_session_back() -> None:
    box = RouterSpec(
        "r0",
        0,
        Platform.COMWARE,
        TEXTS[Platform.COMWARE]
        + "interface GigabitEthernet0/0\n ip address 10.9.0.2 30\n#\n ip route-static 0.0.0.0 0 10.9.0.1\n#\n",
        path=PATH,
    )
    async with asyncio.timeout(20), running(box) as fleet, talking(fleet) as talk:
        await talk.type("system-view", "[R]")
        await talk.type("configuration commit delay 1", "[R]")
        said = await talk.type("undo ip route-static 0.0.0.0 0 10.9.0.1", "[R]")
        assert "undo ip route-static" in said  # held while the way was gone, and delivered when it was back
        assert "ip route-static 0.0.0.0 0 10.9.0.1" in fleet["r0"].running


async def test_a_dead_line_can_take_a_connection_and_never_say_a_word() -> None:
    async with asyncio.timeout(20), running(spec(), when_silent="hang") as fleet:
        fleet["r0"].inject(cut=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await knock(fleet)
        waiting = asyncio.create_task(knock(fleet).__aenter__())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        fleet["r0"].clear()
        (await waiting).close()


CUTS: list[tuple[dict[str, object], bool]] = [
    ({"cut_before": "sysname"}, False),
    ({"cut_after": "sysname"}, True),
    ({"cut_at": 2}, False),
]


@pytest.mark.parametrize(("fault", "done"), CUTS, ids=[next(iter(fault)) for fault, _ in CUTS])
async def test_a_cut_at_a_step_loses_the_line_or_its_answer(fault: dict[str, object], done: bool) -> None:
    async with asyncio.timeout(20), running(spec()) as fleet:
        with contextlib.suppress(asyncssh.Error, OSError):
            async with talking(fleet) as talk:
                fleet["r0"].inject(**fault)
                await talk.type("system-view", "[R]")
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await talk.type("sysname NEW", "]")
                assert ("NEW" in fleet["r0"].running) is done
                fleet["r0"].reboot()  # ends the session, which otherwise waits for a word through a dead line


async def test_a_session_can_be_dropped_at_its_nth_line() -> None:
    async with asyncio.timeout(20), running(spec()) as fleet:
        fleet["r0"].inject(drop_after=2)
        with contextlib.suppress(asyncssh.Error, OSError):
            async with talking(fleet) as talk:
                await talk.type("system-view", "[R]")
                with pytest.raises((AssertionError, asyncssh.Error, OSError)):
                    await talk.type("sysname NEW", "[NEW]")
        assert "NEW" not in fleet["r0"].running


async def test_a_thin_line_is_thin_and_still_works() -> None:
    async with asyncio.timeout(20), running(spec(), rate_bit_s=512_000, delay_s=0.02) as fleet:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with knock(fleet) as connection:
            assert "sysname R" in (await connection.run("display current-configuration")).stdout
        assert loop.time() - begun > 0.2  # a login and a command are more than five round trips of 40 ms


async def test_a_linux_box_gives_exit_codes() -> None:
    async with asyncio.timeout(20), running(spec(Platform.FRR)) as fleet, knock(fleet, username="root") as connection:
        result = await connection.run("vtysh -c 'show running-config'")
        assert (result.exit_status, "hostname R" in result.stdout) == (0, True)
        assert (await connection.run("vtysh -c bogus")).exit_status == 1
        assert (await connection.run("nonsense")).exit_status == 127


async def test_an_address_without_a_router_is_no_router_and_a_taken_port_is_named() -> None:
    async with asyncio.timeout(20), running(spec()) as fleet:
        with pytest.raises((OSError, asyncssh.Error)):
            await asyncssh.connect("127.64.9.9", fleet.port, known_hosts=None, config=None)
        with pytest.raises(SimulationError, match=f"TCP port {fleet.port}"):
            await Fleet([spec()]).start(fleet.port)
        with pytest.raises(SimulationError, match="Did you mean r0"):
            fleet.router("r00")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    specs = [spec(platform, ordinal) for ordinal, platform in enumerate(Platform)]
    with serving(specs, Options(minute_s=0.5, boot_s=0.5)) as started:
        yield started


DRIVERS = [
    ("huawei_vrp", Platform.VRP, "display current-configuration", "interface LoopBack9", "Error:"),
    ("h3c_comware", Platform.COMWARE, "display current-configuration", "interface LoopBack9", " % "),
    ("ruijie_os", Platform.RGOS, "show running-config", "interface Loopback 9", "% "),
]


def drive(fleet: Fleet, driver: str, platform: Platform, show: str, line: str, error: str) -> None:
    """Log in, look, configure, save, and be refused."""
    device = f"r{list(Platform).index(platform)}"
    common = {"device_type": driver, "host": fleet.address(device), "port": fleet.port, "username": "ops"}
    with ConnectHandler(**common, password=PASSWORD, secret=ENABLE) as session:
        assert str(session.send_command(show)).count("\n") > 20
        session.send_config_set([line, "description a"], error_pattern=error)
        session.save_config()
        assert line in fleet[device].startup
        with pytest.raises(ConfigInvalidException):
            session.send_config_set(["bogus line"], error_pattern=error)


def test_netmikos_own_drivers_work(fleet: Fleet) -> None:
    # huawei and hp_comware are the same classes by other names. They wait for silence, so the three wait together.
    with ThreadPoolExecutor() as pool:
        for outcome in [pool.submit(drive, fleet, *one) for one in DRIVERS]:
            outcome.result()


def test_netmikos_linux_driver_works(fleet: Fleet) -> None:
    device = f"r{list(Platform).index(Platform.FRR)}"
    common = {"device_type": "linux", "host": fleet.address(device), "port": fleet.port, "username": "root"}
    with ConnectHandler(**common, password=PASSWORD) as session:
        assert "frr version" in session.send_command("vtysh -c 'show running-config'")
        session.send_config_set(["vtysh -c 'configure terminal' -c 'ip route 10.0.0.0/8 10.9.0.1'", "vtysh -c 'write'"])
    assert "ip route 10.0.0.0/8 10.9.0.1" in fleet[device].startup
    with pytest.raises(NetmikoAuthenticationException):
        ConnectHandler(**common, password=PASSWORD[:-1])
