CREATE VIEW rpt_usage_daily_v1 AS
SELECT
    substr(r.created_at, 1, 10) AS day,
    r.project,
    r.alias,
    r.model_served,
    r.source,
    r.is_test,
    count(*) FILTER (WHERE r.endpoint <> 'responses.usage') AS calls,
    count(*) FILTER (WHERE r.result IN ('error', 'truncated', 'interrupted')) AS errors,
    sum(r.fallbacks) AS fallbacks,
    sum(r.prompt_tokens) AS prompt_tokens,
    sum(r.cached_tokens) AS cached_tokens,
    sum(r.completion_tokens) AS completion_tokens,
    sum(r.reasoning_tokens) AS reasoning_tokens,
    sum(r.cost_pico) AS cost_pico,
    sum(r.cost_pico) / 1e12 AS cost_usd,
    count(*) FILTER (WHERE r.cost_state = 'unpriced') AS unpriced,
    count(*) FILTER (WHERE r.cost_state = 'estimated') AS estimated,
    count(*) FILTER (WHERE r.result = 'refused') AS refused,
    count(*) FILTER (WHERE r.fallbacks > 0) AS calls_with_fallback
FROM rpt_decisions_v1 AS r
WHERE
    r.result <> 'resolved'
    AND r.endpoint NOT IN ('responses.get', 'responses.cancel', 'responses.delete', 'responses.items')
GROUP BY
    substr(r.created_at, 1, 10), r.project, r.alias, r.model_served, r.source, r.is_test;
