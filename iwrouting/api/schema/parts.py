"""What many operations of the OpenAPI document share: headers in both directions, errors, the security scheme."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from iwrouting.api.schema.shapes import ErrorBody

OPENAI = "OpenAI API"
RESOLVING = "Resolving"
MANAGEMENT = "Management"
HEALTH = "Health"

ERRORS = {
    400: "The request can't be served as it stands.",
    401: "No API key, or none that is good.",
    403: "The key lacks the scope, or may not act for the project.",
    404: "Nothing of that name that this key may see.",
    409: "It contradicts what is there.",
    412: "It was changed since you read it; `details` has both values.",
    413: "The body is over IW_MAX_BODY_MB.",
    415: "The body is not JSON.",
    422: "The configuration would have faults; `details` has each with its row. Or an Idempotency-Key is used again.",
    428: "A change needs If-Match.",
    502: "The provider failed, and so did every rung of the chain; or our account there is refused.",
    503: "Not now: the audit or the database can't be written, or every candidate is overloaded.",
    504: "Every candidate timed out.",
    508: "The request came from this service itself.",
}
EXAMPLES = {
    400: ("invalid_request_error", "dry_run", "invalid_request", "dry_run: must be true or false."),
    401: ("authentication_error", None, "missing_api_key", "No API key. Send it as 'Authorization: Bearer iw_...'."),
    403: (
        "permission_error",
        None,
        "missing_scope",
        "This key has no scope 'manage': an operator can add it in the admin.",
    ),
    404: (
        "invalid_request_error",
        "model",
        "model_not_found",
        "The model 'manger' does not exist or you do not have access to it. Did you mean 'manager'?",
    ),
    409: ("invalid_request_error", "slug", "slug_taken", "slug: 'atlas' is another project's; send another slug."),
    503: ("server_error", None, "audit_unavailable", "The audit can't be written now."),
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # its registering hook has no types
    """How the document names our keys."""

    target_class = "iwrouting.api.authentication.KeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Bearer."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key `iw_...`, made in the admin or by `manage.py keys_create`.",
        }


def sent(name: str, description: str) -> OpenApiParameter:
    """A header of requests."""
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


def returned(name: str, description: str, *statuses: int, kind: type = str) -> OpenApiParameter:
    """A header of answers; no statuses: of every answer."""
    return OpenApiParameter(
        name, kind, OpenApiParameter.HEADER, description=description, response=list(statuses) or True
    )


REQUEST_ID = [
    sent("x-request-id", "Your own id of the request, 128 characters of letters, digits and ._:/-; else we make one."),
    returned("x-request-id", "The id of the request: yours, or ours."),
]
PROJECT = sent("x-iw-project", "Slug or external id, for keys with several projects; else OpenAI-Project.")
CONTEXT = [
    PROJECT,
    sent("x-iw-run-id", "The Autopilot execution that the call belongs to."),
    sent("x-iw-tags", "Up to 16 tags, separated by commas."),
    sent("x-iw-test", "1 marks the decision as test traffic."),
    *REQUEST_ID,
]
DECIDED = [
    returned("x-iw-decision-id", "The decision in the audit; also on errors of authenticated requests."),
    returned("x-iw-revision", "Revision of the configuration.", kind=int),
    returned("x-iw-alias", "The alias that was asked for."),
    returned("x-iw-mode", "The chat mode that auto was taken for."),
    returned("x-iw-source", "Where the model was found."),
    returned("x-iw-warning", "What an operator should know, separated by semicolons."),
]
SERVED = [
    returned("x-iw-model", "The model that served."),
    returned("x-iw-upstream", "The upstream that served."),
    returned("x-iw-attempts", "Tries that were sent.", kind=int),
    returned("x-iw-fallback", "0 where the primary served, else how many rungs further.", kind=int),
    returned("x-iw-changes", "Parameters that were changed for the model, separated by semicolons."),
    returned("x-iw-response-id", "The provider's id of the response."),
    returned("server-timing", "total, and iw: our own share, in milliseconds."),
    returned("x-should-retry", "false where another try can't help."),
    returned("retry-after", "Seconds to wait.", kind=int),
]
EARLY = returned("x-iw-early", "1: sent before any output; the rest follows as a comment.", 200, kind=int)


def share_headers(result: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A hook of the generator: describe each header of answers once, and refer to it."""
    shared: dict[str, Any] = {}
    operations = (each for path in result["paths"].values() for each in path.values())
    for response in (each for operation in operations for each in operation["responses"].values()):
        for name, header in response.get("headers", {}).items():
            shared.setdefault(name, header)
            response["headers"][name] = {"$ref": f"#/components/headers/{name}"}
    result["components"]["headers"] = shared
    return result


def answered(shape: Any, example: Any, description: str = "As asked.") -> OpenApiResponse:
    """A success with its example."""
    return OpenApiResponse(shape, description, [OpenApiExample("Example", example, response_only=True)])


def failures(*statuses: int) -> dict[int, OpenApiResponse]:
    """The errors of an operation."""
    return {status: _failure(status) for status in statuses}


def _failure(status: int) -> OpenApiResponse:
    examples = []
    if status in EXAMPLES:
        kind, param, code, message = EXAMPLES[status]
        body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
        examples.append(OpenApiExample("Example", body, response_only=True, status_codes=[str(status)]))
    return OpenApiResponse(ErrorBody, ERRORS[status], examples)
