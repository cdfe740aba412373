-- Cells that are behind lack calls and never have too many: marked hours are read in their quarters too, and marked
-- quarters in the raw rows.
CREATE VIEW rpt_keys_v1 AS
WITH marks AS (
    SELECT DISTINCT m.bucket_at FROM iwrouting_usagemark AS m
),
uses AS (
    SELECT c.key_id, max(c.bucket_at) AS hour
    FROM iwrouting_usagecell AS c
    WHERE c.width = 60 AND c.key_id <> ''
    GROUP BY c.key_id
    UNION ALL
    SELECT c.key_id, n.hour
    FROM (SELECT DISTINCT strftime('%Y-%m-%d %H:00:00', m.bucket_at) AS hour FROM marks AS m) AS n
    CROSS JOIN iwrouting_usagecell AS c
    WHERE c.width = 15 AND c.bucket_at >= n.hour AND c.bucket_at < datetime(n.hour, '+1 hour')
    UNION ALL
    SELECT r.key_id, strftime('%Y-%m-%d %H:00:00', m.bucket_at)
    FROM marks AS m
    CROSS JOIN iw_usage_raw AS r
    WHERE r.decision_at >= m.bucket_at AND r.decision_at < datetime(m.bucket_at, '+15 minutes')
),
used AS (
    SELECT u.key_id, max(u.hour) AS hour FROM uses AS u GROUP BY u.key_id
)
SELECT
    k.key_id,
    k.name,
    p.slug AS project,
    (SELECT coalesce(group_concat(e.value, ', '), '') FROM json_each(k.projects) AS e) AS projects,
    (SELECT coalesce(group_concat(e.value, ', '), '') FROM json_each(k.scopes) AS e) AS scopes,
    CASE WHEN json_type(k.allowed_aliases) = 'array' THEN (
        SELECT coalesce(group_concat(e.value, ', '), '') FROM json_each(k.allowed_aliases) AS e
    ) END AS allowed_aliases,
    CASE WHEN json_type(k.allowed_models) = 'array' THEN (
        SELECT coalesce(group_concat(e.value, ', '), '') FROM json_each(k.allowed_models) AS e
    ) END AS allowed_models,
    CASE
        WHEN k.revoked_at <= strftime('%Y-%m-%d %H:%M:%f000', 'now') THEN 'revoked'
        WHEN k.expires_at <= strftime('%Y-%m-%d %H:%M:%f000', 'now') THEN 'expired'
        ELSE 'active'
    END AS state,
    k.created_at,
    k.created_by,
    k.expires_at,
    k.revoked_at,
    l.hour AS last_used_at
FROM iwrouting_apikey AS k
JOIN iwrouting_project AS p ON p.id = k.project_id
LEFT JOIN used AS l ON l.key_id = k.key_id;
