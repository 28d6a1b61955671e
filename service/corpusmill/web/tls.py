"""HTTPS, by the files that the operator names."""

import ssl

from corpusmill.config import ConfigError, ServerConfig

SETTINGS = "server.tls_cert, server.tls_key"


def tls_context(server: ServerConfig) -> ssl.SSLContext | None:
    """Return how connections are encrypted; None where they are not.

    Raises:
        ConfigError: one of the two files is not named, or they cannot be used.
    """
    if server.tls_cert is None and server.tls_key is None:
        return None
    if server.tls_cert is None or server.tls_key is None:
        raise ConfigError(f"{SETTINGS}: go together; without both, nothing is encrypted")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(server.tls_cert, server.tls_key, password=_no_password)
    except OSError as error:
        raise ConfigError(f"{SETTINGS}: cannot be used: {error.strerror or error}") from None
    return context


def _no_password() -> str:
    """Answer for a terminal, which nobody sits at."""
    raise ConfigError(f"{SETTINGS}: the key is locked by a password; name a file without one")
