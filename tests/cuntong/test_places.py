"""The five places: every point of their paragraphs, computed; and what a wrong question is told."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.bulletins import year_of
from cuntong.commands import app
from cuntong.errors import UsageError
from cuntong.places import lists, showing
from health.ranking import TooFewMonthsError


@pytest.mark.parametrize("name", sorted(showing.PLACES))
def test_every_point_of_a_place_is_computed_as_its_notice_says(name: str, shared: Path) -> None:
    place = showing.find(name)
    document = showing.prove(place, place.usual, shared / "divisions")
    wrong = [row for row in document["acceptance"] if not row["ok"]]
    assert wrong == []
    assert document.get("failed") is None
    assert len(document["acceptance"]) >= 8


def test_a_place_is_the_same_twice(shared: Path) -> None:
    place = showing.find("伊川")
    first, second = (showing.prove(place, place.usual, shared / "divisions") for _ in range(2))
    assert json.dumps(first, ensure_ascii=False, default=str) == json.dumps(second, ensure_ascii=False, default=str)


def test_another_day_shows_the_same_plan(shared: Path) -> None:
    place = showing.find("yichuan")
    assert "failed" not in showing.prove(place, date(2020, 9, 25), shared / "divisions")


@pytest.mark.parametrize(("given", "name"), [("天全", "tianquan"), ("天全县", "tianquan"), ("Ezhou", "ezhou")])
def test_a_place_is_found_by_either_of_its_names(given: str, name: str) -> None:
    assert showing.find(given).name == name


def test_a_place_that_is_none_of_the_five_is_refused_with_their_names() -> None:
    with pytest.raises(UsageError, match="tianquan"):
        showing.find("beijing")


def test_a_day_that_is_none_or_too_early_is_refused() -> None:
    place = showing.find("天全")
    with pytest.raises(UsageError, match="is no day"):
        showing.day_of(place, "yesterday")
    with pytest.raises(UsageError, match="from 2020-07-01 on"):
        showing.day_of(place, "2019-01-01")


def test_without_lists_the_answer_names_the_ways_to_give_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(lists.VARIABLE, raising=False)
    with pytest.raises(UsageError, match="--divisions DIR or in CUNTONG_DIVISIONS"):
        lists.folder_of(None)
    (tmp_path / "divisions").mkdir()
    assert lists.folder_of(None) == Path("divisions")
    with pytest.raises(UsageError, match="has no history/tianquan"):
        lists.history_of(tmp_path / "divisions", "tianquan")
    monkeypatch.setenv(lists.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="is no folder"):
        lists.folder_of(None)


def test_the_command_prints_each_point_with_what_was_expected_and_seen(shared: Path) -> None:
    command = ["demo", "--place", "伊川", "--as-of", "2020-09-30", "--check", "--divisions", str(shared / "divisions")]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0
    rows: list[dict[str, Any]] = json.loads(ran.stdout)["acceptance"]
    assert all(row.keys() == {"id", "expected", "actual", "ok"} for row in rows)


def test_the_ledger_behind_a_place_has_a_year_of_frozen_bulletins_and_refuses_half_a_year(shared: Path) -> None:
    place = showing.find("天全")
    with showing.staged(place, place.usual, shared / "divisions") as world:
        assert world.inventory.sites.ids
        with pytest.raises(TooFewMonthsError):
            year_of(world.standing, 2021)
    with showing.staged(place, date(2022, 1, 10), shared / "divisions") as world:
        ranked = year_of(world.standing, 2021)
        assert len(ranked) == 10
