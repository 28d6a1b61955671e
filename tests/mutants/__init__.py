"""Deliberate breakages of our own code, which the crash tests must catch: `make mutants`."""
