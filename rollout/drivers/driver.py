"""The shape of a driver: what a session must know of a platform's command line, as data."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Driver:
    """Rules of one command line.

    Attributes:
        netmiko: name of netmiko's driver that the session builds on.
        prompt: one whole line; group ``name`` is the device's name, group ``config`` is there (even if empty)
            only in configuration mode.
        not_prompt: a line that looks like a prompt and is none.
        refused: one line that says that the command before it was not accepted.
        after_login: typed once, to get rid of paging and log lines.
        enable: command that asks for the privileged mode where login ends in an unprivileged one.
        running, saved: commands that show the configurations; None where the platform shows none.
        saved_perhaps: shows the saved one on some releases: asked for backups only, never where a change depends on it.
        enter, leave: ways into and out of configuration mode. ``{mark}`` in the way in is ``mark``, filled in.
        mark: how our own session is marked where others may see it; ``{controller}`` is the router's.
        save: makes the running configuration the saved one.
        saved_ok: what ``save`` says when it worked; None where it says nothing that can be relied on.
        renames: a configuration line that changes the prompt; group 1 is the new name.
        ping: command with ``{target}`` and ``{source}``; ``ping_plain`` has no source.
        ping_good: found in its output when at least one answer came.
        default_route: command that shows the default route, and what is found in its output if there is one.
        occupied: command that shows who else holds the configuration, and what is found in its output if somebody
            does (group ``who``). A release that does not know it is changed as before; None where no command tells.
        enter_key: ends a line that we type.
    """

    netmiko: str
    prompt: re.Pattern[str]
    refused: re.Pattern[str]
    after_login: tuple[str, ...]
    running: str
    saved: str | None
    enter: tuple[str, ...]
    leave: tuple[str, ...]
    save: str
    ping: str
    ping_plain: str
    ping_good: re.Pattern[str]
    default_route: tuple[str, re.Pattern[str]]
    saved_ok: re.Pattern[str] | None = None
    occupied: tuple[str, re.Pattern[str]] | None = None
    mark: str = ""
    saved_perhaps: str | None = None
    enable: str | None = None
    renames: re.Pattern[str] | None = None
    not_prompt: re.Pattern[str] = field(default=re.compile(r"(?!)"))
