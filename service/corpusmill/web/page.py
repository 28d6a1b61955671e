"""The status page: a few files, sent as they are, under a policy that lets a browser run nothing else.

Rule of this file: the page is a client of the API like any other. Nothing is rendered here, so no text of a job passes
through here; on the page it is only ever set as text, and the policy refuses everything that could parse it as markup.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from corpusmill.web.operation import Call, Operation

FOLDER: Final = Path(__file__).parent / "assets"
INDEX: Final = "index.html"
TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Asset(msgspec.Struct, frozen=True):
    """A file of the page, and its ETag without quotes."""

    content: bytes
    content_type: str
    tag: str


class PageOperations:
    """The page and what it is made of."""

    def __init__(self) -> None:
        self._assets = {path.name: _asset(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}

    def operations(self) -> list[Operation]:
        """Declare them; they stand at the root alone, and are no part of the API."""
        return [
            Operation("GET", "/", "getPage", "The status page.", self.page, None),
            Operation("GET", "/assets/{name}", "getAsset", "A file of the page.", self.asset, None),
        ]

    async def page(self, call: Call) -> web.StreamResponse:
        """GET /."""
        return _sent(call.request, self._assets[INDEX])

    async def asset(self, call: Call) -> web.StreamResponse:
        """GET /assets/{name}."""
        found = self._assets.get(call.request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return _sent(call.request, found)


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, TYPES[path.suffix], hashlib.blake2b(content, digest_size=16).hexdigest())


def _sent(request: web.Request, asset: Asset) -> web.Response:
    headers = {**HEADERS, "ETag": f'"{asset.tag}"'}
    if any(each.value in (asset.tag, "*") for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=asset.content, content_type=asset.content_type, charset="utf-8", headers=headers)
