CREATE VIEW rpt_usage_daily_v1 AS
SELECT
    u.day,
    u.project,
    u.alias,
    u.model_served,
    u.source,
    u.is_test,
    sum(u.calls) AS calls,
    sum(u.errors) AS errors,
    sum(u.fallbacks) AS fallbacks,
    sum(u.prompt_tokens) AS prompt_tokens,
    sum(u.cached_tokens) AS cached_tokens,
    sum(u.completion_tokens) AS completion_tokens,
    sum(u.reasoning_tokens) AS reasoning_tokens,
    sum(u.cost_pico) AS cost_pico,
    sum(u.cost_pico) / 1e12 AS cost_usd,
    sum(u.unpriced) AS unpriced,
    sum(u.estimated) AS estimated,
    sum(u.refused) AS refused,
    sum(u.calls_with_fallback) AS calls_with_fallback,
    sum(u.decisions) AS decisions,
    sum(u.client_closed) AS client_closed,
    sum(u.streams) AS streams,
    sum(u.attempts) AS attempts,
    sum(u.served_by_fallback) AS served_by_fallback,
    sum(u.timed) AS timed,
    sum(u.timed_first_byte) AS timed_first_byte,
    sum(u.cache_write_tokens) AS cache_write_tokens,
    sum(u.latency_ms) AS latency_ms,
    sum(u.first_byte_ms) AS first_byte_ms,
    sum(u.overhead_ms) AS overhead_ms
FROM iw_usage_days AS u
GROUP BY
    u.day, u.project, u.alias, u.model_served, u.source, u.is_test
HAVING sum(u.decisions) > 0;
