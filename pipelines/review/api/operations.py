"""Operations of the API, and their description as OpenAPI."""

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
    """An operation of the API.

    Args:
        method: of HTTP.
        path: in Starlette's notation.
        handle: makes the answer; its docstring and its name describe the operation.
        query, body: models of the query string and of the JSON body.
        path_schemas: the JSON schema of each parameter of the path.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    handle: Handler
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    path_schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def describe_api(operations: Iterable[Operation]) -> dict[str, Any]:
    """Describe operations as OpenAPI 3.1: https://spec.openapis.org/oas/v3.1.0."""
    operations = list(operations)
    models = list(dict.fromkeys(operation.body for operation in operations if operation.body))
    refs, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        body = refs[operation.body, "validation"] if operation.body else None
        paths.setdefault(re.sub(r":\w+}", "}", operation.path), {})[operation.method.lower()] = _describe_operation(
            operation, body
        )
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
    "The actions of the desk. A request needs the cookie of the desk; a POST or PUT also needs the token of "
    f"`/api/session` as the header `{TOKEN_HEADER}`. Send as `seen` the version or edition that you saw: if somebody "
    "else changed the story or the text since, nothing is written, and the answer is 409 with the present state."
)


def _describe_operation(operation: Operation, body: Mapping[str, Any] | None) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": dict(schema)}
        for name, schema in operation.path_schemas.items()
    ]
    if operation.query:
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in operation.query.model_json_schema()["properties"].items()
        ]
    refusal = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    docstring = getdoc(operation.handle) or ""
    description: dict[str, Any] = {
        "operationId": operation.handle.__name__,
        "summary": docstring.split("\n")[0],
        "parameters": parameters,
        "responses": {
            "200": {"description": "done", "content": {"application/json": {"schema": {"type": "object"}}}},
            **{str(status): {"description": HTTPStatus(status).phrase, **refusal} for status in _REFUSALS},
        },
    }
    if body is not None:
        description["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if operation.method != "GET":
        description["security"] = [{"token": []}]
    return description
