CREATE VIEW rpt_decisions_v1 AS
SELECT
    substr(d.id, 1, 8) || '-' || substr(d.id, 9, 4) || '-' || substr(d.id, 13, 4) || '-'
        || substr(d.id, 17, 4) || '-' || substr(d.id, 21) AS decision_id,
    d.decision_at AS created_at,
    d.project,
    d.alias,
    d.kind,
    d.inferred_mode,
    d.source,
    d.model_asked,
    d.model_resolved,
    o.model_served,
    coalesce(nullif(o.upstream_served, ''), d.upstream) AS upstream,
    d.endpoint,
    d.is_stream,
    d.is_test,
    o.result,
    o.error_code,
    CASE
        WHEN o.origin = 'server' THEN o.calls
        ELSE (
            SELECT count(*)
            FROM iwrouting_attempt AS a
            WHERE a.decision_id = d.id AND a.decision_at = d.decision_at AND a.kind = 'call'
        )
    END AS attempts,
    CASE
        WHEN o.origin = 'server' THEN o.fallbacks
        ELSE (
            SELECT max(count(DISTINCT a.rung) - 1, 0)
            FROM iwrouting_attempt AS a
            WHERE a.decision_id = d.id AND a.decision_at = d.decision_at AND a.skip_reason <> 'duplicate'
        )
    END AS fallbacks,
    o.prompt_tokens,
    o.cached_tokens,
    o.completion_tokens,
    o.reasoning_tokens,
    o.tokens_source,
    o.cost_pico,
    o.cost_pico / 1e12 AS cost_usd,
    o.cost_state,
    CAST(round(o.latency_us / 1000.0) AS INTEGER) AS latency_ms,
    CAST(round(o.first_byte_us / 1000.0) AS INTEGER) AS first_byte_ms,
    CAST(round(o.overhead_us / 1000.0) AS INTEGER) AS overhead_ms,
    d.revision,
    d.run_id,
    d.request_id,
    d.key_id,
    o.origin,
    o.ended_at,
    o.status,
    o.error_type,
    o.error_param,
    o.finish_reason,
    o.endpoint_served,
    o.cache_write_tokens,
    o.price_version,
    d.reason,
    json_array_length(d.warnings) AS warnings,
    d.estimate_tokens,
    d.estimate_source,
    d.environment_id,
    d.catalogue_version,
    d.rules_version,
    d.app_version,
    d.project_external_id,
    d.client_retry,
    o.bytes_delivered,
    o.chunks_delivered,
    d.id AS decision_key,
    replace(replace(replace(d.tags, '[', ''), ']', ''), '"', '') AS tags
FROM iwrouting_decision AS d
LEFT JOIN iwrouting_outcome AS o
    ON o.decision_id = d.id
    AND o.decision_at = d.decision_at
    AND (
        o.origin = 'server'
        OR NOT EXISTS (
            SELECT 1
            FROM iwrouting_outcome AS s
            WHERE s.decision_id = o.decision_id AND s.decision_at = o.decision_at AND s.origin = 'server'
        )
    );
