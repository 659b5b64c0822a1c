"""What one Ansible task does for one kiosk: what is asked of the program on the kiosk, and what its answer means.

The program (`playbooks/roles/kiosk/files/kiosk_target.py`) travels with its question over one SSH session and leaves
nothing behind. Secrets are opened here, turned into keys for this one kiosk, and sent on standard input: they are in no
argument, variable, fact or result.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from collectors.snmp.usm import Auth, Priv, localise, master_key
from cuntong.changing.planning import PLAYBOOKS
from cuntong.errors import StartError
from cuntong.secrets import Resolver, resolver
from cuntong.settings import settings
from inventory.cache import default_folder
from inventory.loader import load
from inventory.model import Inventory
from rollout.bundle import fill, read_files
from rollout.compliance import Result
from rollout.kiosk_baseline import Answer, Question, judge_kiosk, load_kiosk_baseline
from rollout.kiosk_facts import KioskFacts, kiosk_facts

ROLE: Final = PLAYBOOKS / "roles" / "kiosk"
_AUTH: Final = {"sha": Auth.SHA, "sha256": Auth.SHA256}
_PRIV: Final = {"aes128": Priv.AES128, "aes256": Priv.AES256}
_MARK: Final = "cuntong:"

# Reads as many octets of standard input as its first line says, runs them as a program, and gives it the rest. The name
# stands on the command line, by which the firewall's timer is known again.
COMMAND: Final = (
    'python3 -c \'import sys; b = sys.stdin.buffer; n = int(b.readline()); s = dict(__name__="kiosk_target"); '
    'exec(compile(b.read(n), "kiosk_target", "exec"), s); print(s["main"](b.read().decode()))\''
)

Run = Callable[[str, bytes], str]
"""Runs a command on the kiosk with this on its standard input; what it said."""


@cache
def _inventory() -> Inventory:
    folder = os.environ.get("CUNTONG_INVENTORY")
    if not folder:
        raise StartError("CUNTONG_INVENTORY does not say which inventory; set it to the folder.")
    return load(Path(folder), cache=default_folder())


def runs_on(action: Any) -> Run:
    """Commands over the connection of a task of Ansible's, which itself says when a kiosk cannot be reached.

    Raises:
        StartError: by the call: the kiosk has no Python that could run it.
    """

    def run(command: str, given: bytes) -> str:
        ended = action._low_level_execute_command(command, in_data=given)
        if ended["rc"] != 0:
            last = " ".join(str(ended["stderr"] or ended["stdout"]).strip().splitlines()[-2:])
            raise StartError(f"The kiosk's Python ended with {ended['rc']}: {last}")
        return str(ended["stdout"])

    return run


def put_files(run: Run, device_id: str, arguments: Mapping[str, Any], *, check: bool, diff: bool) -> dict[str, Any]:
    """Every file of a kiosk, compared and (unless in check mode) swapped in; Ansible's result.

    Raises:
        CuntongError: the role's files or a secret cannot be used, or the kiosk did not answer.
    """
    facts = _facts(device_id)
    files = fill(ROLE, read_files(arguments.get("files")), facts, _keys(facts))
    question = {
        "do": "files", "check": check, "diff": diff, "files": files, "user": facts.user,
        "packages": list(arguments.get("packages") or ()), **_services(arguments),
    }  # fmt: skip
    answer = _asked(run, question)
    if answer.get("failed"):
        return answer
    rows = answer["files"]
    return {
        "changed": answer["changed"],
        "cuntong_files": [row["path"] for row in rows],
        "cuntong_done": answer["done"],
        "cuntong_units": answer["units"],
        "diff": [_difference(row) for row in rows] if diff else [],
    }


def settle(run: Run, again: Callable[[], None], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Start anew what changed; a new firewall stays only if a new connection comes through it.

    Args:
        again: drops the connection, so that the next command opens one through the rules as they are now.
    """
    services = _services(arguments)
    answer = _asked(run, {"do": "settle", "confirm_s": float(arguments.get("confirm_s") or 60), **services})
    if answer.get("failed") or not answer["to_confirm"]:
        return answer
    again()
    confirmed = _asked(run, {"do": "confirm", **services})
    if confirmed.get("failed"):
        return confirmed
    return {"changed": True, "cuntong_done": [*answer["done"], *confirmed["done"]]}


def audit(run: Run, device_id: str) -> dict[str, Any]:
    """B30 to B45 of one kiosk, each with its evidence."""
    document, facts = load_kiosk_baseline(), _facts(device_id)
    answer = _asked(run, {"do": "ask", **Question.of(document, facts).as_json()})
    if answer.get("failed"):
        return answer
    results = judge_kiosk(document, facts, Answer.of(answer))
    return {
        "changed": False,
        "baseline": f"{document.name} {document.version}",
        "results": [_row(one) for one in results],
        "conforms": all(one.mark != "fail" for one in results),
    }


def _row(one: Result) -> dict[str, str]:
    return {"item": one.item, "title": one.title, "mark": str(one.mark), "evidence": one.evidence}


def _services(arguments: Mapping[str, Any]) -> dict[str, Any]:
    units: Sequence[str] = arguments.get("units") or ()
    return {"units": list(units), "service_command": str(arguments.get("service_command") or "systemctl")}


def _facts(device_id: str) -> KioskFacts:
    inventory = _inventory()
    try:
        device = inventory.devices.find(device_id)
    except KeyError:
        raise StartError(f"{device_id} is no device of {inventory.title}.") from None
    return kiosk_facts(inventory, device)


def _keys(facts: KioskFacts) -> dict[str, str]:
    """The keys of this kiosk's SNMP engine, from the passwords behind the references."""
    opener, user = resolver(settings()), facts.snmp
    engine, auth = bytes.fromhex(facts.engine_id), _AUTH[user.auth]
    keys = {
        name: localise(auth, master_key(auth, _password(reference, opener)), engine)
        for name, reference in (("auth_key", user.auth_password), ("priv_key", user.priv_password))
    }
    # net-snmp cuts a localised key to what its cipher takes; AES-256 takes 32 octets, which SHA-256 gives.
    return {name: key.hex() for name, key in keys.items()}


def _password(reference: str, opener: Resolver) -> str:
    text = opener.secret(reference)
    if len(text) < 8:
        raise StartError(f"The secret {reference} is shorter than 8 characters, which SNMPv3 refuses (RFC 3414).")
    return text


def _difference(row: Mapping[str, Any]) -> dict[str, str]:
    """One file in the form that Ansible prints."""
    told = {"before_header": row["path"], "after_header": row["path"]}
    if "attributes" in row:
        was, _, is_now = str(row["attributes"]).partition(" -> ")
        return {**told, "before": f"{was}\n", "after": f"{is_now}\n"}
    return {**told, "before": row.get("before", ""), "after": row.get("after", "")}


def _asked(run: Run, question: Mapping[str, Any]) -> dict[str, Any]:
    program = (ROLE / "files" / "kiosk_target.py").read_bytes()
    said = run(COMMAND, b"%d\n%s%s" % (len(program), program, json.dumps(question).encode()))
    for line in said.splitlines():
        mark, _, rest = line.strip().partition(_MARK)
        digest, _, data = rest.partition(":")
        if not mark and hashlib.sha256(data.encode()).hexdigest()[:16] == digest:
            answer: dict[str, Any] = json.loads(base64.b64decode(data))
            return answer
    words = " ".join(said.split())
    raise StartError(f"The kiosk gave no answer; it said: {words[-300:] or 'nothing'}")
