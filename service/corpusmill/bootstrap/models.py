"""What is known of a job's models before anybody is asked.

Rule of this file: no network; what only an endpoint could tell is told as unknown.
"""

from datetime import datetime

from corpusmill.bootstrap.switchboard import configured_prices
from corpusmill.bootstrap.target import DEFAULT, OPENAI_BASE_URL, Target, Upstream, gate_limits
from corpusmill.config import EndpointConfig
from corpusmill.endpoint.prices import resolve_prices
from corpusmill.jobs.estimate import Model
from corpusmill.spec.schema import JobSpec
from corpusmill.spec.steps import aliases

ANYWHERE = Target(DEFAULT, EndpointConfig(base_url=OPENAI_BASE_URL))
"""Where no endpoint is set, prices are OpenAI's: a plan is made before there is a key."""


def known_models(spec: JobSpec, upstream: Upstream, *, at: datetime) -> dict[str, Model]:
    """Return what each alias of a spec's steps leads to, as far as configuration and environment tell."""
    models: dict[str, Model] = {}
    for alias in aliases(spec.steps):
        name, (endpoint, *_) = upstream.name(alias), upstream.endpoints(alias).values()
        prices = (
            resolve_prices(endpoint.base_url, name, configured_prices(upstream.model(alias)), at=at) if name else None
        )
        models[alias] = Model(name, endpoint.base_url, gate_limits(endpoint, spec.limits), prices)
    return models
