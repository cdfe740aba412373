CREATE OR REPLACE VIEW rpt_cost_guidance_v1 AS
WITH usage AS (
    SELECT
        r.day,
        r.project,
        r.alias,
        r.inferred_mode,
        r.model_served,
        r.is_test,
        sum(r.calls) AS calls,
        sum(r.unpriced) AS unpriced,
        sum(r.estimated) AS estimated,
        sum(r.prompt_tokens) AS prompt_tokens,
        sum(r.cached_tokens) AS cached_tokens,
        sum(r.cache_write_tokens) AS cache_write_tokens,
        sum(r.completion_tokens) AS completion_tokens,
        sum(r.reasoning_tokens) AS reasoning_tokens,
        sum(r.cost_pico) AS cost_pico
    FROM iw_usage_days AS r
    WHERE r.alias <> '' AND r.model_served <> ''
    GROUP BY r.day, r.project, r.alias, r.inferred_mode, r.model_served, r.is_test
    HAVING sum(r.decisions) > 0
),
tasks AS (
    SELECT
        u.*,
        t.kind,
        nullif(t.tier, '') AS task_tier,
        nullif(m.tier, '') AS model_tier,
        CASE t.tier || ' by ' || m.tier
            WHEN 'small by small' THEN 'fits'
            WHEN 'mid by mid' THEN 'fits'
            WHEN 'strong by strong' THEN 'fits'
            WHEN 'small by mid' THEN 'stronger'
            WHEN 'small by strong' THEN 'stronger'
            WHEN 'mid by strong' THEN 'stronger'
            WHEN 'mid by small' THEN 'weaker'
            WHEN 'strong by small' THEN 'weaker'
            WHEN 'strong by mid' THEN 'weaker'
            ELSE 'unknown'
        END AS fit,
        u.prompt_tokens - coalesce(u.cached_tokens, 0) - coalesce(u.cache_write_tokens, 0) AS fresh_tokens,
        (u.day + 1)::timestamp AT TIME ZONE 'UTC' AS next_day
    FROM usage AS u
    LEFT JOIN iwrouting_alias AS t ON t.name = coalesce(nullif(u.inferred_mode, ''), u.alias)
    LEFT JOIN iwrouting_model AS m ON m.model_id = u.model_served
),
base_prices AS (
    SELECT p.*, lead(p.valid_from) OVER (PARTITION BY p.model_id ORDER BY p.valid_from) AS valid_to
    FROM iwrouting_price AS p
    WHERE p.service_tier = 'default' AND p.above_input_tokens = 0
),
candidates AS (
    SELECT
        m.tier,
        m.endpoints @> '["embeddings"]' AS embeds,
        (m.endpoints @> '["chat"]' OR m.endpoints @> '["responses"]') AS chats,
        p.model_id,
        p.valid_from,
        p.valid_to,
        p.input_pico,
        p.cached_pico,
        p.cache_write_pico,
        p.output_pico
    FROM iwrouting_model AS m
    JOIN base_prices AS p ON p.model_id = m.model_id
    LEFT JOIN iwrouting_upstream AS v ON v.id = m.upstream_id
    WHERE
        m.enabled
        AND (v.id IS NULL OR v.enabled)
        AND (m.shutdown_date IS NULL OR m.shutdown_date > (now() AT TIME ZONE 'UTC')::date)
),
offers AS (
    SELECT
        t.*,
        c.model_id AS offered,
        c.valid_from,
        CASE
            WHEN t.prompt_tokens IS NULL OR c.model_id IS NULL THEN NULL
            WHEN coalesce(t.reasoning_tokens, 0) > coalesce(t.completion_tokens, 0) THEN NULL
            WHEN t.completion_tokens IS NULL AND (c.output_pico IS NOT NULL OR c.input_pico IS NULL) THEN NULL
            WHEN t.fresh_tokens < 0 OR (t.fresh_tokens > 0 AND c.input_pico IS NULL) THEN NULL
            WHEN t.cached_tokens > 0 AND c.cached_pico IS NULL THEN NULL
            WHEN t.cache_write_tokens > 0 AND c.cache_write_pico IS NULL THEN NULL
            WHEN t.completion_tokens > 0 AND c.output_pico IS NULL THEN NULL
            ELSE t.fresh_tokens * coalesce(c.input_pico, 0)
                + coalesce(t.cached_tokens, 0) * coalesce(c.cached_pico, 0)
                + coalesce(t.cache_write_tokens, 0) * coalesce(c.cache_write_pico, 0)
                + coalesce(t.completion_tokens, 0) * coalesce(c.output_pico, 0)
        END AS cost_there
    FROM tasks AS t
    LEFT JOIN candidates AS c
        ON c.tier = t.task_tier
        AND CASE WHEN t.kind = 'embedding' THEN c.embeds ELSE c.chats END
        AND c.valid_from < t.next_day
        AND (c.valid_to IS NULL OR c.valid_to >= t.next_day)
),
-- All columns by which people filter stand in the partition: only then the planner filters before it ranks.
ranked AS (
    SELECT
        o.*,
        coalesce(o.cost_there <= 9223372036854775807, false) AS is_known,
        row_number() OVER (
            PARTITION BY
                o.day, o.project, o.alias, o.inferred_mode, o.model_served, o.is_test, o.task_tier, o.model_tier, o.fit
            ORDER BY coalesce(o.cost_there <= 9223372036854775807, false) DESC, o.cost_there, o.offered
        ) AS place
    FROM offers AS o
),
chosen AS (
    SELECT
        k.*,
        CASE WHEN k.is_known THEN k.offered END AS reference_model,
        CASE WHEN k.is_known THEN k.cost_there::bigint END AS cost_at_tier_pico
    FROM ranked AS k
    WHERE k.place = 1
)
SELECT
    c.day,
    c.project,
    c.alias,
    c.inferred_mode,
    c.model_served,
    c.is_test,
    c.task_tier,
    c.model_tier,
    c.fit,
    c.calls::bigint AS calls,
    c.unpriced::bigint AS unpriced,
    c.estimated::bigint AS estimated,
    c.prompt_tokens::bigint AS prompt_tokens,
    c.cached_tokens::bigint AS cached_tokens,
    c.cache_write_tokens::bigint AS cache_write_tokens,
    c.completion_tokens::bigint AS completion_tokens,
    c.reasoning_tokens::bigint AS reasoning_tokens,
    c.cost_pico::bigint AS cost_pico,
    c.cost_pico * 0.000000000001 AS cost_usd,
    c.reference_model,
    c.cost_at_tier_pico,
    c.cost_at_tier_pico * 0.000000000001 AS cost_at_tier_usd,
    c.cost_pico::bigint - c.cost_at_tier_pico AS saving_pico,
    (c.cost_pico::bigint - c.cost_at_tier_pico) * 0.000000000001 AS saving_usd,
    (
        c.unpriced > 0
        OR c.estimated > 0
        OR (
            c.reference_model IS NOT NULL
            AND (
                c.valid_from > c.day::timestamp AT TIME ZONE 'UTC'
                OR EXISTS (
                    SELECT 1
                    FROM iwrouting_price AS x
                    WHERE
                        x.model_id = c.reference_model
                        AND x.service_tier = 'default'
                        AND x.above_input_tokens BETWEEN 1 AND c.prompt_tokens - 1
                        AND x.valid_from < c.next_day
                )
            )
        )
    ) AS is_estimated
FROM chosen AS c;

COMMENT ON VIEW rpt_cost_guidance_v1 IS
    'Usage by day, alias and model, and what a model of the tier that fits the task would have cost.';
COMMENT ON COLUMN rpt_cost_guidance_v1.day IS 'Day of the decision (UTC).'; -- date
COMMENT ON COLUMN rpt_cost_guidance_v1.project IS 'Project.';
COMMENT ON COLUMN rpt_cost_guidance_v1.alias IS
    'Alias asked for; calls for named models are left out, nobody said what task they are.';
COMMENT ON COLUMN rpt_cost_guidance_v1.inferred_mode IS
    'Chat mode that was inferred for auto: the task then is that mode''s.';
COMMENT ON COLUMN rpt_cost_guidance_v1.model_served IS 'Model that answered; calls that none answered are left out.';
COMMENT ON COLUMN rpt_cost_guidance_v1.is_test IS 'Whether it is test traffic.'; -- boolean
COMMENT ON COLUMN rpt_cost_guidance_v1.task_tier IS
    'Cost tier that fits the task, by its alias today: small, mid, strong; NULL: not said.';
COMMENT ON COLUMN rpt_cost_guidance_v1.model_tier IS 'Cost tier of the model that answered, today; NULL: not said.';
COMMENT ON COLUMN rpt_cost_guidance_v1.fit IS
    'fits, stronger (the model than the task), weaker, or unknown where a tier is not said.';
COMMENT ON COLUMN rpt_cost_guidance_v1.calls IS 'Calls of this group that ended.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.unpriced IS
    'Calls whose cost is not known: cost and saving leave them out, cost_at_tier does not.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.estimated IS 'Calls whose cost is estimated.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.prompt_tokens IS 'Tokens of input; NULL when none was reported.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.cached_tokens IS 'Tokens of input that the provider had cached.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.cache_write_tokens IS
    'Tokens of input that the provider wrote to a cache.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.completion_tokens IS 'Tokens of output.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.reasoning_tokens IS 'Tokens of output spent on reasoning.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.cost_pico IS
    'Cost in pico-dollars of the calls that have one; NULL when none has.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.cost_usd IS 'The same in dollars.'; -- numeric
COMMENT ON COLUMN rpt_cost_guidance_v1.reference_model IS
    'Cheapest of the enabled, living models of the task''s tier on these tokens; NULL: none with a price.';
COMMENT ON COLUMN rpt_cost_guidance_v1.cost_at_tier_pico IS
    'What these tokens cost there at its base prices at the end of the day; NULL: not known.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.cost_at_tier_usd IS 'The same in dollars.'; -- numeric
COMMENT ON COLUMN rpt_cost_guidance_v1.saving_pico IS
    'cost_pico less cost_at_tier_pico; negative: it would have cost more; NULL: not known.'; -- integer
COMMENT ON COLUMN rpt_cost_guidance_v1.saving_usd IS 'The same in dollars.'; -- numeric
COMMENT ON COLUMN rpt_cost_guidance_v1.is_estimated IS
    'Whether it is not exact: unpriced or estimated calls, a price that changed that day, or a threshold.'; -- boolean
