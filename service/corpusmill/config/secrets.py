"""Where secrets come from: the environment, or a file; never the configuration itself."""

from collections.abc import Mapping
from pathlib import Path

from corpusmill.config.errors import ConfigError
from corpusmill.endpoint.secret import Secret


def secret_of(path: str, variable: str | None, file: str | None, environ: Mapping[str, str]) -> Secret | None:
    """Return a secret, None where neither a variable nor a file is named.

    Args:
        path: where in the configuration it is named, without `_env` or `_file`.
        variable: the environment variable that holds it.
        file: the file that holds it; it comes first.
        environ: the environment.

    Raises:
        ConfigError: the variable or file that should hold it does not.
    """
    if file is not None:
        return _read(f"{path}_file", file)
    if variable is not None:
        if not environ.get(variable):
            raise ConfigError(f"{path}_env: the variable {variable} is not set")
        return Secret(environ[variable])
    return None


def variable_or_file(name: str, environ: Mapping[str, str]) -> Secret | None:
    """Return what the variable NAME holds, or the file that NAME_FILE names; None where neither is set.

    Raises:
        ConfigError: the file cannot be read, or is empty.
    """
    file, text = environ.get(f"{name}_FILE"), environ.get(name)
    if file:
        return _read(f"{name}_FILE", file)
    return Secret(text) if text else None


def _read(place: str, file: str) -> Secret:
    """Read a secret; `place` is where its file is named."""
    try:
        secret = Secret(Path(file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{place}: {file} cannot be read: {reason}") from None
    if not secret:
        raise ConfigError(f"{place}: {file} is empty")
    return secret
