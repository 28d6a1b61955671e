"""From documents to a verdict: a corpus, a model trained on it, and whether that helped, in one go."""
