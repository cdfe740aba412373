CREATE OR REPLACE VIEW iw_label_raw AS
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
    t.tag AS label,
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
CROSS JOIN LATERAL (SELECT DISTINCT tag FROM string_to_table(nullif(r.tags, ''), ',') AS tag) AS t;

COMMENT ON VIEW iw_label_raw IS
    'Internal: one row an ended decision and label of it, a run or a tag; a call stands once in each of its tags.';
