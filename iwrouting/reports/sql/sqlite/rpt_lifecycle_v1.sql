-- What counts as used is what the resolver's findings look at: overrides in force or to come, rungs that name models.
CREATE VIEW rpt_lifecycle_v1 AS
WITH places AS (
    SELECT trim(a.default_model) AS model, a.name AS alias, 'default' AS kind
    FROM iwrouting_alias AS a
    UNION ALL
    SELECT trim(o.model), a.name, 'override'
    FROM iwrouting_override AS o
    JOIN iwrouting_alias AS a ON a.id = o.alias_id
    WHERE o.enabled AND (o.expires_at IS NULL OR o.expires_at > strftime('%Y-%m-%d %H:%M:%f000', 'now'))
    UNION ALL
    SELECT r.value, a.name, 'rung'
    FROM iwrouting_alias AS a
    JOIN json_each(a.chain) AS r
    WHERE NOT EXISTS (SELECT 1 FROM iwrouting_alias AS b WHERE b.name = r.value)
    UNION ALL
    SELECT DISTINCT f.environment_model, f.alias, 'variable'
    FROM rpt_effective_config_v1 AS f
    WHERE f.project = '' AND f.environment_state IN ('used', 'shadowed')
),
uses AS (
    SELECT
        p.model,
        count(*) FILTER (WHERE p.kind = 'default') AS defaults,
        count(*) FILTER (WHERE p.kind = 'override') AS overrides,
        count(*) FILTER (WHERE p.kind = 'rung') AS rungs,
        count(DISTINCT p.alias) FILTER (WHERE p.kind = 'variable') AS variables
    FROM places AS p
    WHERE p.model <> ''
    GROUP BY p.model
),
named AS (
    SELECT m.model_id AS model FROM iwrouting_model AS m
    UNION
    SELECT u.model FROM uses AS u
)
SELECT
    n.model,
    CASE
        WHEN m.id IS NULL THEN 'unknown'
        WHEN m.shutdown_date IS NULL THEN 'alive'
        WHEN m.shutdown_date <= date('now') THEN 'dead'
        ELSE 'dying'
    END AS state,
    m.shutdown_date,
    CAST(julianday(m.shutdown_date) - julianday(date('now')) AS INTEGER) AS days_left,
    m.replacement,
    m.tier,
    m.enabled AS is_enabled,
    coalesce(v.slug, CASE WHEN m.id IS NOT NULL THEN '' END) AS upstream,
    coalesce(u.defaults, 0) AS used_by_defaults,
    coalesce(u.overrides, 0) AS used_by_overrides,
    coalesce(u.rungs, 0) AS used_by_rungs,
    coalesce(
        (
            SELECT group_concat(d.alias, ', ')
            FROM (SELECT DISTINCT p.alias FROM places AS p WHERE p.model = n.model ORDER BY p.alias) AS d
        ),
        ''
    ) AS used_by,
    m.checked_on,
    coalesce(u.variables, 0) AS used_by_variables
FROM named AS n
LEFT JOIN iwrouting_model AS m ON m.model_id = n.model
LEFT JOIN iwrouting_upstream AS v ON v.id = m.upstream_id
LEFT JOIN uses AS u ON u.model = n.model;
