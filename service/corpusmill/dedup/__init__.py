"""Which texts were kept before: fingerprints and the index over them."""
