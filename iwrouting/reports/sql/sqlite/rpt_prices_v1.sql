CREATE VIEW rpt_prices_v1 AS
SELECT
    q.model,
    q.service_tier,
    q.above_input_tokens,
    q.valid_from,
    q.valid_to,
    q.valid_from <= strftime('%Y-%m-%d %H:%M:%f000', 'now')
    AND (q.valid_to IS NULL OR strftime('%Y-%m-%d %H:%M:%f000', 'now') < q.valid_to) AS is_current,
    q.input_pico,
    q.cached_pico,
    q.cache_write_pico,
    q.output_pico,
    q.input_pico / 1e6 AS input_per_1m_usd,
    q.cached_pico / 1e6 AS cached_per_1m_usd,
    q.cache_write_pico / 1e6 AS cache_write_per_1m_usd,
    q.output_pico / 1e6 AS output_per_1m_usd,
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
