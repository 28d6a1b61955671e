"""Settings for all tests."""

from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("steady")
"""A loaded machine must not fail a property, and a failure in CI must be the same failure at home."""
