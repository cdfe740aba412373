CREATE VIEW rpt_attempts_v1 AS
SELECT
    substr(a.decision_id, 1, 8) || '-' || substr(a.decision_id, 9, 4) || '-' || substr(a.decision_id, 13, 4) || '-'
        || substr(a.decision_id, 17, 4) || '-' || substr(a.decision_id, 21) AS decision_id,
    a.decision_at AS created_at,
    d.project,
    d.alias,
    a.seq,
    a.kind,
    a.rung,
    a."try",
    a.batch,
    a.model,
    a.upstream,
    a.endpoint,
    a.skip_reason,
    a.status,
    a.error_type,
    a.error_code,
    a.error_param,
    a.upstream_request_id,
    a.retry_after_ms,
    a.sent_at,
    CAST(round(a.first_byte_us / 1000.0) AS INTEGER) AS first_byte_ms,
    CAST(round(a.end_us / 1000.0) AS INTEGER) AS duration_ms,
    a.bytes_sent,
    a.bytes_received,
    a.chunks,
    json_array_length(a.changes) AS changes,
    a.alias AS rung_alias,
    d.is_test,
    a.decision_id AS decision_key
FROM iwrouting_attempt AS a
LEFT JOIN iwrouting_decision AS d ON d.id = a.decision_id AND d.decision_at = a.decision_at;
