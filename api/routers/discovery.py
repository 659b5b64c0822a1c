"""Whom Prometheus should scrape (``http_sd``), and how: from the leases that collectors hold."""

import re
import zlib
from collections.abc import Iterable
from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated, Final

import yaml
from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from api.answers import TargetGroup
from api.auth import WholeViewer
from api.problems import Responses, refused, responses
from api.standing import Standing
from exporter.formats import wants_gzip
from exporter.packing import compress
from exporter.pages import has_already
from ledger.leases import Lease

router = APIRouter(prefix="/v1/sd", tags=["service"])

_PARAMETERS: Final[Responses] = responses(401, 403, 422)
_YAML: Final[Responses] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "A part of prometheus.yml"},
    **responses(401, 403, 422),
}
_CREDENTIALS: Final = "/etc/prometheus/cuntong.token"
_GROUPS: Final = TypeAdapter(list[TargetGroup])
_AUTHORITY: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")

Shard = Annotated[int, Query(ge=0, le=1023, description="Which share of the counties to give.")]
Of = Annotated[int, Query(ge=1, le=1024, description="How many Prometheus divide the counties among them.")]

SAMPLES_PER_COUNTY: Final = 100_000
"""What one scrape of a county may bring: 1,000 villages at the hard cap of 100 series each."""


@router.get("/collectors", operation_id="collectors", responses=_PARAMETERS, response_model=list[TargetGroup])
def collectors(request: Request, view: WholeViewer, shard: Shard = 0, of: Of = 1) -> Response:
    """One target a county: its sites, lines, devices and outages."""
    return _answer(request, _groups(view.standing, shard, of, "/metrics/{county}"))


@router.get("/processes", operation_id="processes", responses=_PARAMETERS, response_model=list[TargetGroup])
def processes(request: Request, view: WholeViewer, shard: Shard = 0, of: Of = 1) -> Response:
    """One target a collector: what it says of itself. A job of its own, so that ``up`` is not two things at once."""
    return _answer(request, _groups(view.standing, shard, of, "/metrics"))


@router.get("/scrape-config", operation_id="scrape_config", response_class=Response, responses=_YAML)
def scrape_config(request: Request, view: WholeViewer, shard: Shard = 0, of: Of = 1) -> Response:
    """The part of prometheus.yml that scrapes this system, for one of ``of`` Prometheus.

    Where reading takes an account, Prometheus shows the token that lies in a file of its own.
    """
    _check(shard, of)
    here = request.url.netloc
    if not _AUTHORITY.fullmatch(here):
        raise refused(f"the host {here!r} is none that Prometheus could ask.")
    share = f"?shard={shard}&of={of}" if of > 1 else ""
    shown = {} if view.account is None else {"authorization": {"credentials_file": _CREDENTIALS}}

    def found(path: str) -> dict[str, object]:
        url = f"{request.url.scheme}://{here}/v1/sd/{path}{share}"
        return {"http_sd_configs": [{"url": url, "refresh_interval": "60s", **shown}]}

    limits = {"sample_limit": SAMPLES_PER_COUNTY, "body_size_limit": "32MB", "label_limit": 20}
    jobs = [
        {"job_name": "cuntong-collector", "scrape_interval": "60s", "scrape_timeout": "30s"}
        | limits
        | found("collectors"),
        {"job_name": "cuntong-process", "scrape_interval": "30s"} | found("processes"),
    ]
    if shard == 0:  # the API speaks for all counties: it is scraped once
        api = {"job_name": "cuntong-api", "scheme": request.url.scheme, "scrape_interval": "30s"}
        jobs.append(api | shown | {"static_configs": [{"targets": [here]}]})
    text = yaml.safe_dump({"scrape_configs": jobs}, sort_keys=False, allow_unicode=True)
    return Response(text, media_type="text/plain")


def _check(shard: int, of: int) -> None:
    if shard >= of:
        raise refused(f"shard {shard} of {of} cannot be: shards count from 0.")


def _groups(standing: Standing, shard: int, of: int, path: str) -> Iterable[TargetGroup]:
    """A county stays with its shard as long as there are as many."""
    _check(shard, of)
    for lease in standing.collectors():
        if zlib.crc32(lease.county.encode()) % of == shard:
            yield TargetGroup(targets=[lease.address], labels=_labels(lease, path))


def _labels(lease: Lease, path: str) -> dict[str, str]:
    return {
        "__metrics_path__": path.format(county=lease.county),
        "province": lease.county[:2],
        "county": lease.county[:6],
        "collector": lease.holder,
    }


def _answer(request: Request, groups: Iterable[TargetGroup]) -> Response:
    """The whole list each time, as Prometheus wants it; nothing but a status where the reader has it already."""
    body = _GROUPS.dump_json(list(groups))
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Vary": "Accept-Encoding", "Cache-Control": _cache(request)}
    if has_already(request, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if wants_gzip(request.headers.get("accept-encoding")):
        body = compress(body)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type="application/json")


def _cache(request: Request) -> str:
    """Caches on the way may keep it for half the time after which this Prometheus asks again, which it says."""
    interval = request.headers.get("x-prometheus-refresh-interval-seconds", "")
    return f"max-age={int(float(interval) / 2)}" if re.fullmatch(r"\d{1,6}(\.\d+)?", interval) else "no-cache"
