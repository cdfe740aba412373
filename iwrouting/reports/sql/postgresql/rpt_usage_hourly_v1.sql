CREATE OR REPLACE VIEW rpt_usage_hourly_v1 AS
SELECT
    c.bucket_at AS hour,
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
    c.cost_pico * 0.000000000001 AS cost_usd,
    c.latency_ms,
    c.first_byte_ms,
    c.overhead_ms
FROM iwrouting_usagecell AS c
WHERE
    c.width = 60
    AND c.bucket_at NOT IN (SELECT date_bin('1 hour', n.bucket_at, '2000-01-01 00:00:00+00') FROM iw_usage_marked AS n)
UNION ALL
SELECT
    date_bin('1 hour', u.bucket_at, '2000-01-01 00:00:00+00') AS hour,
    u.project,
    u.alias,
    u.kind,
    u.inferred_mode,
    u.rule,
    u.model_served,
    u.upstream,
    u.source,
    u.key_id,
    u.endpoint,
    u.is_test,
    sum(u.decisions)::bigint AS decisions,
    sum(u.calls)::bigint AS calls,
    sum(u.resolves)::bigint AS resolves,
    sum(u.errors)::bigint AS errors,
    sum(u.refused)::bigint AS refused,
    sum(u.client_closed)::bigint AS client_closed,
    sum(u.streams)::bigint AS streams,
    sum(u.attempts)::bigint AS attempts,
    sum(u.fallbacks)::bigint AS fallbacks,
    sum(u.calls_with_fallback)::bigint AS calls_with_fallback,
    sum(u.served_by_fallback)::bigint AS served_by_fallback,
    sum(u.unpriced)::bigint AS unpriced,
    sum(u.estimated)::bigint AS estimated,
    sum(u.timed)::bigint AS timed,
    sum(u.timed_first_byte)::bigint AS timed_first_byte,
    sum(u.prompt_tokens)::bigint AS prompt_tokens,
    sum(u.cached_tokens)::bigint AS cached_tokens,
    sum(u.cache_write_tokens)::bigint AS cache_write_tokens,
    sum(u.completion_tokens)::bigint AS completion_tokens,
    sum(u.reasoning_tokens)::bigint AS reasoning_tokens,
    sum(u.cost_pico)::bigint AS cost_pico,
    sum(u.cost_pico) * 0.000000000001 AS cost_usd,
    sum(u.latency_ms)::bigint AS latency_ms,
    sum(u.first_byte_ms)::bigint AS first_byte_ms,
    sum(u.overhead_ms)::bigint AS overhead_ms
FROM iw_usage_fine AS u
GROUP BY
    date_bin('1 hour', u.bucket_at, '2000-01-01 00:00:00+00'),
    u.project,
    u.alias,
    u.kind,
    u.inferred_mode,
    u.rule,
    u.model_served,
    u.upstream,
    u.source,
    u.key_id,
    u.endpoint,
    u.is_test;

COMMENT ON VIEW rpt_usage_hourly_v1 IS
    'Usage by hour (UTC), in all detail: sum what you do not tell apart. Left out: what is open, or looked at a response.';
COMMENT ON COLUMN rpt_usage_hourly_v1.hour IS 'Hour of the decision, its beginning (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_usage_hourly_v1.project IS 'Project.';
COMMENT ON COLUMN rpt_usage_hourly_v1.alias IS 'Alias asked for; empty for named models.';
COMMENT ON COLUMN rpt_usage_hourly_v1.kind IS
    'What the alias is: role, mode, auto and the like; empty for named models.';
COMMENT ON COLUMN rpt_usage_hourly_v1.inferred_mode IS 'Mode that was inferred from the prompt; empty where none was.';
COMMENT ON COLUMN rpt_usage_hourly_v1.rule IS 'Rule by which it was inferred.';
COMMENT ON COLUMN rpt_usage_hourly_v1.model_served IS 'Model that answered; empty when none did.';
COMMENT ON COLUMN rpt_usage_hourly_v1.upstream IS 'Upstream that served, else the one decided for.';
COMMENT ON COLUMN rpt_usage_hourly_v1.source IS 'Where the model came from.';
COMMENT ON COLUMN rpt_usage_hourly_v1.key_id IS 'Key of the caller.';
COMMENT ON COLUMN rpt_usage_hourly_v1.endpoint IS
    'What the caller used: chat, responses, embeddings; responses.usage for the usage of a background call.';
COMMENT ON COLUMN rpt_usage_hourly_v1.is_test IS 'Whether it is test traffic.'; -- boolean
COMMENT ON COLUMN rpt_usage_hourly_v1.decisions IS
    'Ended decisions: calls, and beside them the usage of background calls.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.calls IS
    'Calls of this group that ended; the usage of a background call is no other call.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.resolves IS 'Recorded resolves, which count in nothing else.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.errors IS
    'Of these, those with result error, truncated or interrupted.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.refused IS 'Calls that were refused before anything was sent.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.client_closed IS 'Calls whose caller left before the end.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.streams IS 'Calls that were streamed.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.attempts IS 'Tries that were sent to a provider.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.fallbacks IS 'How often they went on to the next rung.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.calls_with_fallback IS
    'Calls that went on to another rung at least once.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.served_by_fallback IS 'Calls that another rung than the first served.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.unpriced IS 'Calls whose cost is not known.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.estimated IS 'Calls whose cost is estimated.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.timed IS 'Calls behind latency_ms: the average is latency_ms / timed.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.timed_first_byte IS 'Calls behind first_byte_ms.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.prompt_tokens IS 'Tokens of input; NULL when none was reported.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.cached_tokens IS 'Tokens of input that the provider had cached.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.cache_write_tokens IS
    'Tokens of input that the provider put into its cache.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.completion_tokens IS 'Tokens of output.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.reasoning_tokens IS 'Tokens of output spent on reasoning.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.cost_pico IS
    'Cost in pico-dollars of the calls that have one; NULL when none has.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.cost_usd IS 'The same in dollars.'; -- numeric
COMMENT ON COLUMN rpt_usage_hourly_v1.latency_ms IS 'Milliseconds of all timed calls together.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.first_byte_ms IS
    'Milliseconds to the first byte, of all calls that have it together.'; -- integer
COMMENT ON COLUMN rpt_usage_hourly_v1.overhead_ms IS 'Milliseconds of them that the router itself took.'; -- integer
