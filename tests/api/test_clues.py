"""What a verdict rests on, in people's words."""

import pytest

from api.clues import sentence
from health.verdict import Clue, Sign

CARRIERS = {"telecom": "中国电信"}


@pytest.mark.parametrize(
    ("carrier", "language", "said"),
    [
        ("telecom", "zh", "中国电信 的 3 个站点同时失联，其他运营商正常"),
        ("telecom", "en", "3 sites of 中国电信 fell silent together, and none of another carrier"),
        ("gone", "zh", "gone 的 3 个站点同时失联，其他运营商正常"),
    ],
    ids=["the county's name", "in English, too", "no longer in the inventory"],
)
def test_a_carrier_is_called_by_the_countys_name_for_it(carrier: str, language: str, said: str) -> None:
    clue = Clue(Sign.TOGETHER, {"carrier": carrier, "count": 3})
    assert sentence(language, clue, CARRIERS) == said


def test_a_moment_is_told_in_chinas_time() -> None:
    clue = Clue(Sign.ON_BATTERY, {"device": "ups1", "at": 1_793_491_200.0})
    assert sentence("zh", clue, CARRIERS) == "失联前 ups1 由电池供电（11-01 08:00:00）"
