"""What other programs ask of the API itself: is it well, whom should Prometheus scrape, how is coverage."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated
from zlib import crc32

import numpy as np
from fastapi import APIRouter, Query, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from api.answers import Health, TargetGroup
from api.problems import RESPONSES, ProblemDocument, ProblemError, Responses, refused
from api.routers.context import StandingHere
from api.standing import Standing
from exporter.registry import COVERAGE_CLAIMED, COVERAGE_SNAPSHOT, COVERAGE_VILLAGES

router = APIRouter(tags=["service"])

_STALE: Responses = {503: {"model": ProblemDocument, "description": "The figures are old"}}
_PARAMETERS: Responses = {422: RESPONSES[422]}
_TEXT: Responses = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format"},
}

_SNAPSHOT_MAX_AGE_S = 60.0


@router.get("/healthz", operation_id="healthz", responses=_STALE)
def healthz(standing: StandingHere) -> Health:
    """200 while figures are fresh; 503 when the ledger is no longer followed."""
    snapshot = standing.snapshot
    age = max(0.0, standing.now() - snapshot.at)
    if age > _SNAPSHOT_MAX_AGE_S:
        detail = f"The newest figures are {age:.0f} s old: the ledger does not answer."
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "stale", detail)
    fresh = snapshot.at - snapshot.watched_until <= standing.stale_after_s  # never watched is NaN and not fresh
    watched = int(np.unique(snapshot.watched_until[fresh]).size)
    return Health(
        status="ok", inventory=standing.inventory.content_hash, snapshot_age_seconds=age, counties_watched=watched
    )


@router.get("/v1/sd/collectors", operation_id="collectors", responses=_PARAMETERS)
def collectors(
    standing: StandingHere,
    shard: Annotated[int, Query(ge=0, le=1023)] = 0,
    of: Annotated[int, Query(ge=1, le=1024)] = 1,
) -> list[TargetGroup]:
    """Prometheus' ``http_sd``: one target a county, from the leases that collectors hold."""
    if shard >= of:
        raise refused(f"shard {shard} of {of} cannot be: shards count from 0.")
    return [
        TargetGroup(
            targets=[lease.address],
            labels={
                "__metrics_path__": f"/metrics/{lease.county}",
                "province": lease.county[:2],
                "county": lease.county[:6],
            },
        )
        for lease in standing.collectors()
        if crc32(lease.county.encode()) % of == shard
    ]


@router.get("/metrics", operation_id="metrics", response_class=Response, responses=_TEXT)
def metrics(standing: StandingHere) -> Response:
    """Coverage for Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Coverage(standing))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Coverage(Collector):
    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterable[Family]:
        standing = self._standing
        snapshot = standing.snapshot
        villages = GaugeMetricFamily(
            COVERAGE_VILLAGES.name, COVERAGE_VILLAGES.help, labels=("province", "county", *COVERAGE_VILLAGES.labels)
        )
        claimed = GaugeMetricFamily(
            COVERAGE_CLAIMED.name, COVERAGE_CLAIMED.help, labels=("province", "county", *COVERAGE_CLAIMED.labels)
        )
        nodes = standing.inventory.nodes
        counties = [node for node, level in enumerate(nodes.levels) if level == 3] or [0]
        for node in counties:
            code = nodes.codes[node]
            for requirement in standing.inventory.coverage_rules.requirements:
                figures = standing.figures(requirement, "default", node, snapshot)
                for state, count in figures.states.items():
                    villages.add_metric((code[:2], code[:6], requirement, state), count)
                claimed.add_metric((code[:2], code[:6], requirement), figures.claimed)
        taken = GaugeMetricFamily(COVERAGE_SNAPSHOT.name, COVERAGE_SNAPSHOT.help, value=snapshot.at)
        return (villages, claimed, taken)
