"""Jobs: their folders, what they are called, and what they came to."""
