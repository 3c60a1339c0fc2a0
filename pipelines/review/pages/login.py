"""Login and logout, and the language and the colours of the pages."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from pipelines.review.guard.access import COOKIE, check_own_path, hash_cookie, set_browser_cookie
from pipelines.review.rendering import render_page
from pipelines.review.visit import THEMES, BadInput, Visit
from pipelines.wording import LANGUAGES

_YEAR: Final = 365 * 24 * 3600


def show_login(visit: Visit) -> Response:
    """Show the form."""
    onward = check_own_path(visit.request.query_params.get("next", "/"))
    return _show_form(visit, onward)


def log_in(visit: Visit) -> Response:
    """Open a session under a new cookie, so that a planted cookie gains no session."""
    onward = check_own_path(visit.form.get("next", "/"))
    name, password = visit.form.get("name", "")[:100], visit.form.get("password", "")
    client = visit.request.client
    browser = visit.desk.access.log_in(
        visit.newsroom.house.store, name, password, client.host if client else "", visit.now
    )
    if browser is None:
        return _show_form(visit, onward, 401, name=name)
    response = RedirectResponse(onward, 303)
    set_browser_cookie(response, browser, secure=visit.request.url.scheme == "https")
    return response


def _show_form(visit: Visit, onward: str, status: int = 200, *, name: str = "") -> Response:
    """Show the form; after a wrong password with the name that was typed."""
    title = visit.translate("desk/log-in")
    return render_page(visit, "login.html", status, title=title, onward=onward, name=name, wrong=status != 200)


def log_out(visit: Visit) -> Response:
    """End the browser's session."""
    with visit.newsroom.house.store.transaction() as tx:
        tx.users.end_session(hash_cookie(visit.browser))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, path="/")
    return response


def save_preferences(visit: Visit) -> Response:
    """Save the language or the colours of the pages in a cookie."""
    onward = check_own_path(visit.form.get("next", "/"))
    choices = {"lang": LANGUAGES, "theme": THEMES}
    response = RedirectResponse(onward, 303)
    for name, allowed in choices.items():
        chosen = visit.form.get(name)
        if chosen is None:
            continue
        if chosen not in allowed:
            raise BadInput(f"{name}: one of {', '.join(allowed)}")
        response.set_cookie(name, chosen, max_age=_YEAR, path="/", httponly=True, samesite="strict")
    return response
