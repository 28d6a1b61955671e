"""The dashboard that answers: what was paid, for what, and what of it is not known."""

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
    rate,
    ratio,
)

KEPT = 'outcome="kept"'

TOTALS = (
    Panel(
        "Cost in the time shown",
        "currencyUSD",
        "corpusmill_cost_usd_total. Compare with the provider's bill; what it cannot know is told to the right.",
        (Query(increase("cost_usd_total", *CALLS)),),
        "stat",
        6,
    ),
    Panel(
        "Cost of 1,000 kept records",
        "currencyUSD",
        "corpusmill_cost_usd_total over corpusmill_records_total{outcome=kept}, in the time shown. Lower it by mending "
        "what is rejected most, by shorter completions, or by a cheaper model.",
        (Query(f"1000 * {ratio(increase('cost_usd_total'), increase('records_total', KEPT))}"),),
        "stat",
        6,
    ),
    Panel(
        "Answers without a price",
        "short",
        "corpusmill_unpriced_requests_total in the time shown. Not 0: the cost is higher than told; configure "
        "`prices` of the model.",
        (Query(increase("unpriced_requests_total", *CALLS)),),
        "stat",
        6,
    ),
    Panel(
        "Failures that may be billed",
        "short",
        "corpusmill_maybe_billed_failures_total in the time shown. Budgets reckon them at their worst case. Many: look "
        "for a proxy or a time limit that cuts answers off.",
        (Query(increase("maybe_billed_failures_total", *CALLS)),),
        "stat",
        6,
    ),
)

OVER_TIME = (
    Panel(
        "Cost an hour, by model",
        "currencyUSD",
        "corpusmill_cost_usd_total. A model that costs more than it should: move its step to a cheaper alias.",
        (Query(f"3600 * {rate('cost_usd_total', *CALLS, by='endpoint, model')}", "{{endpoint}} {{model}}"),),
        "stacked",
        12,
    ),
    Panel(
        "Cost of an item",
        "currencyUSD",
        "corpusmill_cost_usd_total over corpusmill_items_total: all calls of an item, rejected ones included.",
        (Query(ratio(rate("cost_usd_total"), rate("items_total")), "an item"),),
        "timeseries",
        12,
    ),
    Panel(
        "Budget spent",
        "percentunit",
        "corpusmill_job_budget_spent_ratio of active jobs, of calls or dollars whichever is more. At 1 the job stops.",
        (Query(metric("job_budget_spent_ratio", 'job_id=~"$job_id"'), "{{job_id}}"),),
        "timeseries",
        12,
    ),
    Panel(
        "Budget left",
        "currencyUSD",
        "corpusmill_job_budget_remaining_usd of active jobs, to a hundredth of it. Raise `budget.usd` to go on.",
        (Query(metric("job_budget_remaining_usd", 'job_id=~"$job_id"'), "{{job_id}}"),),
        "timeseries",
        12,
    ),
)

TOKENS = (
    Panel(
        "Tokens, by model and direction",
        "cps",
        "corpusmill_llm_tokens_total, a second. Output costs most: bound it by max_tokens.",
        (Query(rate("llm_tokens_total", *CALLS, by="model, direction"), "{{model}} {{direction}}"),),
    ),
    Panel(
        "Input read from the provider's cache",
        "percentunit",
        "corpusmill_llm_cached_input_tokens_total over input tokens. Low with a long common part: put what all prompts "
        "share at their beginning.",
        (
            Query(
                ratio(
                    rate("llm_cached_input_tokens_total", *CALLS, by="model"),
                    rate("llm_tokens_total", *CALLS, 'direction="input"', by="model"),
                ),
                "{{model}}",
            ),
        ),
    ),
    Panel(
        "Output spent on reasoning",
        "percentunit",
        "corpusmill_llm_reasoning_tokens_total over output tokens. High for simple prompts: ask for less effort in the "
        "step's parameters.",
        (
            Query(
                ratio(
                    rate("llm_reasoning_tokens_total", *CALLS, by="model"),
                    rate("llm_tokens_total", *CALLS, 'direction="output"', by="model"),
                ),
                "{{model}}",
            ),
        ),
    ),
)

COST = Board(
    "corpusmill-cost",
    "corpusmill / Cost",
    "What was paid, for what, and what of it is not known.",
    (JOB, INSTANCE, JOB_ID, ENDPOINT, MODEL),
    (Row("In the time shown", TOTALS), Row("Over time", OVER_TIME), Row("Tokens", TOKENS)),
)
