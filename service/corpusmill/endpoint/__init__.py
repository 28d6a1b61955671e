"""The call: one prompt to an OpenAI-compatible API, answered by a completion or by a typed failure, and its cost."""
