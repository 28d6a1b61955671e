"""Filters: what a completion must be like, compiled from the spec into plain checks.

Rules of this room: a check takes a subject and answers with a rejection or None; it has no state, takes time linear in
the text, and never raises but for a document that cannot be read. The reason is the condition's name in the spec, so
the set of reasons is closed.
"""

from corpusmill.chain.filters.compile import Checks, both, compile_checks, edited, first_rejection
from corpusmill.chain.filters.subject import Check, Rejection, Subject

__all__ = ["Check", "Checks", "Rejection", "Subject", "both", "compile_checks", "edited", "first_rejection"]
