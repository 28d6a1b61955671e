"""Whether Prometheus' own programs are there: Debian's package `prometheus`, which CI installs."""

import os
import shutil

import pytest

MISSING = [program for program in ("prometheus", "promtool") if shutil.which(program) is None]

needs_prometheus = pytest.mark.skipif(
    bool(MISSING) and os.environ.get("CI") != "true",
    reason=f"not installed: {', '.join(MISSING)}; apt-get install prometheus",
)
