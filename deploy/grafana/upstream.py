"""The dashboard that answers: how do the endpoints do, and what holds calls back."""

from deploy.grafana.board import (
    CALLS,
    ENDPOINT,
    INSTANCE,
    JOB,
    MODEL,
    Board,
    Panel,
    Query,
    Row,
    metric,
    quantile,
    rate,
    ratio,
)

AT = CALLS[0]
WAITING = 'stage="limiter"'

ANSWERS = (
    Panel(
        "Calls",
        "reqps",
        "corpusmill_llm_requests_total: calls that came back, a second.",
        (Query(rate("llm_requests_total", *CALLS, by="endpoint, model"), "{{endpoint}} {{model}}"),),
    ),
    Panel(
        "Share of failed calls",
        "percentunit",
        "corpusmill_llm_request_failures_total over corpusmill_llm_requests_total. Above a tenth: see the reasons.",
        (
            Query(
                ratio(
                    rate("llm_request_failures_total", *CALLS, by="endpoint"),
                    rate("llm_requests_total", *CALLS, by="endpoint"),
                ),
                "{{endpoint}}",
            ),
        ),
    ),
    Panel(
        "Failures by reason",
        "cps",
        "corpusmill_llm_request_failures_total, a second. rate_limited: the configured limits are higher than the real "
        "ones. timeout, reset, server_error: the endpoint's operator. malformed: something between you and it.",
        (Query(rate("llm_request_failures_total", *CALLS, by="reason"), "{{reason}}"),),
        "stacked",
    ),
    Panel(
        "Retries by reason",
        "cps",
        "corpusmill_llm_retries_total, a second. Each costs a call of the limits.",
        (Query(rate("llm_retries_total", *CALLS, by="reason"), "{{reason}}"),),
        "stacked",
    ),
    Panel(
        "Why answers ended",
        "cps",
        "corpusmill_finish_reason_total, a second. Many `length`: raise max_tokens or ask for less.",
        (Query(rate("finish_reason_total", by="reason"), "{{reason}}"),),
        "stacked",
    ),
    Panel(
        "Tokens of an answered call",
        "short",
        "corpusmill_llm_tokens_total over answered calls, by direction. Output near max_tokens: answers are cut off.",
        (
            Query(
                f"{rate('llm_tokens_total', *CALLS, by='direction')} / on () group_left () "
                f"({rate('llm_request_duration_seconds_count', *CALLS)} > 0)",
                "{{direction}}",
            ),
        ),
    ),
)

TIMES = (
    Panel(
        "Seconds to an answer",
        "s",
        "corpusmill_llm_request_duration_seconds, how many a second in each bucket. A second band far above the first: "
        "some calls queue at the server; lower the concurrency.",
        (Query(rate("llm_request_duration_seconds_bucket", *CALLS, by="le"), "{{le}}"),),
        "heatmap",
        12,
    ),
    Panel(
        "Seconds to an answer, by model",
        "s",
        "corpusmill_llm_request_duration_seconds, 95th percentile.",
        (
            Query(
                quantile(0.95, "llm_request_duration_seconds", *CALLS, by="endpoint, model"), "{{endpoint}} {{model}}"
            ),
        ),
        "timeseries",
        12,
    ),
)

LIMITS = (
    Panel(
        "Seconds waited for the limits",
        "s",
        "corpusmill_ratelimit_wait_seconds, 50th and 95th percentile. Longer than calls take: lower the concurrency, "
        "it gains nothing.",
        tuple(
            Query(quantile(share, "ratelimit_wait_seconds", AT, by="endpoint"), f"{{{{endpoint}}}} p{share * 100:.0f}")
            for share in (0.5, 0.95)
        ),
    ),
    Panel(
        "Calls in flight and their limit",
        "short",
        "corpusmill_requests_in_flight and corpusmill_concurrency_limit. A limit that falls: the endpoint is refusing. "
        "10,000 is an open one, where rates do the work.",
        (
            Query(f"sum by (endpoint) ({metric('requests_in_flight', AT)})", "{{endpoint}} in flight"),
            Query(f"sum by (endpoint) ({metric('concurrency_limit', AT)})", "{{endpoint}} limit"),
        ),
        logarithmic=True,
    ),
    Panel(
        "Calls waiting",
        "short",
        'corpusmill_queue_depth{stage="limiter"}: calls that wait for their turn.',
        (Query(f"sum ({metric('queue_depth', WAITING)})", "waiting"),),
    ),
    Panel(
        "Limits",
        "short",
        "corpusmill_ratelimit_capacity: requests or tokens that a period allows. Changes with `reload` or by what the "
        "endpoint's headers say.",
        (Query(f"max by (endpoint, bucket) ({metric('ratelimit_capacity', AT)})", "{{endpoint}} {{bucket}}"),),
        logarithmic=True,
    ),
    Panel(
        "Left of the limits",
        "short",
        "corpusmill_ratelimit_remaining: what could be charged at once. At 0 the limit binds.",
        (Query(f"max by (endpoint, bucket) ({metric('ratelimit_remaining', AT)})", "{{endpoint}} {{bucket}}"),),
        logarithmic=True,
    ),
    Panel(
        "Estimates of tokens",
        "percentunit",
        "corpusmill_estimate_error_ratio and corpusmill_estimate_bias_ratio: how far calls were from what was expected "
        "of them. A bias that stays far from 0: they are let through too slowly (above) or too fast (below).",
        (
            Query(f"max by (model) ({metric('estimate_error_ratio')})", "{{model}} error"),
            Query(f"max by (model) ({metric('estimate_bias_ratio')})", "{{model}} bias"),
        ),
        negative=True,
    ),
    Panel(
        "Circuit breaker",
        "bool_on_off",
        "corpusmill_breaker_open: on while the endpoint is taken to be down. Jobs go on by themselves when it answers.",
        (Query(f"max by (endpoint) ({metric('breaker_open', AT)})", "{{endpoint}}"),),
    ),
)

UPSTREAM = Board(
    "corpusmill-upstream",
    "corpusmill / Upstream",
    "How the endpoints do, and what holds calls back.",
    (JOB, INSTANCE, ENDPOINT, MODEL),
    (Row("Answers", ANSWERS), Row("Times", TIMES), Row("Limits", LIMITS)),
)
