"""The citizen's session as it runs on a kiosk, with programs in the place of browser and X server."""

import importlib.util
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILES = Path(__file__).parents[2] / "playbooks" / "roles" / "kiosk" / "files"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kiosk_session", FILES / "kiosk_session.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Stage:
    """A session on a kiosk that is made of files."""

    def __init__(self, program: ModuleType, place: Path, browser: str = "sleep 60", idle_s: int = 10) -> None:
        self.place, self.idle = place, place / "idle"
        self.idle.write_text("0")
        for name, text in (("browser", f"exec {browser}"), ("clock", f"cat {self.idle}")):
            path = place / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        (place / "tmp").mkdir()
        self.config: dict[str, Any] = {
            "home": "https://zwfw.example/kiosk", "idle_s": idle_s, "hung_s": 20, "idle": [str(place / "clock")],
            "browser": [str(place / "browser")], "temporary": str(place / "tmp"), "queues": [],
        }  # fmt: skip
        self.session = program.Session(self.config, place / "home", place)

    def rests(self, seconds: float) -> None:
        self.idle.write_text(str(int(seconds * 1000)))

    @property
    def browser(self) -> int:
        pid: int = self.session.browser.pid
        return pid


@pytest.fixture
def stage(program: ModuleType, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(program, tmp_path)
    made.session.begin()
    yield made
    made.session.end()


def test_everything_that_was_left_is_gone_when_nobody_has_touched_the_screen(stage: Stage) -> None:
    stage.session.tick()
    first = stage.browser
    for name in ("profile/Cookies", "downloads/form.pdf", "scans/face.jpg"):
        (stage.place / "home" / name).parent.mkdir(exist_ok=True)
        (stage.place / "home" / name).write_text("a citizen's")
    (stage.place / "tmp" / "print.ps").write_text("a citizen's")
    stage.rests(7.9)
    stage.session.tick()
    assert stage.browser == first
    stage.rests(8.0)  # two ticks before the promised ten seconds
    stage.session.tick()
    assert stage.browser != first
    assert [path for path in (stage.place / "home").rglob("*") if path.is_file()] == []
    assert list((stage.place / "tmp").iterdir()) == []


def test_a_page_that_nobody_touched_is_left_alone(stage: Stage) -> None:
    stage.rests(300)
    first = stage.browser
    for _ in range(3):
        stage.session.tick()
    assert stage.browser == first


def test_a_browser_that_ends_is_started_anew_on_a_clean_profile(stage: Stage) -> None:
    first = stage.browser
    (stage.place / "home" / "Cookies").write_text("a citizen's")
    os.kill(first, 9)
    stage.session.browser.wait()
    stage.session.tick()
    assert stage.browser != first
    assert not (stage.place / "home" / "Cookies").exists()


def test_a_browser_that_dies_again_and_again_is_left_to_systemd(program: ModuleType, tmp_path: Path) -> None:
    made = Stage(program, tmp_path, browser="true")
    made.session.begin()
    for _ in range(program.DEATHS):
        made.session.browser.wait()
        made.session.tick()
    made.session.browser.wait()
    with pytest.raises(SystemExit, match="died too often"):
        made.session.tick()


def test_a_session_that_cannot_tell_whether_somebody_is_there_ends(stage: Stage) -> None:
    stage.idle.write_text("no display")
    with pytest.raises(SystemExit, match="does not say how long"):
        stage.session.tick()


def test_systemd_hears_of_every_tick_and_only_of_good_ones(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        stage.session.tick()
        assert systemd.recv(100) == b"WATCHDOG=1"
        stage.idle.write_text("")
        with pytest.raises(SystemExit):
            stage.session.tick()
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


def test_what_cannot_be_wiped_ends_the_session(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_path: str) -> None:
        raise PermissionError("it stays")

    stage.session.tick()
    monkeypatch.setattr("shutil.rmtree", refuses)
    stage.rests(60)
    with pytest.raises(PermissionError):
        stage.session.tick()


def test_health_of_pages_and_usb_is_told_by_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("kiosk_health", FILES / "kiosk_health.py")
    assert spec is not None
    assert spec.loader is not None
    health = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(health)
    config = {
        "home": "http://127.0.0.1:9/", "parts": ["kiosk-app", "platform", "id-card-reader", "screen", "session-reset"],
        "queues": [], "peripherals": [{"part": "id-card-reader", "usb": "0400:c35a"}],
    }  # fmt: skip
    (tmp_path / "config").write_text(json.dumps(config))
    for name, path in (
        ("CONFIG", "config"),
        ("STATE", "state"),
        ("HEALTH", "health"),
        ("USB", "usb"),
        ("SCREENS", "drm"),
    ):
        monkeypatch.setattr(health, name, tmp_path / path)

    def said() -> dict[str, list[str]]:
        assert health.main() == 0
        return {path.name: path.read_text().splitlines() for path in (tmp_path / "health").iterdir()}

    bare = said()
    assert bare["kiosk-app"] == ["1", "no session runs"]
    assert bare["platform"][0] == "1"
    assert bare["platform"][1].startswith("the page does not answer: ")
    assert bare["id-card-reader"] == ["1", "0400:c35a is not plugged in"]
    assert bare["screen"] == ["1", "no screen is connected"]
    for path, text in (
        ("state/alive", f"{int(time.time())}"), ("state/reset", "1"), ("usb/1-2/idVendor", "0400\n"),
        ("usb/1-2/idProduct", "C35A\n"), ("drm/card0-DP-1/status", "connected\n"),
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    well = said()
    assert {name for name, lines in well.items() if lines == ["0", "ok"]} == set(config["parts"]) - {"platform"}


def looked_at(place: Path, pid: int, group: int, state: str, ticks: int, rests: int) -> None:
    """One process in a made-up /proc; its name may hold anything."""
    stat_file = place / str(pid) / "task" / str(pid) / "stat"
    stat_file.parent.mkdir(parents=True, exist_ok=True)
    stat_file.write_text(f"{pid} (a b) R (c) {state} 1 {group} {group} 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 0\n")
    status = stat_file.with_name("status")
    status.write_text(f"Name:\ta b\nvoluntary_ctxt_switches:\t{rests}\nnonvoluntary_ctxt_switches:\t{ticks}\n")


@pytest.mark.parametrize(
    ("states", "cpu_s", "rests", "hangs"),
    [
        pytest.param("RRRRR", [0, 1, 2, 3, 4], [1, 2, 3, 4, 5], [*[False] * 3, True, True], id="always busy"),
        pytest.param("RRRRR", [0, 0.2, 0.3, 0.5, 0.6], [7] * 5, [*[False] * 3, True, True], id="on a busy machine"),
        pytest.param("RRSRR", [0, 1, 1.2, 2.2, 3.2], [1, 1, 2, 2, 2], [False] * 5, id="it rested in between"),
        pytest.param("RRRRR", [0, 0.5, 1, 1.5, 2], [1, 5, 9, 13, 17], [False] * 5, id="busy, but it listens"),
        pytest.param("TTTTT", [0] * 5, [1] * 5, [*[False] * 3, True, True], id="it was stopped"),
        pytest.param("SSSSS", [0] * 5, [1] * 5, [False] * 5, id="nobody does anything"),
    ],
)
def test_a_page_hangs_when_its_main_thread_never_rests(
    program: ModuleType, tmp_path: Path, states: str, cpu_s: list[float], rests: list[int], hangs: list[bool]
) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    rest, said = program.Rest(3.0, tmp_path), list[bool]()
    (tmp_path / "self").mkdir()
    for second, (state, spent, waits) in enumerate(zip(states, cpu_s, rests, strict=True)):
        looked_at(tmp_path, 10, 10, "S", 5, 3)  # the browser itself
        looked_at(tmp_path, 11, 10, state, int(spent * ticks), waits)
        looked_at(tmp_path, 12, 99, "R", second * ticks, 3)  # somebody else's process
        said.append(rest.hangs(10, 100.0 + second))
    assert said == hangs
