"""What can go wrong with training on a corpus."""


class FinetuneError(Exception):
    """The corpus cannot be trained on as asked: what stands against it, and what to do."""


class ProviderError(Exception):
    """The provider refuses, or does not answer: what it said, and what to do."""


class OutageError(ProviderError):
    """The provider does not answer now; it may have done what it was asked to."""
