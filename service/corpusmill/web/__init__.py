"""The HTTP face of the daemon: jobs over aiohttp, problems as RFC 9457, described by OpenAPI 3.1."""
