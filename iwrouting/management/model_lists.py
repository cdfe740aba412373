"""An upstream's own list of models, asked through the `openai` SDK (design.md 9.3, 9.5)."""

from __future__ import annotations

import json
import socket
from datetime import date
from typing import Any

import httpx2

from iwrouting.conf.addresses import address_allowed, url_fault
from iwrouting.conf.environment import MODEL_ID, read_secret
from iwrouting.conf.redact import remember_secret
from iwrouting.management.model_compare import Listed
from iwrouting.types import UpstreamFacts

TIMEOUT_S = 30.0
MAX_LISTED = 10_000


class CannotList(Exception):
    """The upstream gave no list of models; the message says why and what to do, and holds no secret."""


class GuardedTransport(httpx2.BaseTransport):
    """Connects to public addresses alone: names are resolved here, and the address that was judged is the one used."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send to the address, for the name: certificate and Host header stay those of the name."""
        url = request.url
        address = public_address(url.host, url.port or (443 if url.scheme == "https" else 80))
        pinned = httpx2.Request(
            request.method,
            url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def public_address(host: str, port: int) -> str:
    """The first public address of a name. Raises CannotList where it has none, httpx2.ConnectError for no such name."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise httpx2.ConnectError(f"{host} can't be resolved") from error
    public = next((address for address in found if address_allowed(address)), None)
    if public is None:
        raise CannotList(f"{host} is a private, local or metadata address; calls there are refused.")
    return public


def list_models(upstream: UpstreamFacts) -> dict[str, Listed]:
    """What `GET /models` of an upstream lists, by id; entries that are none are left out. Raises CannotList."""
    secret = read_secret(upstream.secret_ref)
    if secret is None:
        name = upstream.secret_ref.partition(":")[2] or "a secret reference"
        raise CannotList(f"its key is missing: set {name}.")
    remember_secret(secret)
    if not upstream.trusted and (fault := url_fault(upstream.base_url)):
        raise CannotList(fault)
    page = _ask(upstream, secret)
    data = page.get("data") if isinstance(page, dict) else None
    if not isinstance(data, list):
        raise CannotList("its answer is no list of models: check the base URL.")
    entries = (_listed(entry) for entry in data[:MAX_LISTED])
    return {entry.id: entry for entry in entries if entry is not None}


def _ask(upstream: UpstreamFacts, secret: str) -> Any:
    import openai

    timeout = httpx2.Timeout(TIMEOUT_S, connect=upstream.connect_timeout_s)
    transport = httpx2.HTTPTransport(trust_env=False) if upstream.trusted else GuardedTransport()
    http = httpx2.Client(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)
    with openai.OpenAI(api_key=secret, base_url=upstream.base_url, max_retries=0, http_client=http) as client:
        try:
            # The SDK's own page can't be made of a body that is no object: it raises AttributeError.
            return json.loads(client.models.with_raw_response.list().http_response.content)
        except openai.AuthenticationError:
            raise CannotList(f"it does not accept our key (401): check {upstream.secret_ref}.") from None
        except openai.PermissionDeniedError:
            raise CannotList("it does not let our key list models (403): check the key's permissions.") from None
        except openai.NotFoundError:
            raise CannotList("it has no list of models (404): check that the base URL ends with /v1.") from None
        except openai.APIStatusError as error:
            raise CannotList(f"it answered {error.status_code}: try again later.") from None
        except openai.APITimeoutError:
            raise CannotList(f"it did not answer within {TIMEOUT_S:.0f} s.") from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, CannotList):
                raise error.__cause__ from None
            raise CannotList("it can't be reached: check the base URL and the network.") from None
        except (ValueError, RecursionError):
            raise CannotList("its answer can't be read: check the base URL.") from None


def _listed(entry: Any) -> Listed | None:
    name = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not MODEL_ID.fullmatch(name):
        return None
    if "shutdown_date" not in entry:
        return Listed(name)
    given = entry["shutdown_date"]
    if given is None:
        return Listed(name, None, tells_shutdown=True)
    try:
        return Listed(name, date.fromisoformat(str(given)), tells_shutdown=True)
    except ValueError:
        return Listed(name)
