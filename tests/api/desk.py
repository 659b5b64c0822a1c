"""A NOC's desk over a county: Alertmanager's webhook with its token, channels to people, and accounts that act."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx

from api.actions import accounts as actions
from api.app import create_app
from api.auth import Access
from api.receivers.escalation import Escalation
from api.receivers.hearing import Notifications
from cuntong.errors import StartError
from exporter.alertmanager.settings import Alerting
from ledger import accounts, messages
from ledger.accounts import Account, Role
from ledger.messages import Message

if TYPE_CHECKING:
    from tests.api.conftest import World

TOKEN: Final = "token-of-this-test"  # noqa: S105
PASSWORD: Final = "Long-enough-9"  # noqa: S105
ALERTING: Final[dict[str, Any]] = {
    "channels": {
        "duty": {"kind": "wecom", "address": "secret://duty"},
        "chief": {"kind": "wecom", "address": "secret://chief"},
        "boss": {"kind": "wecom", "address": "secret://boss", "language": "en"},
        "county": {"kind": "feishu", "address": "secret://county", "severities": ["warning"]},
    },
    "tell": {"page": ["duty"], "county": ["county"], "511826": ["boss"]},
    "escalation": [{"after_minutes": 15, "channels": ["chief"]}, {"after_minutes": 60, "channels": ["boss"]}],
    "pages": "https://cuntong.example",
}
Answer = TypeVar("Answer")


class Desk:
    """The API with notifications over a `World`; its clock is the world's."""

    def __init__(self, world: "World", alerting: dict[str, Any] | None = None) -> None:
        self.world = world
        self.secrets = {"secret://alertmanager": TOKEN}
        settings = Alerting.model_validate(ALERTING if alerting is None else alerting)
        self.notifications = Notifications(settings, self._open, lambda: world.now)
        self.app = create_app(world.standing, Access(open_reading=True), self.notifications)
        self.escalation = Escalation(world.engine, world.inventory, self.notifications)
        self.tokens: dict[str, str] = {}
        self._keys = 0

    def _open(self, reference: str) -> str:
        if reference not in self.secrets:
            raise StartError(f"There is no secret {reference}.")
        return self.secrets[reference]

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://county") as client:
                return await client.request(method, path, **more)

        return _wait(once())

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def hear(
        self, *alerts: dict[str, Any], receiver: str = "cuntong", token: str = TOKEN, **more: Any
    ) -> httpx.Response:
        payload = {"version": "4", "groupKey": "{}", "receiver": receiver, "status": "firing", "alerts": list(alerts)}
        return self.ask("POST", "/v1/alerts", json=payload | more, headers={"Authorization": f"Bearer {token}"})

    def kept(self, *alerts: dict[str, Any], **more: Any) -> tuple[int, int, int]:
        """New, known, queued."""
        answer = self.hear(*alerts, **more)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        return told["recorded"], told["repeated"], told["queued"]

    def account(self, name: str, role: Role, division: str = "511825000000") -> Account:
        with self.world.engine.begin() as connection:
            accounts.add(connection, name, f"{name} of the county", PASSWORD, self.world.now)
            accounts.grant(connection, name, role, division, "sec", self.world.now)
            found = accounts.find(connection, name)
        assert found is not None
        self.tokens[name] = actions.make_token(self.world.engine, found, "test", self.world.now, 30 * 86_400.0)
        return found

    def does(self, who: str, outage: str, verb: str, note: str = "", **more: Any) -> httpx.Response:
        self._keys += 1
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Idempotency-Key": f"key-{self._keys:08}"}
        return self.ask("POST", f"/v1/outages/{outage}/{verb}", json={"note": note} | more, headers=headers)

    def queued(self, channel: str) -> list[Message]:
        with self.world.engine.connect() as connection:
            return messages.waiting(connection, channel, 100)


def _wait(answer: Coroutine[Any, Any, Answer]) -> Answer:
    with asyncio.Runner() as runner:
        return runner.run(answer)


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def alert(
    name: str, since: float, until: float | None = None, fingerprint: str = "f1", **labels: str
) -> dict[str, Any]:
    """One alert as Alertmanager 0.25 writes it."""
    return {
        "status": "firing" if until is None else "resolved",
        "labels": {"alertname": name, "province": "51", "county": "511825", **labels},
        "annotations": {"summary": f"{name}的概要", "summary_en": f"About {name}", "description": "说明。"},
        "startsAt": stamp(since),
        "endsAt": "0001-01-01T00:00:00Z" if until is None else stamp(until),
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": fingerprint,
    }
