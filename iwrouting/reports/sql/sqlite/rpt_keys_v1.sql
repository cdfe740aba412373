-- When a key was last used stands in the cells of days, and for days that are marked in their quarters and raw rows.
-- A cell that is behind lacks calls and never has too many.
CREATE VIEW rpt_keys_v1 AS
WITH days AS (
    SELECT c.key_id, max(c.bucket_at) AS day
    FROM iwrouting_usagecell AS c
    WHERE c.width = 1440 AND c.key_id <> ''
    GROUP BY c.key_id
),
marked AS (
    SELECT q.key_id, max(q.bucket_at) AS bucket_at
    FROM (
        SELECT c.key_id, c.bucket_at
        FROM (SELECT DISTINCT datetime(m.bucket_at, 'start of day') AS day FROM iwrouting_usagemark AS m) AS n
        JOIN iwrouting_usagecell AS c
            ON c.width = 15 AND c.bucket_at >= n.day AND c.bucket_at < datetime(n.day, '+1 day')
        UNION ALL
        SELECT r.key_id, n.bucket_at
        FROM (SELECT DISTINCT m.bucket_at FROM iwrouting_usagemark AS m) AS n
        JOIN iw_usage_raw AS r ON r.decision_at >= n.bucket_at AND r.decision_at < datetime(n.bucket_at, '+15 minutes')
    ) AS q
    GROUP BY q.key_id
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
    nullif(
        max(
            coalesce(
                (
                    SELECT max(c.bucket_at)
                    FROM iwrouting_usagecell AS c
                    WHERE
                        c.width = 15
                        AND c.bucket_at >= d.day
                        AND c.bucket_at < datetime(d.day, '+1 day')
                        AND c.key_id = k.key_id
                ),
                ''
            ),
            coalesce(d.day, ''),
            coalesce(b.bucket_at, '')
        ),
        ''
    ) AS last_used_at
FROM iwrouting_apikey AS k
JOIN iwrouting_project AS p ON p.id = k.project_id
LEFT JOIN days AS d ON d.key_id = k.key_id
LEFT JOIN marked AS b ON b.key_id = k.key_id;
