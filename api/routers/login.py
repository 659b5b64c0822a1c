"""``/login``: the one page that is shown to nobody in particular; it needs no script."""

from http import HTTPStatus
from typing import Annotated, Final, Literal
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import escape

from api.actions import accounts as actions
from api.actions.errors import ActionError
from api.auth import check_same_origin, set_cookie
from api.messages import say
from api.problem_words import detail_in
from api.problems import ProblemError
from api.routers.context import standing_of
from ledger.errors import LedgerError
from ledger.sessions import Kind

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_MOST: Final = 4096
_FORM: Final = """<!doctype html>
<html lang="{html_lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · 村通</title><link rel="stylesheet" href="/static/style.css">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml"></head>
<body><header class="top"><a class="brand" href="/"><b>村通</b></a></header>
<main class="login"><h1>{title}</h1>{wrong}
<form method="post" action="/login?next={next}&amp;lang={language}">
<label for="name">{name}</label>
<input id="name" name="name" required maxlength="64" autocomplete="username" autofocus>
<label for="password">{password}</label>
<input id="password" name="password" type="password" required maxlength="256" autocomplete="current-password">
<button type="submit">{title}</button></form></main></body></html>
"""

Next = Annotated[str, Query(max_length=300)]
Language = Annotated[Literal["zh", "en"], Query(alias="lang")]


@router.get("/login")
def login_page(next: Next = "/", language: Language = "zh") -> Response:
    return _form(next, language, "")


@router.post("/login")
async def log_in(request: Request, next: Next = "/", language: Language = "zh") -> Response:
    """What the form sends; a foreign page's is refused by its Origin."""
    check_same_origin(request)
    body = await request.body()
    if len(body) > _MOST:
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "That is no login.")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    name, password = (fields.get(one, [""])[0][:256] for one in ("name", "password"))
    address = request.client.host if request.client else ""
    standing = standing_of(request)
    try:
        token = await run_in_threadpool(
            actions.log_in, standing.engine, name, password, standing.now(), f"web {address}", Kind.WEB, address
        )
    except (ActionError, LedgerError) as error:
        return _form(next, language, detail_in(language, str(error)), HTTPStatus.UNAUTHORIZED)
    response = RedirectResponse(_own(next), HTTPStatus.SEE_OTHER)
    set_cookie(request, response, token)
    return response


def _own(next: str) -> str:
    """A place of ours: a link from outside must not send who logs in to another site."""
    return next if next.startswith("/") and not next.startswith(("//", "/\\")) else "/"


def _form(next: str, language: str, wrong: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    def t(key: str) -> str:
        return say(language, key)

    text = _FORM.format(
        html_lang="zh-CN" if language == "zh" else "en",
        language=language,
        title=t("login"),
        name=t("login_name"),
        password=t("login_password"),
        next=quote(_own(next), safe="/"),
        wrong=f'<p role="alert" class="behind">{escape(wrong)}</p>' if wrong else "",
    )
    # Under our usual policy, no-referrer, a browser would send the form with the Origin "null".
    return HTMLResponse(text, status, {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"})
