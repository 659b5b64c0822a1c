"""What a verdict rests on, as sentences for people."""

from collections.abc import Mapping
from datetime import datetime

from api.messages import say
from api.standing import CHINA
from health.verdict import Clue


def sentence(language: str, clue: Clue, carriers: Mapping[str, str]) -> str:
    """One clue in words; moments are given in China's time.

    Args:
        carriers: the county's names for them, by the word that its sites use.
    """
    values = {name: _moment(value) if name == "at" else value for name, value in clue.values.items()}
    if "carrier" in values:
        values["carrier"] = carriers.get(str(values["carrier"]), values["carrier"])
    return say(language, f"clue.{clue.sign}", **values)


def _moment(at: object) -> str:
    return datetime.fromtimestamp(float(str(at)), CHINA).strftime("%m-%d %H:%M:%S")
