"""Events and what the process looks like now, as Prometheus metrics."""
