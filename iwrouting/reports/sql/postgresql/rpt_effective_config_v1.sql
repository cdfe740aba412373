-- The one resolver's ladder (design.md 4) in SQL: a test holds the two together. A process lives while its last
-- heartbeat is not older than 45 s, as for the sweeper.
CREATE OR REPLACE VIEW rpt_effective_config_v1 AS
WITH running AS (
    SELECT w.environment_id, count(*) AS processes
    FROM iwrouting_writer AS w
    WHERE w.environment_id <> '' AND w.ended_at IS NULL AND w.heartbeat_at > now() - interval '45 seconds'
    GROUP BY w.environment_id
),
environments AS (
    SELECT r.environment_id, r.processes FROM running AS r
    UNION ALL
    SELECT l.environment_id, 0
    FROM (
        SELECT w.environment_id
        FROM iwrouting_writer AS w
        WHERE w.environment_id <> '' AND NOT EXISTS (SELECT 1 FROM running)
        ORDER BY w.heartbeat_at DESC, w.id DESC
        LIMIT 1
    ) AS l
    UNION ALL
    SELECT '', 0
    WHERE NOT EXISTS (SELECT 1 FROM iwrouting_writer AS w WHERE w.environment_id <> '')
),
scopes AS (
    SELECT NULL::bigint AS id, '' AS slug, true AS is_enabled
    UNION ALL
    SELECT p.id, p.slug, p.enabled FROM iwrouting_project AS p
),
rungs AS (
    SELECT
        s.slug AS project,
        s.is_enabled AS is_project_enabled,
        a.name AS alias,
        a.kind,
        a.tier AS alias_tier,
        a.infer,
        a.variable,
        v.environment_id,
        v.processes,
        po.id AS project_override_id,
        btrim(po.model, E' \t\n\r') AS project_override_model,
        po.infer AS project_override_infer,
        po.expires_at AS project_override_expires_at,
        CASE
            WHEN po.id IS NULL THEN 'not_set'
            WHEN NOT po.enabled THEN 'disabled'
            WHEN po.expires_at <= now() THEN 'expired'
            WHEN po.starts_at > now() THEN 'scheduled'
            WHEN btrim(po.model, E' \t\n\r') = '' THEN 'blank'
            ELSE 'used'
        END AS project_override_state,
        go.id AS override_id,
        btrim(go.model, E' \t\n\r') AS override_model,
        go.infer AS override_infer,
        go.expires_at AS override_expires_at,
        CASE
            WHEN go.id IS NULL THEN 'not_set'
            WHEN NOT go.enabled THEN 'disabled'
            WHEN go.expires_at <= now() THEN 'expired'
            WHEN go.starts_at > now() THEN 'scheduled'
            WHEN btrim(go.model, E' \t\n\r') = '' THEN 'blank'
            ELSE 'used'
        END AS override_state,
        x.value AS environment_model,
        CASE
            WHEN a.variable = '' THEN 'not_set'
            WHEN e.id IS NULL THEN 'unreadable'
            WHEN x.value IS NULL THEN 'not_set'
            WHEN x.value = '' THEN 'blank'
            ELSE 'used'
        END AS environment_state,
        btrim(a.default_model, E' \t\n\r') AS default_model,
        CASE WHEN btrim(a.default_model, E' \t\n\r') = '' THEN 'blank' ELSE 'used' END AS default_state
    FROM environments AS v
    CROSS JOIN scopes AS s
    CROSS JOIN iwrouting_alias AS a
    LEFT JOIN iwrouting_override AS po ON po.alias_id = a.id AND po.project_id = s.id
    LEFT JOIN iwrouting_override AS go ON go.alias_id = a.id AND go.project_id IS NULL
    LEFT JOIN iwrouting_environmentsnapshot AS e ON e.id = v.environment_id
    LEFT JOIN LATERAL (SELECT btrim(e."values"::jsonb ->> a.variable) AS value) AS x ON true
),
climbed AS (
    SELECT
        r.*,
        CASE
            WHEN r.project_override_state = 'used' THEN 'project_override'
            WHEN r.override_state = 'used' THEN 'override'
            WHEN r.environment_state = 'used' THEN 'environment'
            WHEN r.default_state = 'used' THEN 'default'
        END AS source
    FROM rungs AS r
),
served AS (
    SELECT
        c.*,
        CASE c.source
            WHEN 'project_override' THEN c.project_override_model
            WHEN 'override' THEN c.override_model
            WHEN 'environment' THEN c.environment_model
            WHEN 'default' THEN c.default_model
        END AS model
    FROM climbed AS c
)
SELECT
    f.project,
    f.alias,
    f.kind,
    f.model,
    f.source,
    CASE f.source
        WHEN 'project_override' THEN f.project_override_id
        WHEN 'override' THEN f.override_id
    END AS override_id,
    CASE f.source
        WHEN 'project_override' THEN f.project_override_expires_at
        WHEN 'override' THEN f.override_expires_at
    END AS expires_at,
    f.variable,
    f.project_override_model,
    f.project_override_state,
    f.override_model,
    CASE
        WHEN f.override_state = 'used' AND f.source = 'project_override' THEN 'shadowed'
        ELSE f.override_state
    END AS override_state,
    f.environment_model,
    CASE
        WHEN f.environment_state = 'used' AND f.source IN ('project_override', 'override') THEN 'shadowed'
        ELSE f.environment_state
    END AS environment_state,
    f.default_model,
    CASE
        WHEN f.default_state = 'used' AND f.source <> 'default' THEN 'shadowed'
        ELSE f.default_state
    END AS default_state,
    coalesce(u.slug, '') AS upstream,
    f.alias_tier,
    m.tier AS model_tier,
    CASE
        WHEN m.id IS NULL THEN 'unknown'
        WHEN m.shutdown_date IS NULL THEN 'alive'
        WHEN m.shutdown_date <= (now() AT TIME ZONE 'UTC')::date THEN 'dead'
        ELSE 'dying'
    END AS lifecycle_state,
    m.shutdown_date - (now() AT TIME ZONE 'UTC')::date AS days_left,
    m.enabled AS is_model_enabled,
    f.is_project_enabled,
    f.alias = 'auto'
    AND f.infer
    AND CASE f.source
        WHEN 'project_override' THEN f.project_override_infer
        WHEN 'override' THEN f.override_infer
        ELSE true
    END AS is_inferring,
    f.environment_id,
    f.processes,
    n.number AS revision,
    n.touches = n.accounted AS is_adopted
FROM served AS f
LEFT JOIN iwrouting_model AS m ON m.model_id = f.model
LEFT JOIN iwrouting_upstream AS u ON u.id = m.upstream_id
LEFT JOIN iwrouting_revision AS n ON n.id = 1;

COMMENT ON VIEW rpt_effective_config_v1 IS
    'One row a project and alias, and one an alias for all other projects: the model that serves it now, and why.';
COMMENT ON COLUMN rpt_effective_config_v1.project IS
    'Project; empty: any project, and none, that has no override of its own.';
COMMENT ON COLUMN rpt_effective_config_v1.alias IS 'Alias.';
COMMENT ON COLUMN rpt_effective_config_v1.kind IS 'Kind of the alias: chat_mode, role or embedding.';
COMMENT ON COLUMN rpt_effective_config_v1.model IS
    'Model that serves it now; asked with messages, auto may infer a chat mode instead (is_inferring).';
COMMENT ON COLUMN rpt_effective_config_v1.source IS
    'Where the model comes from: project_override, override, environment or default.';
COMMENT ON COLUMN rpt_effective_config_v1.override_id IS
    'Number of the override that serves; NULL: none does.'; -- integer
COMMENT ON COLUMN rpt_effective_config_v1.expires_at IS
    'Until when that override does (UTC); NULL: for good.'; -- timestamptz
COMMENT ON COLUMN rpt_effective_config_v1.variable IS 'Environment variable of the alias; empty for none.';
COMMENT ON COLUMN rpt_effective_config_v1.project_override_model IS
    'Model of the project''s override; NULL: it has none.';
COMMENT ON COLUMN rpt_effective_config_v1.project_override_state IS
    'used, not_set, blank, disabled, scheduled or expired.';
COMMENT ON COLUMN rpt_effective_config_v1.override_model IS
    'Model of the override of all projects; NULL: there is none.';
COMMENT ON COLUMN rpt_effective_config_v1.override_state IS 'The same, or shadowed by the project''s.';
COMMENT ON COLUMN rpt_effective_config_v1.environment_model IS
    'Value of the variable, empty where it is blank; NULL: not set.';
COMMENT ON COLUMN rpt_effective_config_v1.environment_state IS
    'used, not_set, blank, shadowed, or unreadable where no process has told its environment yet.';
COMMENT ON COLUMN rpt_effective_config_v1.default_model IS 'Default of the alias.';
COMMENT ON COLUMN rpt_effective_config_v1.default_state IS 'used, blank or shadowed.';
COMMENT ON COLUMN rpt_effective_config_v1.upstream IS
    'Slug of the model''s upstream; empty: the one that the environment defines.';
COMMENT ON COLUMN rpt_effective_config_v1.alias_tier IS
    'Cost tier that fits the task: small, mid or strong; empty: not told.';
COMMENT ON COLUMN rpt_effective_config_v1.model_tier IS 'Cost tier of the model; NULL: not in the catalogue.';
COMMENT ON COLUMN rpt_effective_config_v1.lifecycle_state IS
    'Of the model today (UTC), as in rpt_lifecycle_v1: alive, dying, dead or unknown.';
COMMENT ON COLUMN rpt_effective_config_v1.days_left IS
    'Days until its shutdown, negative after it; NULL: none is known.'; -- integer
COMMENT ON COLUMN rpt_effective_config_v1.is_model_enabled IS
    'Whether the model is switched on; NULL: not in the catalogue.'; -- boolean
COMMENT ON COLUMN rpt_effective_config_v1.is_project_enabled IS
    'Whether the project is switched on: else its calls are refused.'; -- boolean
COMMENT ON COLUMN rpt_effective_config_v1.is_inferring IS
    'Whether a chat mode is inferred for it: auto, while every switch in force is on.'; -- boolean
COMMENT ON COLUMN rpt_effective_config_v1.environment_id IS
    'Routing variables that it is resolved under. Processes under others have rows of their own.';
COMMENT ON COLUMN rpt_effective_config_v1.processes IS
    'Living processes under them; 0: none lives, and these are the last that one had.'; -- integer
COMMENT ON COLUMN rpt_effective_config_v1.revision IS 'Revision of the configuration.'; -- integer
COMMENT ON COLUMN rpt_effective_config_v1.is_adopted IS
    'False while a change by SQL waits for config_adopt: processes keep what was before it.'; -- boolean
