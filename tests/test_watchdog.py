"""deploy/watchdog: a script that knows nothing of us, against servers that fall silent."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "deploy" / "watchdog" / "cuntong-watchdog"
WELL = {"status": "ok", "snapshot_age_seconds": 2.0, "counties_watched": 1}


class Server:
    """Answers what it was told to, and keeps what is posted to it."""

    def __init__(self) -> None:
        self.status, self.body, self.posted = 200, json.dumps(WELL), list[Any]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(outer.body.encode())

            def do_POST(self) -> None:
                outer.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def run(tmp_path: Path, *arguments: str, code: int) -> str:
    state = ["--state", str(tmp_path / "state.json"), "--timeout", "2"]
    # -I and -S: nothing but the standard library is there.
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, *arguments, *state],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, "{}", "answers 503"),
        (200, json.dumps(WELL | {"snapshot_age_seconds": 900.0}), "its figures are 900 s old"),
        (200, json.dumps(WELL | {"counties_watched": 0}), "no county is being watched"),
    ],
)
def test_three_failures_in_a_row_are_told_once_and_the_end_of_it_too(
    status: int, body: str, said: str, server: Server, tmp_path: Path
) -> None:
    ask = [f"{server.url}/healthz", "--webhook", f"{server.url}/robot"]
    run(tmp_path, *ask, code=0)
    well, (server.status, server.body) = server.body, (status, body)
    for told in (0, 0, 1, 1, 1):
        run(tmp_path, *ask, code=1)
        assert len(server.posted) == told
    assert said in server.posted[0]["text"]["content"]
    assert "村通失联" in server.posted[0]["text"]["content"]
    server.status, server.body = 200, well
    run(tmp_path, *ask, code=0)
    assert "恢复" in server.posted[1]["text"]["content"]
    run(tmp_path, *ask, code=0)
    assert len(server.posted) == 2


def test_a_server_that_is_gone_is_told_to_a_command(server: Server, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    run(tmp_path, "http://127.0.0.1:9/healthz", "--after", "1", "--command", f"tee {heard}", code=1)
    assert "does not answer" in heard.read_text("utf-8")


def test_an_alarm_that_does_not_go_out_is_said_and_the_other_ways_are_tried(server: Server, tmp_path: Path) -> None:
    said = run(
        tmp_path,
        "http://127.0.0.1:9/",
        "--after",
        "1",
        "--command",
        "false",
        "--webhook",
        f"{server.url}/robot",
        code=1,
    )
    assert "did not go out by command" in said
    assert len(server.posted) == 1


def test_mail_goes_over_smtp(tmp_path: Path) -> None:
    received: list[str] = []

    async def serve(ready: threading.Event, port: list[int], done: asyncio.Event) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 here\r\n")
            inside = False
            while line := await reader.readline():
                if inside:
                    received.append(line.decode())
                    inside = line != b".\r\n"
                    if not inside:
                        writer.write(b"250 taken\r\n")
                    continue
                word = line.split()[0].upper()
                inside = word == b"DATA"
                writer.write(b"354 go on\r\n" if inside else b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
                if word == b"QUIT":
                    break
            writer.close()
            done.set()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()
        await asyncio.wait_for(done.wait(), 30)
        server.close()

    ready, port = threading.Event(), list[int]()
    thread = threading.Thread(target=lambda: asyncio.run(serve(ready, port, asyncio.Event())))
    thread.start()
    ready.wait(10)
    mail = ["--mail", "noc@example.org", "--smtp", f"127.0.0.1:{port[0]}"]
    run(tmp_path, "http://127.0.0.1:9/", "--after", "1", *mail, code=1)
    thread.join(30)
    assert any(line.startswith("To: noc@example.org") for line in received)


@pytest.mark.parametrize("wrong", [["http://127.0.0.1/"], ["file:///etc/passwd", "--command", "true"]])
def test_it_wants_a_way_to_alarm_and_an_url(wrong: list[str], tmp_path: Path) -> None:
    run(tmp_path, *wrong, code=2)
    assert not (tmp_path / "state.json").exists()
