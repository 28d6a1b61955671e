"""The dashboard that answers: is the process well."""

from deploy.grafana.board import INSTANCE, JOB, Board, Panel, Query, Row, metric, quantile, rate

CHOSEN = 'job=~"$job", instance=~"$instance"'
FAILED = 'code=~"5.."'

PROCESS = (
    Panel(
        "Up",
        "bool_yes_no",
        "up: whether the last scrape came through. No: see `systemctl status` or the container's log.",
        (Query(f"up{{{CHOSEN}}}", "{{instance}}"),),
        "stat",
        6,
    ),
    Panel(
        "Version",
        "short",
        "corpusmill_build_info, by version. Two at once: an upgrade is half done.",
        (Query(f"sum by (version) ({metric('build_info')})", "{{version}}"),),
        "name",
        6,
    ),
    Panel(
        "Running since",
        "dateTimeFromNow",
        "process_start_time_seconds. Later than you think: it was restarted; the log says why it ended.",
        (Query(f"process_start_time_seconds{{{CHOSEN}}} * 1000", "{{instance}}"),),
        "stat",
        6,
    ),
    Panel(
        "Free disk",
        "bytes",
        "corpusmill_disk_free_bytes. Calls pause below 64 MiB.",
        (Query(metric("disk_free_bytes"), "{{instance}}"),),
        "stat",
        6,
    ),
    Panel(
        "Processor",
        "percentunit",
        "process_cpu_seconds_total: 1 is one core. At 1 the event loop is full: spread jobs over processes.",
        (Query(f"rate(process_cpu_seconds_total{{{CHOSEN}}}[$__rate_interval])", "{{instance}}"),),
    ),
    Panel(
        "Memory",
        "bytes",
        "process_resident_memory_bytes. Grows by dedup's index, a few bytes for each kept record, and not otherwise.",
        (Query(f"process_resident_memory_bytes{{{CHOSEN}}}", "{{instance}}"),),
    ),
    Panel(
        "Event loop lag",
        "s",
        "corpusmill_event_loop_lag_seconds, 99th percentile. Above 0.1 s: the process or the machine does too much.",
        (Query(quantile(0.99, "event_loop_lag_seconds", by="instance"), "{{instance}}"),),
    ),
    Panel(
        "Open files",
        "short",
        "process_open_fds and process_max_fds: a call in flight is a file. Near the limit: raise LimitNOFILE.",
        (
            Query(f"process_open_fds{{{CHOSEN}}}", "{{instance}} open"),
            Query(f"process_max_fds{{{CHOSEN}}}", "{{instance}} limit"),
        ),
        logarithmic=True,
    ),
    Panel(
        "Garbage collections",
        "cps",
        "python_gc_collections_total, a second, by generation. Many of generation 2 go with lag.",
        (
            Query(
                f"sum by (generation) (rate(python_gc_collections_total{{{CHOSEN}}}[$__rate_interval]))",
                "{{generation}}",
            ),
        ),
    ),
    Panel(
        "Since something last left a stage",
        "s",
        "corpusmill_stage_last_item_timestamp_seconds. The first stage that stands still is where to look: call is the "
        "endpoint, journal and shard are the disk, kept are the filters.",
        (Query(f"time() - max by (stage) ({metric('stage_last_item_timestamp_seconds')})", "{{stage}}"),),
    ),
)

JOURNAL = (
    Panel(
        "Journal written",
        "Bps",
        "corpusmill_journal_bytes_written_total: lines made durable, before compression.",
        (Query(rate("journal_bytes_written_total", by="instance"), "{{instance}}"),),
    ),
    Panel(
        "Seconds to sync",
        "s",
        "corpusmill_journal_sync_seconds. Above 1 s: the disk is too slow or shared; calls pause when 64 MiB wait.",
        tuple(Query(quantile(share, "journal_sync_seconds"), f"p{share * 100:.0f}") for share in (0.5, 0.99)),
    ),
    Panel(
        "Shards sealed",
        "cps",
        "corpusmill_shards_sealed_total, a second, by folder.",
        (Query(rate("shards_sealed_total", by="folder"), "{{folder}}"),),
    ),
)

HTTP = (
    Panel(
        "Requests",
        "reqps",
        "corpusmill_http_requests_total, by route.",
        (Query(rate("http_requests_total", by="route"), "{{route}}"),),
        "stacked",
    ),
    Panel(
        "Share of 5xx",
        "percentunit",
        'corpusmill_http_requests_total{code=~"5.."} over all. 503 while draining or out of disk is meant so; 500 is a '
        "defect: the log has its traceback.",
        (
            Query(
                f"({rate('http_requests_total', FAILED)} or vector(0)) / ({rate('http_requests_total')} > 0)",
                "5xx",
            ),
        ),
    ),
    Panel(
        "Seconds to an answer",
        "s",
        "corpusmill_http_request_duration_seconds, 95th percentile by route. Streams are long by nature.",
        (Query(quantile(0.95, "http_request_duration_seconds", by="route"), "{{route}}"),),
    ),
)

DAEMON = Board(
    "corpusmill-daemon",
    "corpusmill / Daemon",
    "Whether the process is well.",
    (JOB, INSTANCE),
    (Row("Process", PROCESS), Row("Journal", JOURNAL), Row("HTTP", HTTP)),
)
