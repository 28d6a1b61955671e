"""The errors of this room that are raised; whatever goes wrong with a call is a value instead (`endpoint.failures`)."""

import aiohttp


class EndpointConfigError(ValueError):
    """The endpoint cannot be used as it is configured: which setting, what is wrong with it, what to write instead."""


class PriceConfigError(ValueError):
    """A configured price cannot be used: which one, what is wrong with it, what to write instead."""


class BodyTooLargeError(aiohttp.ClientPayloadError):
    """The answer's body is longer than 32 MiB."""


class NotHttpError(aiohttp.ClientError):
    """What came in place of an answer is not HTTP."""
