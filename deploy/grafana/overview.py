"""The dashboard that answers: does it run, how fast, what does it cost, when is it done."""

from deploy.grafana.board import (
    CALLS,
    ENDPOINT,
    INSTANCE,
    JOB,
    JOB_ID,
    MODEL,
    Board,
    Panel,
    Query,
    Row,
    increase,
    metric,
    quantile,
    rate,
    ratio,
)

OF_JOB = 'job_id=~"$job_id"'
KEPT = 'outcome="kept"'


def use_of(counter: str, bucket: str) -> str:
    """Return which share of an endpoint's limit is used."""
    used, bucket_is = rate(counter, CALLS[0], by="endpoint"), f'bucket="{bucket}"'
    return f"60 * {used} / max by (endpoint) ({metric('ratelimit_capacity', CALLS[0], bucket_is)})"


NOW = (
    Panel(
        "Kept records",
        "cps",
        "corpusmill_records_total{outcome=kept}, a second. Falls to 0: look at reject reasons and failures below.",
        (Query(rate("records_total", KEPT)),),
        "stat",
        4,
    ),
    Panel(
        "Tokens",
        "cps",
        "corpusmill_llm_tokens_total, a second. Far below the limit with calls waiting: see dashboard Upstream.",
        (Query(rate("llm_tokens_total", *CALLS, by="direction"), "{{direction}}"),),
        "stat",
        4,
    ),
    Panel(
        "Cost an hour",
        "currencyUSD",
        "corpusmill_cost_usd_total at its present rate. More than planned: pause the job, or lower its limits.",
        (Query(f"{rate('cost_usd_total', *CALLS)} * 3600"),),
        "stat",
        4,
    ),
    Panel(
        "Cost of 1,000 kept records",
        "currencyUSD",
        "corpusmill_cost_usd_total over corpusmill_records_total{outcome=kept} in the time shown. Rises: more is "
        "rejected than before, or completions are longer.",
        (Query(f"1000 * {ratio(increase('cost_usd_total'), increase('records_total', KEPT))}"),),
        "stat",
        4,
    ),
    Panel(
        "Budget left",
        "currencyUSD",
        "corpusmill_job_budget_remaining_usd of active jobs with a dollar budget. Near 0 the job stops as exhausted: "
        "raise the budget in its spec and run it again.",
        (Query(metric("job_budget_remaining_usd", OF_JOB), "{{job_id}}"),),
        "stat",
        4,
    ),
    Panel(
        "Time left",
        "s",
        "corpusmill_job_eta_seconds: at the rate of the last two minutes. Rises steadily: the job is stalling.",
        (Query(metric("job_eta_seconds", OF_JOB), "{{job_id}}"),),
        "stat",
        4,
    ),
)

CORPUS = (
    Panel(
        "Records by outcome",
        "cps",
        "corpusmill_records_total, a second: corpus lines for kept items, reject lines for others.",
        (Query(rate("records_total", by="outcome"), "{{outcome}}"),),
        "stacked",
    ),
    Panel(
        "Acceptance",
        "percentunit",
        "corpusmill_items_total{outcome=kept} over all. Low: read reject lines, then mend prompt or filters; "
        "`corpusmill refold` applies other filters to what is paid for.",
        (Query(ratio(rate("items_total", KEPT), rate("items_total")), "kept"),),
    ),
    Panel(
        "Reject reasons",
        "cps",
        "corpusmill_rejected_total, a second, by filter. One that dominates says what to mend in the prompt.",
        (Query(rate("rejected_total", by="reason"), "{{reason}}"),),
        "stacked",
    ),
    Panel(
        "Progress",
        "percentunit",
        "corpusmill_job_progress_ratio of active jobs whose size is known. Flat: the job is stalled.",
        (Query(metric("job_progress_ratio", OF_JOB), "{{job_id}}"),),
    ),
    Panel(
        "Jobs by state",
        "short",
        "corpusmill_jobs. Failed ones say why in `corpusmill show` and in the log.",
        (Query(f"sum by (state) ({metric('jobs')})", "{{state}}"),),
        "stacked",
    ),
    Panel(
        "Work at each stage",
        "short",
        "corpusmill_queue_depth. Limiter grows: limits hold it back. Journal grows: the disk does.",
        (Query(f"sum by (stage) ({metric('queue_depth')})", "{{stage}}"),),
    ),
    Panel(
        "Items by outcome",
        "cps",
        "corpusmill_items_total, a second. Duplicates grow towards the end of a small space: stop there, or widen it.",
        (Query(rate("items_total", by="outcome"), "{{outcome}}"),),
        "stacked",
        12,
    ),
    Panel(
        "Failed items by reason",
        "cps",
        "corpusmill_failed_total, a second. Reject lines tell which items and why; `internal` is a defect of ours.",
        (Query(rate("failed_total", by="reason"), "{{reason}}"),),
        "stacked",
        12,
    ),
)

CALLING = (
    Panel(
        "In flight and its limit",
        "short",
        "corpusmill_requests_in_flight and corpusmill_concurrency_limit. At the limit with tokens to spare: allow more "
        "concurrency. It falls when the endpoint is overloaded; 10,000 is an open one, where rates do the work.",
        (
            Query(f"sum by (endpoint) ({metric('requests_in_flight', CALLS[0])})", "{{endpoint}} in flight"),
            Query(f"sum by (endpoint) ({metric('concurrency_limit', CALLS[0])})", "{{endpoint}} limit"),
        ),
        logarithmic=True,
    ),
    Panel(
        "Use of the limits",
        "percentunit",
        "Tokens and calls a minute over corpusmill_ratelimit_capacity. Near 1 is as it should be; far below with work "
        "waiting: look at breaker and refusals in Upstream.",
        (
            Query(
                use_of("llm_tokens_total", "tokens_per_minute"),
                "{{endpoint}} tokens",
            ),
            Query(
                use_of("llm_requests_total", "requests_per_minute"),
                "{{endpoint}} requests",
            ),
        ),
    ),
    Panel(
        "Seconds to an answer",
        "s",
        "corpusmill_llm_request_duration_seconds of answered calls. p99 far from p50: the endpoint is overloaded, or "
        "some prompts ask for much longer texts.",
        tuple(
            Query(quantile(share, "llm_request_duration_seconds", *CALLS), f"p{share * 100:.0f}")
            for share in (0.5, 0.95, 0.99)
        ),
    ),
    Panel(
        "Failures by reason",
        "cps",
        "corpusmill_llm_request_failures_total, a second. Retried by themselves, except bad_request and "
        "request_too_large, which fail their item, and unauthorized and quota_exhausted, which end the job.",
        (Query(rate("llm_request_failures_total", *CALLS, by="reason"), "{{reason}}"),),
        "stacked",
    ),
    Panel(
        "Seconds waited for the limits",
        "s",
        "corpusmill_ratelimit_wait_seconds. Long is the price of a full use of the limits; longer than calls take: "
        "concurrency is higher than the limits need.",
        tuple(
            Query(quantile(share, "ratelimit_wait_seconds", CALLS[0]), f"p{share * 100:.0f}") for share in (0.5, 0.95)
        ),
    ),
    Panel(
        "Free disk",
        "bytes",
        "corpusmill_disk_free_bytes. Calls pause below 64 MiB; make room before.",
        (Query(metric("disk_free_bytes"), "{{instance}}"),),
    ),
)

OVERVIEW = Board(
    "corpusmill-overview",
    "corpusmill / Overview",
    "Does it run, how fast, what does it cost, when is it done.",
    (JOB, INSTANCE, JOB_ID, ENDPOINT, MODEL),
    (Row("Now", NOW), Row("Corpus", CORPUS), Row("Calls", CALLING)),
)
