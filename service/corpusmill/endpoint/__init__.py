"""The call: one prompt to an OpenAI-compatible API, answered by a completion or by a typed failure, and its cost."""

from corpusmill.endpoint import late_trust  # before any module of this room imports aiohttp

__all__ = ["late_trust"]
