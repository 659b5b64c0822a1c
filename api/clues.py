"""What a verdict rests on, as sentences for people."""

from datetime import datetime

from api.messages import say
from api.standing import CHINA
from health.verdict import Clue


def sentence(language: str, clue: Clue) -> str:
    """One clue in words; moments are given in China's time."""
    values = {name: _moment(value) if name == "at" else value for name, value in clue.values.items()}
    return say(language, f"clue.{clue.sign}", **values)


def _moment(at: object) -> str:
    return datetime.fromtimestamp(float(str(at)), CHINA).strftime("%m-%d %H:%M:%S")
