"""Many jobs in one process, for weeks: taking them in, running them side by side, telling how they are."""
