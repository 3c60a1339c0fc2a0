"""Logging in and out, and how the page speaks and looks."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from pipelines.review.guard.access import COOKIE, digest, give, own_path
from pipelines.review.rendering import page
from pipelines.review.visit import THEMES, BadInput, Visit
from pipelines.wording import LANGUAGES

_YEAR: Final = 365 * 24 * 3600


def login_page(visit: Visit) -> Response:
    """The form."""
    onward = own_path(visit.request.query_params.get("next", "/"))
    return page(visit, "login.html", title="登录", onward=onward, wrong=False)


def log_in(visit: Visit) -> Response:
    """Open a session, in a cookie that nobody could have planted before."""
    onward = own_path(visit.form.get("next", "/"))
    name, password = visit.form.get("name", "")[:100], visit.form.get("password", "")
    client = visit.request.client
    browser = visit.room.access.log_in(visit.newsroom.store, name, password, client.host if client else "", visit.now)
    if browser is None:
        return page(visit, "login.html", 401, title="登录", onward=onward, wrong=True)
    response = RedirectResponse(onward, 303)
    give(response, browser, secure=visit.request.url.scheme == "https")
    return response


def log_out(visit: Visit) -> Response:
    """End the session."""
    with visit.newsroom.store.transaction() as tx:
        tx.users.end_session(digest(visit.browser))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/")
    return response


def prefer(visit: Visit) -> Response:
    """Have the page in another language, or in other colours."""
    onward = own_path(visit.form.get("next", "/"))
    choices = {"lang": LANGUAGES, "theme": THEMES}
    response = RedirectResponse(onward, 303)
    for name, allowed in choices.items():
        if (chosen := visit.form.get(name)) is not None:
            if chosen not in allowed:
                raise BadInput(f"{name}: one of {', '.join(allowed)}")
            response.set_cookie(name, chosen, max_age=_YEAR, path="/", httponly=True, samesite="strict")
    return response
