CREATE OR REPLACE VIEW iw_usage_raw AS
SELECT
    r.created_at AS decision_at,
    r.project,
    r.alias,
    r.kind,
    r.inferred_mode,
    CASE WHEN r.inferred_mode = '' THEN '' ELSE left(split_part(r.reason, ':', 1), 64) END AS rule,
    r.model_served,
    r.upstream,
    r.source,
    r.key_id,
    r.endpoint,
    r.is_test,
    r.run_id,
    r.tags,
    CASE WHEN r.result <> 'resolved' THEN 1 ELSE 0 END AS decisions,
    CASE WHEN r.result <> 'resolved' AND r.endpoint <> 'responses.usage' THEN 1 ELSE 0 END AS calls,
    CASE WHEN r.result = 'resolved' THEN 1 ELSE 0 END AS resolves,
    CASE WHEN r.result IN ('error', 'truncated', 'interrupted') THEN 1 ELSE 0 END AS errors,
    CASE WHEN r.result = 'refused' THEN 1 ELSE 0 END AS refused,
    CASE WHEN r.result = 'client_closed' THEN 1 ELSE 0 END AS client_closed,
    CASE WHEN r.is_stream AND r.result <> 'resolved' THEN 1 ELSE 0 END AS streams,
    r.attempts,
    r.fallbacks,
    CASE WHEN r.fallbacks > 0 THEN 1 ELSE 0 END AS calls_with_fallback,
    CASE WHEN r.result = 'ok_after_fallback' THEN 1 ELSE 0 END AS served_by_fallback,
    CASE WHEN r.cost_state = 'unpriced' THEN 1 ELSE 0 END AS unpriced,
    CASE WHEN r.cost_state = 'estimated' THEN 1 ELSE 0 END AS estimated,
    CASE WHEN r.result <> 'resolved' AND r.latency_ms IS NOT NULL THEN 1 ELSE 0 END AS timed,
    CASE WHEN r.result <> 'resolved' AND r.first_byte_ms IS NOT NULL THEN 1 ELSE 0 END AS timed_first_byte,
    r.prompt_tokens,
    r.cached_tokens,
    r.cache_write_tokens,
    r.completion_tokens,
    r.reasoning_tokens,
    r.cost_pico,
    CASE WHEN r.result <> 'resolved' THEN r.latency_ms END AS latency_ms,
    CASE WHEN r.result <> 'resolved' THEN r.first_byte_ms END AS first_byte_ms,
    CASE WHEN r.result <> 'resolved' THEN r.overhead_ms END AS overhead_ms
FROM rpt_decisions_v1 AS r
WHERE
    r.result IS NOT NULL
    AND r.endpoint NOT IN ('responses.get', 'responses.cancel', 'responses.delete', 'responses.items');

COMMENT ON VIEW iw_usage_raw IS
    'Internal: one row an ended decision, with the dimensions and measures that usage is summed by. Read rpt_usage_*.';
