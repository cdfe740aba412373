CREATE OR REPLACE VIEW rpt_attempts_v1 AS
SELECT
    a.decision_id::text AS decision_id,
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
    round(a.first_byte_us / 1000.0)::integer AS first_byte_ms,
    round(a.end_us / 1000.0)::integer AS duration_ms,
    a.bytes_sent,
    a.bytes_received,
    a.chunks,
    json_array_length(a.changes::json) AS changes,
    a.alias AS rung_alias,
    d.is_test,
    a.decision_id AS decision_key
FROM iwrouting_attempt AS a
LEFT JOIN iwrouting_decision AS d ON d.id = a.decision_id AND d.decision_at = a.decision_at;

COMMENT ON VIEW rpt_attempts_v1 IS
    'One row an attempt: a try at a rung (kind call), or a rung passed over (kind skip).';
COMMENT ON COLUMN rpt_attempts_v1.decision_id IS 'Id of the decision.';
COMMENT ON COLUMN rpt_attempts_v1.created_at IS
    'When the decision was made (UTC). Filter by it: whole months are then left unread.'; -- timestamptz
COMMENT ON COLUMN rpt_attempts_v1.project IS 'Project of the decision.';
COMMENT ON COLUMN rpt_attempts_v1.alias IS 'Alias that the caller asked for; empty for a named model.';
COMMENT ON COLUMN rpt_attempts_v1.seq IS
    'Position in the decision, from 1. Upstream it is sent as <decision id>-<seq>.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.kind IS 'call: sent upstream. skip: passed over.';
COMMENT ON COLUMN rpt_attempts_v1.rung IS 'Rung of the chain; 0 is the primary.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1."try" IS 'Which try at this rung, from 1.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.batch IS
    'Number of the batch of an embeddings request, from 0; NULL for other endpoints.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.model IS 'Model of the rung.';
COMMENT ON COLUMN rpt_attempts_v1.upstream IS 'Slug of the upstream.';
COMMENT ON COLUMN rpt_attempts_v1.endpoint IS 'Endpoint called upstream: chat, responses or embeddings.';
COMMENT ON COLUMN rpt_attempts_v1.skip_reason IS
    'Why it was passed over, such as model_disabled or endpoint_unsupported.';
COMMENT ON COLUMN rpt_attempts_v1.status IS
    'HTTP status that the upstream answered; NULL when it did not answer.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.error_type IS 'Type of the error.';
COMMENT ON COLUMN rpt_attempts_v1.error_code IS 'Code of the error.';
COMMENT ON COLUMN rpt_attempts_v1.error_param IS 'Parameter that the error names.';
COMMENT ON COLUMN rpt_attempts_v1.upstream_request_id IS 'The provider''s id of the request.';
COMMENT ON COLUMN rpt_attempts_v1.retry_after_ms IS 'Milliseconds that the provider asked to wait.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.sent_at IS 'When it was sent (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_attempts_v1.first_byte_ms IS 'Milliseconds from sending to the first byte.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.duration_ms IS 'Milliseconds from sending to the end.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.bytes_sent IS 'Bytes of the request''s body.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.bytes_received IS 'Bytes of the answer''s body.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.chunks IS 'Chunks of a stream.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.changes IS 'Number of parameters changed for this model.'; -- integer
COMMENT ON COLUMN rpt_attempts_v1.rung_alias IS 'Alias of the rung; empty for a named model.';
COMMENT ON COLUMN rpt_attempts_v1.is_test IS 'Whether it is test traffic.'; -- boolean
COMMENT ON COLUMN rpt_attempts_v1.decision_key IS
    'The decision''s id as the database stores it: look up and join by this one.'; -- uuid
