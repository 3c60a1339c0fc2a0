"""What the API can do, and its description as OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from inspect import getdoc
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipelines.review.answering import Handler
from pipelines.review.guard.access import TOKEN_HEADER

NUMBER: Final[Mapping[str, Any]] = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
DAY: Final[Mapping[str, Any]] = {"type": "string", "format": "date"}
NAME: Final[Mapping[str, Any]] = {"type": "string", "minLength": 1, "maxLength": 100}

_REFUSALS: Final = (400, 401, 403, 404, 409, 413, 414, 416, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for or done.

    Args:
        path: as Starlette has it.
        handle: its docstring describes it.
        query, body: what it reads.
        places: the schema of each part of the path.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    handle: Handler
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def openapi(operations: Iterable[Operation]) -> dict[str, Any]:
    """The description of the API: https://spec.openapis.org/oas/v3.1.0."""
    operations = list(operations)
    models = list(dict.fromkeys(one.body for one in operations if one.body))
    refs, definitions = models_json_schema(
        [(one, "validation") for one in models], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        body = refs[one.body, "validation"] if one.body else None
        paths.setdefault(re.sub(r":\w+}", "}", one.path), {})[one.method.lower()] = _described(one, body)
    return {
        "openapi": "3.1.0",
        "info": {"title": "jianbao", "version": version("jianbao"), "description": _RULES},
        "paths": paths,
        "components": {
            "schemas": {
                **definitions.get("$defs", {}),
                "Problem": {
                    "type": "object",
                    "properties": {"error": {"type": "string"}},
                    "required": ["error"],
                },
            },
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"}},
        },
    }


_RULES: Final = (
    "The desk's actions, with the desk's rules: a cookie and, with each POST and PUT, the token of `/api/session` as "
    f"`{TOKEN_HEADER}`. An action that says what it `seen` is refused with 409 and the present state when somebody "
    "else was quicker."
)


def _described(one: Operation, body: Mapping[str, Any] | None) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": dict(schema)} for name, schema in one.places.items()
    ]
    if one.query:
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in one.query.model_json_schema()["properties"].items()
        ]
    refusal = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    said = getdoc(one.handle) or ""
    described: dict[str, Any] = {
        "operationId": one.handle.__name__,
        "summary": said.split("\n")[0],
        "parameters": parameters,
        "responses": {
            "200": {"description": "done", "content": {"application/json": {"schema": {"type": "object"}}}},
            **{str(status): {"description": HTTPStatus(status).phrase, **refusal} for status in _REFUSALS},
        },
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        described["security"] = [{"token": []}]
    return described
