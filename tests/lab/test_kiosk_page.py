"""The citizen's session for real: an X server, Chromium as an account without rights, a page, and systemd's ear."""

import contextlib
import http.server
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

FILES = Path(__file__).parents[2] / "playbooks" / "roles" / "kiosk" / "files"
HUNG_S, IDLE_S = 4, 8
PAGE = b"""<title>For citizens</title><script>
document.cookie = "citizen=zhang; max-age=3600";
setInterval(async () => { if (await (await fetch("/order")).text() == "hang") { while (true) {} } }, 300);
</script>"""

# As an own root of mounts: /run, /tmp and /etc/cuntong are this session's alone, and everything ends with the script.
INSIDE = """\
set -e
mount -t tmpfs -o mode=755 tmpfs /etc/cuntong
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/cuntong-kiosk /run/lab
mount --bind {place} /run/lab
mount -t tmpfs -o mode=1777 tmpfs /tmp
cp /run/lab/kiosk.json /etc/cuntong/kiosk.json
chown nobody /run/cuntong-kiosk
cat > /run/start <<'END'
Xvfb :{display} -screen 0 800x600x24 -nolisten tcp &
i=0; while [ ! -e /tmp/.X11-unix/X{display} ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
exec python3 {session}
END
cd /
exec setpriv --reuid nobody --regid nogroup --clear-groups env -i PATH=/usr/local/bin:/usr/bin:/bin \\
  HOME=/run/cuntong-kiosk/home DISPLAY=:{display} LANG=C.UTF-8 NOTIFY_SOCKET=/run/lab/notify sh /run/start
"""


@dataclass
class Office:
    """The platform's web server. ``cookies`` are those that came with each request for the page."""

    port: int
    orders: list[str] = field(default_factory=lambda: ["rest"])
    cookies: list[str] = field(default_factory=list)


@contextlib.contextmanager
def office() -> Iterator[Office]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = self.path == "/kiosk"
            if page:
                made.cookies.append(self.headers.get("Cookie", ""))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(PAGE if page else made.orders[-1].encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Office(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Session:
    process: subprocess.Popen[bytes]
    place: Path
    heard: "queue.Queue[str]"

    def inside(self, command: str) -> str:
        pid = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=True).stdout
        words = ["nsenter", "-t", pid.split()[0], "-m", "-p", "sh", "-c", command]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout


@contextlib.contextmanager
def session(place: Path, port: int, display: int) -> Iterator[Session]:
    place.chmod(0o755)
    config: dict[str, Any] = {
        "home": f"http://127.0.0.1:{port}/kiosk", "idle_s": IDLE_S, "hung_s": HUNG_S, "idle": ["xprintidle"],
        "temporary": "/tmp", "queues": [],  # noqa: S108  a mount of its own
        "browser": ["chromium", "--kiosk", "--no-first-run", "--noerrdialogs", "--password-store=basic",
                    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    }  # fmt: skip
    (place / "kiosk.json").write_text(json.dumps(config))
    (place / "session.py").write_text((FILES / "kiosk_session.py").read_text())
    script = INSIDE.format(place=place, display=display, session="/run/lab/session.py")
    (place / "inside").write_text(script)
    heard: queue.Queue[str] = queue.Queue()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, (place / "log").open("wb") as log:
        systemd.bind(str(place / "notify"))
        (place / "notify").chmod(0o666)
        systemd.settimeout(0.2)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    heard.put(systemd.recv(100).decode())

        ear = threading.Thread(target=listen)
        ear.start()
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "sh",
             str(place / "inside")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            yield Session(process, place, heard)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            ended.set()
            ear.join()


def eventually(holds: Callable[[], object], what: Path, seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what.read_text("utf-8", "replace")[-3000:]
        time.sleep(0.1)


@pytest.fixture
def place(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if os.geteuid() != 0:
        if os.environ.get("LAB_REQUIRED") == "1":
            pytest.fail("the lab needs root, and LAB_REQUIRED=1 forbids skipping")
        pytest.skip("namespaces need root")
    for name in ("Xvfb", "chromium", "xprintidle", "setpriv", "unshare", "nsenter"):
        program.path(name)
    made = tmp_path_factory.mktemp("page")
    own = not Path("/etc/cuntong").exists()
    Path("/etc/cuntong").mkdir(exist_ok=True)  # where the session's own is mounted
    yield made
    if own:
        Path("/etc/cuntong").rmdir()


def test_what_a_citizen_left_in_the_real_browser_is_gone_for_the_next(place: Path) -> None:
    with office() as made, session(place, made.port, 7701) as running:
        eventually(lambda: made.cookies, place / "log")
        assert made.cookies[0] == ""
        assert running.heard.get(timeout=10) == "READY=1"  # the X server says it, too
        profile = running.inside("ps -o user= -C chromium | sort -u; ls /run/cuntong-kiosk/home/profile")
        assert profile.split()[0] == "nobody"
        assert "Default" in profile
        # Real xprintidle tells the session that nobody touches the screen; it begins anew on an empty profile.
        eventually(lambda: len(made.cookies) > 1, place / "log")
        assert made.cookies[1] == ""
        assert running.process.poll() is None
        eventually(lambda: running.heard.get(timeout=10) == "WATCHDOG=1", place / "log")


def test_a_page_that_hangs_ends_the_session_and_systemd_hears_no_more(place: Path) -> None:
    with office() as made, session(place, made.port, 7702) as running:
        eventually(lambda: made.cookies, place / "log")
        made.orders.append("hang")
        eventually(lambda: running.process.poll() is not None, place / "log")
        said = (place / "log").read_text("utf-8", "replace")
        assert f"the page hangs: it has not rested for {HUNG_S} s" in said
        assert running.process.returncode != 0
        words = []
        with contextlib.suppress(queue.Empty):
            while True:
                words.append(running.heard.get(timeout=0.5))
        assert set(words) == {"READY=1", "WATCHDOG=1"}
