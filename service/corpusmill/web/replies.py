"""JSON responses, and what a client that asks again need not be sent."""

import hashlib
from typing import Any

import msgspec
from aiohttp import web

from corpusmill.space.values import encode_value

encoded = msgspec.json.Encoder(enc_hook=encode_value).encode
"""Return a value as JSON."""


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a response of JSON."""
    return web.Response(status=status, body=encoded(value), content_type="application/json", headers=headers)


def tagged_response(request: web.Request, body: bytes | msgspec.Raw) -> web.Response:
    """Return a response of JSON, encoded already, with an ETag; 304 where the client has the same."""
    tag = hashlib.blake2b(body, digest_size=16).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    known = request.if_none_match
    if known and any(each.value in (tag, "*") for each in known):
        return web.Response(status=304, headers=headers)
    return web.Response(body=bytes(body), content_type="application/json", headers=headers)
