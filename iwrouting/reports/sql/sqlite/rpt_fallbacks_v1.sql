-- A fallback is the first attempt on a rung (t), with the attempt before it (f). Dropped duplicates don't count.
CREATE VIEW rpt_fallbacks_v1 AS
SELECT
    substr(t.decision_id, 1, 8) || '-' || substr(t.decision_id, 9, 4) || '-' || substr(t.decision_id, 13, 4) || '-'
        || substr(t.decision_id, 17, 4) || '-' || substr(t.decision_id, 21) AS decision_id,
    t.decision_at AS created_at,
    d.project,
    d.alias,
    f.model AS model_from,
    t.model AS model_to,
    coalesce(nullif(f.skip_reason, ''), nullif(f.error_code, ''), CAST(f.status AS TEXT), f.error_type) AS reason,
    f.rung AS rung_from,
    t.rung AS rung_to,
    o.result IN ('ok', 'ok_after_fallback')
    AND NOT EXISTS (
        SELECT 1
        FROM iwrouting_attempt AS l
        WHERE l.decision_id = t.decision_id AND l.decision_at = t.decision_at AND l.rung > t.rung
    ) AS is_served,
    o.result,
    f.status,
    f.error_code,
    f.skip_reason,
    f.upstream AS upstream_from,
    t.upstream AS upstream_to,
    d.is_test,
    t.decision_id AS decision_key
FROM iwrouting_attempt AS t
JOIN iwrouting_attempt AS f
    ON f.decision_id = t.decision_id
    AND f.decision_at = t.decision_at
    AND f.seq = (
        SELECT max(p.seq)
        FROM iwrouting_attempt AS p
        WHERE p.decision_id = t.decision_id
            AND p.decision_at = t.decision_at
            AND p.seq < t.seq
            AND p.skip_reason <> 'duplicate'
    )
    AND f.rung < t.rung
LEFT JOIN iwrouting_decision AS d ON d.id = t.decision_id AND d.decision_at = t.decision_at
LEFT JOIN iwrouting_outcome AS o
    ON o.decision_id = t.decision_id
    AND o.decision_at = t.decision_at
    AND (
        o.origin = 'server'
        OR NOT EXISTS (
            SELECT 1
            FROM iwrouting_outcome AS s
            WHERE s.decision_id = o.decision_id AND s.decision_at = o.decision_at AND s.origin = 'server'
        )
    )
WHERE t.rung > 0 AND t.skip_reason <> 'duplicate';
