"""How the endpoint is reached: through which proxy, trusting which authorities.

The rule of this file: the environment is read once, from the mapping that is passed in, by the names and in the manner
other HTTP clients read it (curl, requests, httpx): lower case before upper, `NO_PROXY` a list of host suffixes,
addresses and networks.
"""

import ipaddress
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
import yarl

from corpusmill.endpoint.errors import EndpointConfigError
from corpusmill.endpoint.secret import Secret

_AUTHORITIES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class Proxy(msgspec.Struct, frozen=True):
    """An HTTP proxy.

    Attributes:
        url: where it is, without credentials.
        authorization: the value of its `Proxy-Authorization` header.
        secrets: the forms in which its credentials could turn up in a message.
    """

    url: yarl.URL
    authorization: Secret | None = None
    secrets: tuple[Secret, ...] = ()


def endpoint_url(base_url: str) -> yarl.URL:
    """The base URL, as OPENAI_BASE_URL holds it, without a slash at its end.

    Raises:
        EndpointConfigError: it is not the absolute http or https URL of an API's root.
    """
    url = _http_url(base_url.strip().rstrip("/"))
    if url is None:
        raise EndpointConfigError(
            "the base URL must be an http:// or https:// URL with a host, like https://api.example.com/v1"
        )
    if url.raw_user is not None or url.raw_password is not None:
        raise EndpointConfigError("the base URL must not hold credentials; give the key as the API key")
    if url.raw_query_string or url.raw_fragment:
        raise EndpointConfigError("the base URL must not hold a query or a fragment")
    if url.path.endswith("/completions"):
        raise EndpointConfigError("the base URL must be the API's root, without /chat/completions or /completions")
    return url


def _http_url(text: str) -> yarl.URL | None:
    """`text` as an absolute http or https URL; None where it is none."""
    try:
        url = yarl.URL(text)
        (url.raw_host or "").encode("idna")
    except ValueError:
        return None
    legible = not any(char.isspace() for char in text)
    return url if legible and url.scheme in {"http", "https"} and url.host and url.port else None


def resolve_proxy(url: yarl.URL, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that the environment names for this URL; None for a direct connection.

    Raises:
        EndpointConfigError: what it names is no HTTP proxy; SOCKS is not supported.
    """
    text = _variable(environ, f"{url.scheme}_proxy") or _variable(environ, "all_proxy")
    if not text or _excluded(url, _variable(environ, "no_proxy")):
        return None
    proxy = _http_url(text if "://" in text else f"http://{text}")
    if proxy is None or ":" in (proxy.user or ""):
        name = f"{url.scheme.upper()}_PROXY or ALL_PROXY"
        raise EndpointConfigError(
            f"{name} names no HTTP proxy; write it like http://host:3128, or list the endpoint in NO_PROXY"
        )
    if proxy.raw_user is None and proxy.raw_password is None:
        return Proxy(proxy)
    authorization = aiohttp.encode_basic_auth(proxy.user or "", proxy.password or "")
    secrets = (
        Secret(proxy.password or ""),
        Secret(proxy.raw_password or ""),
        Secret(authorization.removeprefix("Basic ")),
    )
    return Proxy(proxy.with_user(None), Secret(authorization), secrets)


def _variable(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _excluded(url: yarl.URL, no_proxy: str) -> bool:
    return any(_names(entry.strip().lower(), url) for entry in no_proxy.split(","))


def _names(entry: str, url: yarl.URL) -> bool:
    """Whether an entry of NO_PROXY names the URL's host, a domain above it (both with or without port) or its net."""
    host = (url.host or "").lower()
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        domain, _, port = entry.lstrip("*").lstrip(".").partition(":")
    return bool(domain) and (host == domain or host.endswith(f".{domain}")) and port in {"", str(url.port)}


def trusted_authorities(environ: Mapping[str, str]) -> ssl.SSLContext:
    """A TLS context that verifies: with the authorities that the environment names, or else with the system's.

    Raises:
        EndpointConfigError: a variable names nothing that holds certificates.
    """
    file, folder, bundle = (environ.get(name, "").strip() for name in _AUTHORITIES)
    if bundle and not file and not folder:
        file, folder = ("", bundle) if Path(bundle).is_dir() else (bundle, "")
    if folder and not any(Path(part).is_dir() for part in folder.split(os.pathsep)):
        raise EndpointConfigError(f"SSL_CERT_DIR names no folder: {folder}")
    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as error:
        name = "SSL_CERT_FILE" if file != bundle else "REQUESTS_CA_BUNDLE"
        raise EndpointConfigError(f"{name} names no file of certificates: {error.strerror or error}") from None
