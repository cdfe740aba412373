-- What counts as used is what the resolver's findings look at: overrides in force or to come, rungs that name models.
CREATE OR REPLACE VIEW rpt_lifecycle_v1 AS
WITH places AS (
    SELECT btrim(a.default_model) AS model, a.name AS alias, 'default' AS kind
    FROM iwrouting_alias AS a
    UNION ALL
    SELECT btrim(o.model), a.name, 'override'
    FROM iwrouting_override AS o
    JOIN iwrouting_alias AS a ON a.id = o.alias_id
    WHERE o.enabled AND (o.expires_at IS NULL OR o.expires_at > now())
    UNION ALL
    SELECT r.model, a.name, 'rung'
    FROM iwrouting_alias AS a
    CROSS JOIN LATERAL jsonb_array_elements_text(a.chain) AS r (model)
    WHERE NOT EXISTS (SELECT 1 FROM iwrouting_alias AS b WHERE b.name = r.model)
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
        count(DISTINCT p.alias) FILTER (WHERE p.kind = 'variable') AS variables,
        string_agg(DISTINCT p.alias, ', ' ORDER BY p.alias) AS aliases
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
        WHEN m.shutdown_date <= (now() AT TIME ZONE 'UTC')::date THEN 'dead'
        ELSE 'dying'
    END AS state,
    m.shutdown_date,
    m.shutdown_date - (now() AT TIME ZONE 'UTC')::date AS days_left,
    m.replacement,
    m.tier,
    m.enabled AS is_enabled,
    coalesce(v.slug, CASE WHEN m.id IS NOT NULL THEN '' END) AS upstream,
    coalesce(u.defaults, 0) AS used_by_defaults,
    coalesce(u.overrides, 0) AS used_by_overrides,
    coalesce(u.rungs, 0) AS used_by_rungs,
    coalesce(u.aliases, '') AS used_by,
    m.checked_on,
    coalesce(u.variables, 0) AS used_by_variables
FROM named AS n
LEFT JOIN iwrouting_model AS m ON m.model_id = n.model
LEFT JOIN iwrouting_upstream AS v ON v.id = m.upstream_id
LEFT JOIN uses AS u ON u.model = n.model;

COMMENT ON VIEW rpt_lifecycle_v1 IS
    'One row a model that the catalogue has or the matrix names: whether it lives, and where it is used.';
COMMENT ON COLUMN rpt_lifecycle_v1.model IS 'The provider''s id of the model.';
COMMENT ON COLUMN rpt_lifecycle_v1.state IS
    'Today (UTC): alive, dying (its end is announced), dead (from its last day on), or unknown to the catalogue.';
COMMENT ON COLUMN rpt_lifecycle_v1.shutdown_date IS 'The provider''s shutdown date (UTC); NULL: none.'; -- date
COMMENT ON COLUMN rpt_lifecycle_v1.days_left IS 'Days until then, negative after it.'; -- integer
COMMENT ON COLUMN rpt_lifecycle_v1.replacement IS 'What the provider names in its place; empty for none.';
COMMENT ON COLUMN rpt_lifecycle_v1.tier IS 'Cost tier: small, mid or strong; empty: not known.';
COMMENT ON COLUMN rpt_lifecycle_v1.is_enabled IS
    'Whether it is switched on; NULL for a model that the catalogue does not have.'; -- boolean
COMMENT ON COLUMN rpt_lifecycle_v1.upstream IS
    'Slug of its upstream; empty: the one that the environment defines; NULL: not in the catalogue.';
COMMENT ON COLUMN rpt_lifecycle_v1.used_by_defaults IS 'Aliases whose default it is.'; -- integer
COMMENT ON COLUMN rpt_lifecycle_v1.used_by_overrides IS 'Enabled overrides, in force or to come, of it.'; -- integer
COMMENT ON COLUMN rpt_lifecycle_v1.used_by_rungs IS 'Rungs of chains that name it.'; -- integer
COMMENT ON COLUMN rpt_lifecycle_v1.used_by IS 'The aliases of all these, with commas.';
COMMENT ON COLUMN rpt_lifecycle_v1.checked_on IS 'When these facts were last checked.'; -- date
COMMENT ON COLUMN rpt_lifecycle_v1.used_by_variables IS
    'Environment variables that name it, under which processes live (rpt_effective_config_v1).'; -- integer
