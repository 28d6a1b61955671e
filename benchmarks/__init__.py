"""How fast corpusmill is, as ratios: everything is measured against something else in the same run."""
