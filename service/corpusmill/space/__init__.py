"""All combinations of a job's axes, addressed by their index and never written out as a list."""
