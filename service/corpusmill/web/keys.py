"""Who may do what: API keys, their scopes and caps.

Rules of this file: keys are compared by their SHA-256, all of them each time, in constant time. Without configured keys
everybody who reaches the daemon may do everything, which is why it listens on this machine alone then.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping

import msgspec

from corpusmill.config import Config, ConfigError, KeyConfig, Scope
from corpusmill.config.secrets import secret_of, variable_or_file
from corpusmill.endpoint.prices import PICODOLLARS_PER_USD
from corpusmill.jobs.queue.job import Priority
from corpusmill.web.problems import ProblemError

EVERYTHING: frozenset[Scope] = frozenset({"submit", "read", "operate", "admin"})
KEY_VARIABLE = "CORPUSMILL_SERVER_KEY"
"""A key with all scopes, from the environment, for a daemon without a configuration file."""

LEAST_CHARS = 16
"""A shorter key is a password that somebody made up."""


class Caller(msgspec.Struct, frozen=True):
    """Who makes a request.

    Attributes:
        name: of the key.
        scopes: what it may do; `admin` is all.
        cap_picodollars: what its jobs may cost together; None for no cap.
        priority, weight: the highest its jobs may have.
    """

    name: str
    scopes: frozenset[Scope]
    cap_picodollars: int | None = None
    priority: Priority = Priority.NORMAL
    weight: int = 1

    def may(self, scope: Scope) -> bool:
        """Whether it has a scope."""
        return scope in self.scopes or "admin" in self.scopes

    def require(self, scope: Scope) -> None:
        """Refuse what the scope does not allow."""
        if not self.may(scope):
            raise ProblemError(403, "scope-missing", f"the key {self.name} lacks the scope {scope!r}")


ANYBODY = Caller("anonymous", EVERYTHING, None, Priority.HIGH, 1000)
"""Whoever reaches a daemon without keys."""


class Keyring:
    """The keys of a daemon.

    Args:
        config: names the keys.
        environ: holds some of them.

    Raises:
        ConfigError: a key is not where it should be, is too short, or is there twice.
    """

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._callers: dict[bytes, Caller] = {}
        for name, key in config.keys.items():
            self._add(f"keys.{name}", _digest(name, key, environ), _caller(name, key))
        if (secret := variable_or_file(KEY_VARIABLE, environ)) is not None:
            self._add(KEY_VARIABLE, _hashed(KEY_VARIABLE, secret.reveal()), Caller("environment", EVERYTHING))

    def __len__(self) -> int:
        return len(self._callers)

    def caller(self, authorization: str | None) -> Caller:
        """Return who sent this header.

        Raises:
            ProblemError: 401, the key is missing or unknown.
        """
        if not self._callers:
            return ANYBODY
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise _unauthorized("this needs an API key: Authorization: Bearer KEY")
        digest = hashlib.sha256(key.strip().encode("utf-8", "surrogateescape")).digest()
        found = [caller for known, caller in self._callers.items() if hmac.compare_digest(known, digest)]
        if not found:
            raise _unauthorized("this API key is unknown")
        return found[0]

    def _add(self, path: str, digest: bytes, caller: Caller) -> None:
        if digest in self._callers:
            raise ConfigError(f"{path}: the same key as {self._callers[digest].name}; give each its own")
        self._callers[digest] = caller


def require_keys(host: str, keyring: Keyring) -> None:
    """Refuse to listen for others without keys.

    Raises:
        ConfigError: the address is not of this machine alone, and there is no key.
    """
    if len(keyring) or is_loopback(host):
        return
    raise ConfigError(
        f"server.host: {host} is open to others, and no key is configured; add [keys.NAME] to the configuration, "
        f"or set {KEY_VARIABLE}_FILE, or listen on 127.0.0.1"
    )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _digest(name: str, key: KeyConfig, environ: Mapping[str, str]) -> bytes:
    if key.sha256 is not None:
        return bytes.fromhex(key.sha256)
    secret = secret_of(f"keys.{name}.key", key.key_env, key.key_file, environ)
    return _hashed(f"keys.{name}", secret.reveal() if secret is not None else "")


def _hashed(path: str, key: str) -> bytes:
    if len(key) < LEAST_CHARS:
        raise ConfigError(f"{path}: a key has at least {LEAST_CHARS} characters; make one with `openssl rand -hex 24`")
    return hashlib.sha256(key.encode()).digest()


def _caller(name: str, key: KeyConfig) -> Caller:
    cap = None if key.spend_usd is None else int(key.spend_usd * PICODOLLARS_PER_USD)
    return Caller(name, frozenset(key.scopes), cap, Priority[key.priority.upper()], key.weight)


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="corpusmill"'})
