CREATE OR REPLACE VIEW iw_usage_days AS
SELECT
    (c.bucket_at AT TIME ZONE 'UTC')::date AS day,
    c.project,
    c.alias,
    c.inferred_mode,
    c.model_served,
    c.source,
    c.is_test,
    c.calls,
    c.errors,
    c.fallbacks,
    c.prompt_tokens,
    c.cached_tokens,
    c.completion_tokens,
    c.reasoning_tokens,
    c.cost_pico,
    c.unpriced,
    c.estimated,
    c.refused,
    c.calls_with_fallback,
    c.decisions,
    c.client_closed,
    c.streams,
    c.attempts,
    c.served_by_fallback,
    c.timed,
    c.timed_first_byte,
    c.cache_write_tokens,
    c.latency_ms,
    c.first_byte_ms,
    c.overhead_ms
FROM iwrouting_usagecell AS c
WHERE
    c.width = 1440
    AND c.bucket_at NOT IN (SELECT date_bin('1 day', n.bucket_at, '2000-01-01 00:00:00+00') FROM iw_usage_marked AS n)
UNION ALL
SELECT
    (c.bucket_at AT TIME ZONE 'UTC')::date AS day,
    c.project,
    c.alias,
    c.inferred_mode,
    c.model_served,
    c.source,
    c.is_test,
    c.calls,
    c.errors,
    c.fallbacks,
    c.prompt_tokens,
    c.cached_tokens,
    c.completion_tokens,
    c.reasoning_tokens,
    c.cost_pico,
    c.unpriced,
    c.estimated,
    c.refused,
    c.calls_with_fallback,
    c.decisions,
    c.client_closed,
    c.streams,
    c.attempts,
    c.served_by_fallback,
    c.timed,
    c.timed_first_byte,
    c.cache_write_tokens,
    c.latency_ms,
    c.first_byte_ms,
    c.overhead_ms
FROM (SELECT DISTINCT date_bin('1 day', m.bucket_at, '2000-01-01 00:00:00+00') AS day FROM iw_usage_marked AS m) AS d
-- OFFSET 0: from day to day by the index (iw_usage_fine.sql says why).
CROSS JOIN LATERAL (
    SELECT * FROM iwrouting_usagecell AS q
    WHERE q.width = 60 AND q.bucket_at >= d.day AND q.bucket_at < d.day + interval '24 hours'
    OFFSET 0
) AS c
WHERE c.bucket_at NOT IN (SELECT date_bin('1 hour', n.bucket_at, '2000-01-01 00:00:00+00') FROM iw_usage_marked AS n)
UNION ALL
SELECT
    (f.bucket_at AT TIME ZONE 'UTC')::date AS day,
    f.project,
    f.alias,
    f.inferred_mode,
    f.model_served,
    f.source,
    f.is_test,
    f.calls,
    f.errors,
    f.fallbacks,
    f.prompt_tokens,
    f.cached_tokens,
    f.completion_tokens,
    f.reasoning_tokens,
    f.cost_pico,
    f.unpriced,
    f.estimated,
    f.refused,
    f.calls_with_fallback,
    f.decisions,
    f.client_closed,
    f.streams,
    f.attempts,
    f.served_by_fallback,
    f.timed,
    f.timed_first_byte,
    f.cache_write_tokens,
    f.latency_ms,
    f.first_byte_ms,
    f.overhead_ms
FROM iw_usage_fine AS f;

COMMENT ON VIEW iw_usage_days IS
    'Internal: cells of clean days, cells of the clean hours of marked days, and the rest as it is. Read rpt_usage_daily_v1.';
