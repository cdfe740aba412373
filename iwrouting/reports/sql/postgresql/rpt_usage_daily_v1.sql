CREATE OR REPLACE VIEW rpt_usage_daily_v1 AS
SELECT
    (r.created_at AT TIME ZONE 'UTC')::date AS day,
    r.project,
    r.alias,
    r.model_served,
    r.source,
    r.is_test,
    count(*) FILTER (WHERE r.endpoint <> 'responses.usage') AS calls,
    count(*) FILTER (WHERE r.result IN ('error', 'truncated', 'interrupted')) AS errors,
    sum(r.fallbacks)::bigint AS fallbacks,
    sum(r.prompt_tokens)::bigint AS prompt_tokens,
    sum(r.cached_tokens)::bigint AS cached_tokens,
    sum(r.completion_tokens)::bigint AS completion_tokens,
    sum(r.reasoning_tokens)::bigint AS reasoning_tokens,
    sum(r.cost_pico)::bigint AS cost_pico,
    sum(r.cost_pico) * 0.000000000001 AS cost_usd,
    count(*) FILTER (WHERE r.cost_state = 'unpriced') AS unpriced,
    count(*) FILTER (WHERE r.cost_state = 'estimated') AS estimated,
    count(*) FILTER (WHERE r.result = 'refused') AS refused,
    count(*) FILTER (WHERE r.fallbacks > 0) AS calls_with_fallback
FROM rpt_decisions_v1 AS r
WHERE
    r.result <> 'resolved'
    AND r.endpoint NOT IN ('responses.get', 'responses.cancel', 'responses.delete', 'responses.items')
GROUP BY
    (r.created_at AT TIME ZONE 'UTC')::date, r.project, r.alias, r.model_served, r.source, r.is_test;

COMMENT ON VIEW rpt_usage_daily_v1 IS
    'Usage by day (UTC): ended calls, tokens, cost. Left out: what only resolved, is open, or looked at a response.';
COMMENT ON COLUMN rpt_usage_daily_v1.day IS 'Day of the decision (UTC).'; -- date
COMMENT ON COLUMN rpt_usage_daily_v1.project IS 'Project.';
COMMENT ON COLUMN rpt_usage_daily_v1.alias IS 'Alias asked for; empty for named models.';
COMMENT ON COLUMN rpt_usage_daily_v1.model_served IS 'Model that answered; empty when none did.';
COMMENT ON COLUMN rpt_usage_daily_v1.source IS 'Where the model came from.';
COMMENT ON COLUMN rpt_usage_daily_v1.is_test IS 'Whether it is test traffic.'; -- boolean
COMMENT ON COLUMN rpt_usage_daily_v1.calls IS
    'Calls of this group that ended; the usage of a background call is no other call.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.errors IS
    'Of these, those with result error, truncated or interrupted.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.fallbacks IS 'How often they went on to the next rung.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.prompt_tokens IS 'Tokens of input; NULL when none was reported.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.cached_tokens IS 'Tokens of input that the provider had cached.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.completion_tokens IS 'Tokens of output.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.reasoning_tokens IS 'Tokens of output spent on reasoning.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.cost_pico IS
    'Cost in pico-dollars of the calls that have one; NULL when none has.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.cost_usd IS 'The same in dollars.'; -- numeric
COMMENT ON COLUMN rpt_usage_daily_v1.unpriced IS 'Calls whose cost is not known.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.estimated IS 'Calls whose cost is estimated.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.refused IS 'Calls that were refused before anything was sent.'; -- integer
COMMENT ON COLUMN rpt_usage_daily_v1.calls_with_fallback IS
    'Calls that went on to another rung at least once.'; -- integer
