-- A fallback is the first attempt on a rung (t), with the attempt before it (f). Dropped duplicates don't count.
CREATE OR REPLACE VIEW rpt_fallbacks_v1 AS
SELECT
    t.decision_id::text AS decision_id,
    t.decision_at AS created_at,
    d.project,
    d.alias,
    f.model AS model_from,
    t.model AS model_to,
    coalesce(nullif(f.skip_reason, ''), nullif(f.error_code, ''), f.status::text, f.error_type) AS reason,
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

COMMENT ON VIEW rpt_fallbacks_v1 IS 'One row a fallback: a decision went on from one rung to the next.';
COMMENT ON COLUMN rpt_fallbacks_v1.decision_id IS 'Id of the decision.';
COMMENT ON COLUMN rpt_fallbacks_v1.created_at IS
    'When the decision was made (UTC). Filter by it: whole months are then left unread.'; -- timestamptz
COMMENT ON COLUMN rpt_fallbacks_v1.project IS 'Project of the decision.';
COMMENT ON COLUMN rpt_fallbacks_v1.alias IS 'Alias that the caller asked for; empty for a named model.';
COMMENT ON COLUMN rpt_fallbacks_v1.model_from IS 'Model that was left.';
COMMENT ON COLUMN rpt_fallbacks_v1.model_to IS 'Model of the next rung.';
COMMENT ON COLUMN rpt_fallbacks_v1.reason IS
    'Why it was left: the skip reason, else the error''s code, else its status, else its type.';
COMMENT ON COLUMN rpt_fallbacks_v1.rung_from IS 'Rung that was left; 0 is the primary.'; -- integer
COMMENT ON COLUMN rpt_fallbacks_v1.rung_to IS 'Rung gone on to.'; -- integer
COMMENT ON COLUMN rpt_fallbacks_v1.is_served IS
    'Whether the rung gone on to gave the whole answer; NULL while open.'; -- boolean
COMMENT ON COLUMN rpt_fallbacks_v1.result IS 'How the decision ended; NULL while open.';
COMMENT ON COLUMN rpt_fallbacks_v1.status IS
    'HTTP status of the rung that was left; NULL when it was passed over or did not answer.'; -- integer
COMMENT ON COLUMN rpt_fallbacks_v1.error_code IS 'Code of the error of the rung that was left.';
COMMENT ON COLUMN rpt_fallbacks_v1.skip_reason IS 'Why the rung that was left had been passed over.';
COMMENT ON COLUMN rpt_fallbacks_v1.upstream_from IS 'Upstream that was left.';
COMMENT ON COLUMN rpt_fallbacks_v1.upstream_to IS 'Upstream of the next rung.';
COMMENT ON COLUMN rpt_fallbacks_v1.is_test IS 'Whether it is test traffic.'; -- boolean
COMMENT ON COLUMN rpt_fallbacks_v1.decision_key IS
    'The decision''s id as the database stores it: look up and join by this one.'; -- uuid
