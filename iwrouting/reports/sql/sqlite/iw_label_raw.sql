CREATE VIEW iw_label_raw AS
SELECT
    r.decision_at,
    'run' AS label_kind,
    r.run_id AS label,
    r.project,
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
FROM iw_usage_raw AS r
WHERE r.run_id <> ''
UNION ALL
SELECT
    r.decision_at,
    'tag' AS label_kind,
    j.value AS label,
    r.project,
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
FROM iw_usage_raw AS r
JOIN json_each('["' || replace(r.tags, ',', '","') || '"]') AS j
WHERE
    r.tags <> ''
    AND NOT EXISTS (
        SELECT 1
        FROM json_each('["' || replace(r.tags, ',', '","') || '"]') AS k
        WHERE k.value = j.value AND k.key < j.key
    );
