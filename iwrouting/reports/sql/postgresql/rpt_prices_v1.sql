CREATE OR REPLACE VIEW rpt_prices_v1 AS
SELECT
    q.model,
    q.service_tier,
    q.above_input_tokens,
    q.valid_from,
    q.valid_to,
    q.valid_from <= now() AND (q.valid_to IS NULL OR now() < q.valid_to) AS is_current,
    q.input_pico,
    q.cached_pico,
    q.cache_write_pico,
    q.output_pico,
    q.input_pico * 0.000001 AS input_per_1m_usd,
    q.cached_pico * 0.000001 AS cached_per_1m_usd,
    q.cache_write_pico * 0.000001 AS cache_write_per_1m_usd,
    q.output_pico * 0.000001 AS output_per_1m_usd,
    q.version AS price_version,
    q.source,
    q.is_manual
FROM (
    SELECT
        p.*,
        p.model_id AS model,
        (
            SELECT min(x.valid_from)
            FROM iwrouting_price AS x
            WHERE
                x.model_id = p.model_id
                AND x.service_tier = p.service_tier
                AND x.above_input_tokens = p.above_input_tokens
                AND x.valid_from > p.valid_from
        ) AS valid_to
    FROM iwrouting_price AS p
) AS q;

COMMENT ON VIEW rpt_prices_v1 IS
    'One row a price: what a model costs from a moment on, until the next price of its kind.';
COMMENT ON COLUMN rpt_prices_v1.model IS 'Model that it is the price of.';
COMMENT ON COLUMN rpt_prices_v1.service_tier IS 'Tier that the provider reports: default, flex, priority.';
COMMENT ON COLUMN rpt_prices_v1.above_input_tokens IS
    '0: the base price. Else the price of a whole call with more tokens of input than this.'; -- integer
COMMENT ON COLUMN rpt_prices_v1.valid_from IS 'In force from this time on (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_prices_v1.valid_to IS
    'Until the next price of this model, tier and threshold (UTC, not included); NULL for the last.'; -- timestamptz
COMMENT ON COLUMN rpt_prices_v1.is_current IS 'Whether it is in force now.'; -- boolean
COMMENT ON COLUMN rpt_prices_v1.input_pico IS 'Pico-dollars a token of input; NULL: not known.'; -- integer
COMMENT ON COLUMN rpt_prices_v1.cached_pico IS 'Pico-dollars a token of input that was read from a cache.'; -- integer
COMMENT ON COLUMN rpt_prices_v1.cache_write_pico IS
    'Pico-dollars a token of input that was written to a cache.'; -- integer
COMMENT ON COLUMN rpt_prices_v1.output_pico IS 'Pico-dollars a token of output, reasoning included.'; -- integer
COMMENT ON COLUMN rpt_prices_v1.input_per_1m_usd IS 'Dollars for a million tokens of input.'; -- numeric
COMMENT ON COLUMN rpt_prices_v1.cached_per_1m_usd IS 'Dollars for a million tokens read from a cache.'; -- numeric
COMMENT ON COLUMN rpt_prices_v1.cache_write_per_1m_usd IS 'Dollars for a million tokens written to a cache.'; -- numeric
COMMENT ON COLUMN rpt_prices_v1.output_per_1m_usd IS 'Dollars for a million tokens of output.'; -- numeric
COMMENT ON COLUMN rpt_prices_v1.price_version IS
    'Version, as the costs made with it name it (price_version of rpt_decisions_v1).';
COMMENT ON COLUMN rpt_prices_v1.source IS 'Where it comes from.';
COMMENT ON COLUMN rpt_prices_v1.is_manual IS 'Whether an operator set it: prices_sync leaves it as it is.'; -- boolean
