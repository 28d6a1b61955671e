"""The error of this room."""


class ConfigError(Exception):
    """The configuration cannot be used: which file, where in it, and what to do."""
