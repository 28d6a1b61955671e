"""Whether training helped: answers of several models to items that none has seen, scored and compared."""
