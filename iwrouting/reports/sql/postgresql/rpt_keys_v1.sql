-- Cells that are behind lack calls and never have too many: marked hours are read in their quarters too, and marked
-- quarters in the raw rows. OFFSET 0: each by the index; the planner takes a join by a range for a large one.
CREATE OR REPLACE VIEW rpt_keys_v1 AS
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
    FROM (SELECT DISTINCT date_bin('1 hour', m.bucket_at, '2000-01-01 00:00:00+00') AS hour FROM marks AS m) AS n
    CROSS JOIN LATERAL (
        SELECT q.key_id
        FROM iwrouting_usagecell AS q
        WHERE q.width = 15 AND q.bucket_at >= n.hour AND q.bucket_at < n.hour + interval '1 hour'
        OFFSET 0
    ) AS c
    UNION ALL
    SELECT r.key_id, date_bin('1 hour', m.bucket_at, '2000-01-01 00:00:00+00')
    FROM marks AS m
    CROSS JOIN LATERAL (
        SELECT w.key_id
        FROM iw_usage_raw AS w
        WHERE w.decision_at >= m.bucket_at AND w.decision_at < m.bucket_at + interval '15 minutes'
        OFFSET 0
    ) AS r
),
used AS (
    SELECT u.key_id, max(u.hour) AS hour FROM uses AS u GROUP BY u.key_id
)
SELECT
    k.key_id,
    k.name,
    p.slug AS project,
    (
        SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
        FROM jsonb_array_elements_text(k.projects) WITH ORDINALITY AS e (item, place)
    ) AS projects,
    (
        SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
        FROM jsonb_array_elements_text(k.scopes) WITH ORDINALITY AS e (item, place)
    ) AS scopes,
    CASE WHEN jsonb_typeof(k.allowed_aliases) = 'array' THEN (
        SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
        FROM jsonb_array_elements_text(k.allowed_aliases) WITH ORDINALITY AS e (item, place)
    ) END AS allowed_aliases,
    CASE WHEN jsonb_typeof(k.allowed_models) = 'array' THEN (
        SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
        FROM jsonb_array_elements_text(k.allowed_models) WITH ORDINALITY AS e (item, place)
    ) END AS allowed_models,
    CASE
        WHEN k.revoked_at <= now() THEN 'revoked'
        WHEN k.expires_at <= now() THEN 'expired'
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

COMMENT ON VIEW rpt_keys_v1 IS
    'One row an API key: what it may do, and when it was last used. Its usage: rpt_usage_hourly_v1 by key_id.';
COMMENT ON COLUMN rpt_keys_v1.key_id IS 'Public id of the key, as in rpt_decisions_v1.';
COMMENT ON COLUMN rpt_keys_v1.name IS 'Who or what uses it.';
COMMENT ON COLUMN rpt_keys_v1.project IS 'Project that its calls count for.';
COMMENT ON COLUMN rpt_keys_v1.projects IS 'Further projects that it may name, with commas; *: all.';
COMMENT ON COLUMN rpt_keys_v1.scopes IS 'What it may do: any of resolve, call, read_audit, manage, with commas.';
COMMENT ON COLUMN rpt_keys_v1.allowed_aliases IS 'Aliases that it may ask for, with commas; NULL: all.';
COMMENT ON COLUMN rpt_keys_v1.allowed_models IS
    'Models that it may reach, with commas; NULL: what its aliases reach, and every enabled one.';
COMMENT ON COLUMN rpt_keys_v1.state IS 'Now: active, expired or revoked.';
COMMENT ON COLUMN rpt_keys_v1.created_at IS 'When it was made (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_keys_v1.created_by IS 'Who made it; empty: not known.';
COMMENT ON COLUMN rpt_keys_v1.expires_at IS 'Refused from then on (UTC); NULL: never.'; -- timestamptz
COMMENT ON COLUMN rpt_keys_v1.revoked_at IS
    'Refused from then on (UTC), since somebody revoked it; NULL: nobody did.'; -- timestamptz
COMMENT ON COLUMN rpt_keys_v1.last_used_at IS
    'Begin of the hour in which its last call that ended was decided (UTC); NULL: none is known.'; -- timestamptz
