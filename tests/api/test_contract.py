"""The contract: a golden copy that shows each change, and schemathesis, which holds the answers to it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure
from schemathesis.core.result import Ok

from api.auth import Access
from inventory.model import Inventory
from ledger.accounts import Role

if TYPE_CHECKING:
    from tests.api.conftest import World

GOLDEN: Final = Path(__file__).parent / "openapi.json"
TOP: Final = "511825000000"
_NEVER_ENDS: Final = "/v1/events"
"""Server-sent events: the answer does not end, so nothing can be said of the whole of it."""
_ANOTHER_KEY: Final = "/v1/alerts"
"""Takes a secret of the deployment's own; without one it answers 503, as it should. Its tests are in test_alerts."""


def test_the_contract_is_the_golden_one(busy: "World") -> None:
    """After a change that is meant: CUNTONG_GOLDEN=write, and look at the difference."""
    text = json.dumps(busy.app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("CUNTONG_GOLDEN") == "write":
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


@pytest.fixture(scope="module")
def county(example: Inventory, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[World]":
    from tests.api.conftest import HOUR, NOON, World

    world = World(example, tmp_path_factory.mktemp("contract"), Access())
    world.lights_up(NOON - 2 * HOUR)
    world.loses(NOON - HOUR, "tq-chengxiang-juncheng")
    world.watched(NOON - 2 * HOUR, NOON)
    world.app.state.headers = world.token("checker", (Role.REFORM_VIEWER, TOP), (Role.NOC_OPERATOR, TOP))
    yield world
    world.close()


@pytest.fixture(scope="module")
def api_schema(county: "World") -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", county.app).exclude(path=[_NEVER_ENDS, _ANOTHER_KEY])


def test_every_operation_answers_as_the_contract_says(county: "World", api_schema: schemathesis.BaseSchema) -> None:
    """Whatever is asked, well or badly: no failure, a status and a shape that are promised, no way around the door."""
    headers: dict[str, str] = county.app.state.headers
    failures: list[str] = []
    operations = 0
    for result in api_schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        operations += 1
        for mode in GenerationMode:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=4,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.explicit, Phase.generate],
            )
            def ask(case: "schemathesis.Case[Any]") -> None:
                case.call_and_validate(headers=headers)

            try:
                ask()
            except Unsatisfiable:
                continue  # nothing can be wrong with an operation that takes nothing
            except (BaseExceptionGroup, Failure) as error:
                found = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
                failures += [f"{operation.label} ({mode}): {one}" for one in found]
    assert operations > 50
    assert not failures, "\n\n".join(failures)
