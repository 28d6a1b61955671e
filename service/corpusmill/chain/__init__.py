"""An item's way through its steps: prompts out of values, verdicts on completions, records out of what is kept."""
