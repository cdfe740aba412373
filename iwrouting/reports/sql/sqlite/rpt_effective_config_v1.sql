-- The one resolver's ladder (design.md 4) in SQL: a test holds the two together. A process lives while its last
-- heartbeat is not older than 45 s, as for the sweeper.
CREATE VIEW rpt_effective_config_v1 AS
WITH running AS (
    SELECT w.environment_id, count(*) AS processes
    FROM iwrouting_writer AS w
    WHERE
        w.environment_id <> ''
        AND w.ended_at IS NULL
        AND w.heartbeat_at > strftime('%Y-%m-%d %H:%M:%f000', 'now', '-45 seconds')
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
    SELECT NULL AS id, '' AS slug, 1 AS is_enabled
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
        trim(po.model, ' ' || char(9, 10, 13)) AS project_override_model,
        po.infer AS project_override_infer,
        po.expires_at AS project_override_expires_at,
        CASE
            WHEN po.id IS NULL THEN 'not_set'
            WHEN NOT po.enabled THEN 'disabled'
            WHEN po.expires_at <= strftime('%Y-%m-%d %H:%M:%f000', 'now') THEN 'expired'
            WHEN po.starts_at > strftime('%Y-%m-%d %H:%M:%f000', 'now') THEN 'scheduled'
            WHEN trim(po.model, ' ' || char(9, 10, 13)) = '' THEN 'blank'
            ELSE 'used'
        END AS project_override_state,
        go.id AS override_id,
        trim(go.model, ' ' || char(9, 10, 13)) AS override_model,
        go.infer AS override_infer,
        go.expires_at AS override_expires_at,
        CASE
            WHEN go.id IS NULL THEN 'not_set'
            WHEN NOT go.enabled THEN 'disabled'
            WHEN go.expires_at <= strftime('%Y-%m-%d %H:%M:%f000', 'now') THEN 'expired'
            WHEN go.starts_at > strftime('%Y-%m-%d %H:%M:%f000', 'now') THEN 'scheduled'
            WHEN trim(go.model, ' ' || char(9, 10, 13)) = '' THEN 'blank'
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
        trim(a.default_model, ' ' || char(9, 10, 13)) AS default_model,
        CASE WHEN trim(a.default_model, ' ' || char(9, 10, 13)) = '' THEN 'blank' ELSE 'used' END AS default_state
    FROM environments AS v
    CROSS JOIN scopes AS s
    CROSS JOIN iwrouting_alias AS a
    LEFT JOIN iwrouting_override AS po ON po.alias_id = a.id AND po.project_id = s.id
    LEFT JOIN iwrouting_override AS go ON go.alias_id = a.id AND go.project_id IS NULL
    LEFT JOIN iwrouting_environmentsnapshot AS e ON e.id = v.environment_id
    LEFT JOIN json_each(e."values") AS x ON x.key = a.variable
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
        WHEN m.shutdown_date <= date('now') THEN 'dead'
        ELSE 'dying'
    END AS lifecycle_state,
    CAST(julianday(m.shutdown_date) - julianday(date('now')) AS INTEGER) AS days_left,
    m.enabled AS is_model_enabled,
    f.is_project_enabled,
    f.alias = 'auto'
    AND f.infer
    AND CASE f.source
        WHEN 'project_override' THEN f.project_override_infer
        WHEN 'override' THEN f.override_infer
        ELSE 1
    END AS is_inferring,
    f.environment_id,
    f.processes,
    n.number AS revision,
    n.touches = n.accounted AS is_adopted
FROM served AS f
LEFT JOIN iwrouting_model AS m ON m.model_id = f.model
LEFT JOIN iwrouting_upstream AS u ON u.id = m.upstream_id
LEFT JOIN iwrouting_revision AS n ON n.id = 1;
