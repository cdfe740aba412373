CREATE OR REPLACE VIEW iw_usage_fine AS
SELECT
    c.bucket_at,
    c.project,
    c.alias,
    c.kind,
    c.inferred_mode,
    c.rule,
    c.model_served,
    c.upstream,
    c.source,
    c.key_id,
    c.endpoint,
    c.is_test,
    c.decisions,
    c.calls,
    c.resolves,
    c.errors,
    c.refused,
    c.client_closed,
    c.streams,
    c.attempts,
    c.fallbacks,
    c.calls_with_fallback,
    c.served_by_fallback,
    c.unpriced,
    c.estimated,
    c.timed,
    c.timed_first_byte,
    c.prompt_tokens,
    c.cached_tokens,
    c.cache_write_tokens,
    c.completion_tokens,
    c.reasoning_tokens,
    c.cost_pico,
    c.latency_ms,
    c.first_byte_ms,
    c.overhead_ms
FROM (SELECT DISTINCT date_bin('1 hour', m.bucket_at, '2000-01-01 00:00:00+00') AS hour FROM iw_usage_marked AS m) AS h
-- OFFSET 0: from hour to hour by the index. A filter on an alias made it read all quarters of all time instead.
CROSS JOIN LATERAL (
    SELECT * FROM iwrouting_usagecell AS q
    WHERE q.width = 15 AND q.bucket_at >= h.hour AND q.bucket_at < h.hour + interval '60 minutes'
    OFFSET 0
) AS c
WHERE c.bucket_at NOT IN (SELECT n.bucket_at FROM iw_usage_marked AS n)
UNION ALL
SELECT
    m.bucket_at,
    r.project,
    r.alias,
    r.kind,
    r.inferred_mode,
    r.rule,
    r.model_served,
    r.upstream,
    r.source,
    r.key_id,
    r.endpoint,
    r.is_test,
    r.decisions,
    r.calls,
    r.resolves,
    r.errors,
    r.refused,
    r.client_closed,
    r.streams,
    r.attempts,
    r.fallbacks,
    r.calls_with_fallback,
    r.served_by_fallback,
    r.unpriced,
    r.estimated,
    r.timed,
    r.timed_first_byte,
    r.prompt_tokens,
    r.cached_tokens,
    r.cache_write_tokens,
    r.completion_tokens,
    r.reasoning_tokens,
    r.cost_pico,
    r.latency_ms,
    r.first_byte_ms,
    r.overhead_ms
FROM iw_usage_marked AS m
JOIN iw_usage_raw AS r
    -- The range is for an index, where few quarters are marked; the equality for a hash, where many are.
    ON r.decision_at >= m.bucket_at
    AND r.decision_at < m.bucket_at + interval '15 minutes'
    AND date_bin('15 minutes', r.decision_at, '2000-01-01 00:00:00+00') = m.bucket_at;

COMMENT ON VIEW iw_usage_fine IS
    'Internal: usage of the hours that have a marked quarter: cells of the other quarters, raw rows of the marked.';
