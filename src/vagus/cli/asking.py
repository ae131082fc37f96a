"""Asking a server over HTTP, and what it means when it does not answer as hoped."""

import http.client
import urllib.error
import urllib.request
from typing import Any, Final

import msgspec

from .faults import RefusedByServerError, UnreachableError

TIMEOUT_S: Final = 10.0

HINTS: Final = {102: ": no rule of the server's [[channels]] matches it", 108: ": the channel's rule does not have it"}
"""What helps with errors that the configuration decides about."""


class _Staying(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: the key is for the server that was named, and a call does not survive being sent on."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_Staying)


def post(url: str, method: str, params: object, key: str) -> Any:
    """Call a method of the server API and return its result."""
    request = urllib.request.Request(
        f"{url}/api/{method}",
        data=msgspec.json.encode(params),
        headers={"Content-Type": "application/json", **({"X-API-Key": key} if key else {})},
    )
    answer = msgspec.json.decode(_body(request))
    if "error" in answer:
        error = answer["error"]
        raise RefusedByServerError(f"{method}: {error['message']} ({error['code']}){HINTS.get(error['code'], '')}")
    return answer["result"]


def get(url: str, path: str) -> Any:
    """Fetch a JSON document; one that comes with status 503 too, since health says no that way."""
    return msgspec.json.decode(_body(urllib.request.Request(f"{url}{path}"), accept=503))


def _body(request: urllib.request.Request, accept: int = 200) -> bytes:
    try:
        with _OPENER.open(request, timeout=TIMEOUT_S) as response:
            body: bytes = response.read()
            return body
    except urllib.error.HTTPError as error:
        if error.code == accept:
            return error.read()
        raise RefusedByServerError(_refusal(error)) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise UnreachableError(f"no server at {request.type}://{request.host}: {text}") from None


def _refusal(error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return "refused: a valid API key is needed (--key, VAGUS_API_KEY, or the server's data folder with --data-dir)"
    if elsewhere := error.headers.get("location", ""):
        return f"the server is elsewhere: it answers {error.code} with {elsewhere}"
    try:
        detail = msgspec.json.decode(error.read()).get("detail", "")
    except (msgspec.DecodeError, AttributeError, OSError):
        detail = ""
    return f"refused with status {error.code}: {detail or error.reason}"
