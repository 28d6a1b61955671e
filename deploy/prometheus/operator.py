"""`python -m deploy.prometheus.operator` writes the rules as the PrometheusRule of the kustomize base."""

from pathlib import Path
from textwrap import indent

RULES = Path(__file__).parent / "rules"
MANIFEST = Path(__file__).parents[1] / "kubernetes" / "prometheusrule.yaml"

HEAD = """\
# The rules of deploy/prometheus/rules for the Prometheus operator. Made from them: python -m deploy.prometheus.operator
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: corpusmill
spec:
  groups:
"""


def rendered() -> str:
    """Return the manifest, the same each time."""
    files = sorted(RULES.glob("*.yml"))
    return HEAD + "".join(indent(path.read_text().partition("\ngroups:\n")[2], "  ") for path in files)


if __name__ == "__main__":
    MANIFEST.write_text(rendered())
