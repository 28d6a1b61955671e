"""The daemon's queue of jobs, in SQLite: what was submitted, in which state it is, and whom to tell of a change."""
