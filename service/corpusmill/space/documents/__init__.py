"""Documents as the values of an axis: found once, kept as an index of where they lie, read when they are needed."""
