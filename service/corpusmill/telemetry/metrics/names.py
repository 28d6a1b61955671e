"""Which names metrics go by beside ours; a word of the configuration, so it loads nothing."""

from typing import Literal

GenAiNames = Literal["off", "v1.41", "latest"]
"""OpenTelemetry's names for generative AI: none, those of its conventions 1.41, or those that replaced them in 2026."""
