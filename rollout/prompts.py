"""Questions that devices ask in the middle of a session, and the one answer each of them gets.

A row says: after *this command*, to *this question*, *this answer*. There is no rule that answers whatever looks
like a question. What no row matches gets ``N``, the line counts as not accepted, and the change goes back
(vendor-cli notes, section 4). The rows for VRP and Comware were written from the questions that annet's deploy
rulebooks (MIT) collect from the field, kept to what our own templates can cause; those of RGOS from netmiko.

A question is text that waits: the last, unfinished line of what the device says after the echo of the command. A
``[Y/N]`` in a banner, a description or in the middle of an output is followed by a line end and is none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from rollout.platform import Platform


@dataclass(frozen=True)
class Row:
    """One question that we know.

    Attributes:
        command: regular expression for the whole command.
        question: regular expression to be found in the line that waits, or in the paragraph it ends.
    """

    platform: Platform
    command: str
    question: str
    answer: str


_VRP, _COMWARE, _RGOS = Platform.VRP, Platform.COMWARE, Platform.RGOS

ROWS: tuple[Row, ...] = (
    # Ours, outside the configuration.
    Row(_VRP, r"save", r"current configuration will be written to the device", "Y"),
    Row(_VRP, r"save", r"[Aa]re you sure to continue", "Y"),
    Row(_VRP, r"save", r"input the file name", "vrpcfg.zip"),
    Row(_VRP, r"schedule reboot delay \d+", r"Reboot system at .*confirm\?", "Y"),
    Row(_COMWARE, r"scheduler reboot delay \d+", r"Reboot system at .*confirm\?", "Y"),
    Row(
        _COMWARE,
        r"configuration replace file \S+",
        r"save the (current|running) configuration|Current configuration will be lost",
        "N",
    ),
    # Sections that go.
    Row(_VRP, r"undo bgp( \d+)?", r"BGP process will be deleted|BGP configurations will be deleted", "Y"),
    Row(_VRP, r"undo ospf \d+.*", r"OSPF process will be deleted", "Y"),
    Row(_VRP, r"undo vlan( batch)? [\d to]+", r"configurations of the VLAN will be deleted", "Y"),
    Row(_VRP, r"undo dhcp enable", r"DHCP functions will be disabled", "Y"),
    Row(_VRP, r"undo stelnet( ipv[46])? server enable", r"will stop the STelnet server", "Y"),
    Row(_VRP, r"undo telnet( ipv[46])? server enable", r"will stop the .*Telnet server", "Y"),
    Row(_VRP, r"undo http server enable", r"will stop HTTP service", "Y"),
    Row(_VRP, r"undo ip vpn-instance \S+", r"[Cc]ontinue\?", "Y"),
    Row(_COMWARE, r"undo ip vpn-instance \S+", r"configurations of the VPN instance will be deleted", "Y"),
    Row(_COMWARE, r"undo bgp( \d+)?", r"Undo BGP process\?", "Y"),
    Row(_COMWARE, r"undo ospf( \d+)?.*", r"Undo OSPF process\?", "Y"),
    # Sessions of routing protocols that start again.
    Row(_VRP, r"(undo )?peer \S+.*", r"reset(s)? the peer session|related to the BGP peer will be deleted", "Y"),
    Row(_VRP, r"(undo )?router-id.*", r"resets the peer session", "Y"),
    Row(_COMWARE, r"(undo )?peer \S+.*", r"reset the peer session", "Y"),
    # Accounts and access.
    Row(_VRP, r"local-user \S+ privilege level \d+", r"may affect online users", "Y"),
    Row(_VRP, r"local-user \S+ password .*", r"user using this account will be logged out", "Y"),
    Row(_VRP, r"local-user \S+ service-type .*", r"overwrite", "Y"),
    Row(_VRP, r"(undo )?ssh (ipv6 )?server-source.*", r"server source configuration will take effect", "Y"),
    Row(_VRP, r"(undo )?telnet (ipv6 )?server-source.*", r"server source configuration will take effect", "Y"),
    Row(_VRP, r"rsa local-key-pair create", r"(Input the bits in the modulus|modulus)", "2048"),
    Row(_VRP, r"rsa local-key-pair create", r"[Dd]o you want to replace", "N"),
    Row(_COMWARE, r"public-key local create rsa", r"modulus length|Input the modulus", "2048"),
    Row(_COMWARE, r"public-key local create rsa", r"already exist.*overwrite|Confirm to replace", "N"),
    # Services.
    Row(_VRP, r"snmp-agent trap enable", r"trap(s)?.*will be open", "Y"),
    Row(_VRP, r"port link-type \w+", r"will delete VLANs on this port", "Y"),
    Row(_VRP, r"radius-server shared-key .*", r"shared-key complexity is low", "Y"),
)

LOGIN: dict[Platform, tuple[tuple[str, str], ...]] = {
    # netmiko's own driver answers the second one with Y and so saves the configuration while logging in; we do not.
    Platform.VRP: ((r"Change now\?|Please choose", "N"), (r"security risks in the configuration file", "N")),
    Platform.COMWARE: ((r"Press Y or ENTER to continue", ""), (r"[Cc]hange now\?|change the password", "N")),
    Platform.RGOS: ((r"Do you want to change the password", "n"),),
    Platform.FRR: (),
}
"""Questions at login, before the first prompt: pattern and answer."""

_NEVER = re.compile(
    r"\s*(?:reset (?:saved|factory|recycle)|reboot|reload|(?:undo )?scheduler? (?:reboot|job cuntong|schedule cuntong)"
    r"|format|delete|erase|factory|restore|startup |clear configuration|write|save|copy|move|rename"
    r"|configuration |undo ip route-static all)",
    re.IGNORECASE,
)

_WAITS = re.compile(r"([\[(](Y/N|Yes/No|no|yes)[^\])]*[\])]|\?|:)\s*$", re.IGNORECASE)


@cache
def _rows(platform: Platform) -> tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(rf"\s*{row.command}\s*"), re.compile(row.question, re.DOTALL), row.answer)
        for row in ROWS
        if row.platform is platform
    )


def never_sent(lines: Iterable[str]) -> str | None:
    """The first line that no change may hold, whatever plan it came from; None where there is none.

    They erase, restart, save, or meddle with what would bring the device back. The hazard linter refuses more; this
    list is the last door before the device (vendor-cli notes, section 4).
    """
    return next((line for line in lines if _NEVER.match(line)), None)


def looks_like_a_question(waiting: str) -> bool:
    """Whether an unfinished line could wait for an answer; only silence after it proves it."""
    return bool(_WAITS.search(waiting))


def answer(platform: Platform, command: str, paragraph: str) -> str | None:
    """The table's answer to a question.

    Args:
        command: what we typed.
        paragraph: what the device said since, ending in the line that waits; a question may run over lines.

    Returns:
        None where no row matches: the caller sends ``N`` and gives up.
    """
    for asked_by, question, reply in _rows(platform):
        if asked_by.fullmatch(command) and question.search(paragraph):
            return reply
    return None


def login_answer(platform: Platform, said: str) -> str | None:
    """The answer to a question before the first prompt; None where it is none that we know."""
    return next((reply for question, reply in LOGIN[platform] if re.search(question, said)), None)
