"""corpusmill: synthetic corpora from combinatorial prompts, through any OpenAI-compatible API."""

__version__ = "0.1.0"
