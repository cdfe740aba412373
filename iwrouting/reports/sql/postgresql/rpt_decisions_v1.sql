CREATE OR REPLACE VIEW rpt_decisions_v1 AS
SELECT
    d.id::text AS decision_id,
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
            SELECT count(*)::integer
            FROM iwrouting_attempt AS a
            WHERE a.decision_id = d.id AND a.decision_at = d.decision_at AND a.kind = 'call'
        )
    END AS attempts,
    CASE
        WHEN o.origin = 'server' THEN o.fallbacks
        ELSE (
            SELECT greatest(count(DISTINCT a.rung) - 1, 0)::integer
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
    o.cost_pico * 0.000000000001 AS cost_usd,
    o.cost_state,
    round(o.latency_us / 1000.0)::integer AS latency_ms,
    round(o.first_byte_us / 1000.0)::integer AS first_byte_ms,
    round(o.overhead_us / 1000.0)::integer AS overhead_ms,
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
    json_array_length(d.warnings::json) AS warnings,
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
    translate(d.tags, '[]"', '') AS tags
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

COMMENT ON VIEW rpt_decisions_v1 IS 'One row a decision: who asked for what, what was decided, how it ended.';
COMMENT ON COLUMN rpt_decisions_v1.decision_id IS 'Id of the decision, as in the header x-iw-decision-id.';
COMMENT ON COLUMN rpt_decisions_v1.created_at IS
    'When it was decided (UTC). Filter by it: whole months are then left unread.'; -- timestamptz
COMMENT ON COLUMN rpt_decisions_v1.project IS 'Slug of the project, or the unknown name that the caller sent.';
COMMENT ON COLUMN rpt_decisions_v1.alias IS 'Alias asked for; empty for a named model.';
COMMENT ON COLUMN rpt_decisions_v1.kind IS 'Kind of the alias: chat_mode, role or embedding.';
COMMENT ON COLUMN rpt_decisions_v1.inferred_mode IS 'Chat mode that auto was taken for.';
COMMENT ON COLUMN rpt_decisions_v1.source IS
    'Where the model came from: project_override, override, environment, default or explicit.';
COMMENT ON COLUMN rpt_decisions_v1.model_asked IS 'The caller''s text in the field model.';
COMMENT ON COLUMN rpt_decisions_v1.model_resolved IS 'Model that was decided: rung 0 of the chain.';
COMMENT ON COLUMN rpt_decisions_v1.model_served IS 'Model that answered; empty when none did.';
COMMENT ON COLUMN rpt_decisions_v1.upstream IS 'Slug of the upstream that answered, else of the one decided.';
COMMENT ON COLUMN rpt_decisions_v1.endpoint IS
    'What the caller used: chat, responses, embeddings, or responses.get and the like for a stored response.';
COMMENT ON COLUMN rpt_decisions_v1.is_stream IS 'Whether a stream was asked for.'; -- boolean
COMMENT ON COLUMN rpt_decisions_v1.is_test IS 'Whether it is test traffic.'; -- boolean
COMMENT ON COLUMN rpt_decisions_v1.result IS 'How it ended, such as ok, ok_after_fallback or error; NULL while open.';
COMMENT ON COLUMN rpt_decisions_v1.error_code IS 'Code of the error that the caller got.';
COMMENT ON COLUMN rpt_decisions_v1.attempts IS 'Upstream calls made; rungs passed over are not counted.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.fallbacks IS
    'How often it went on to the next rung; rungs dropped as duplicates are not counted.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.prompt_tokens IS 'Tokens of input, the cached ones included.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.cached_tokens IS 'Tokens of input that the provider had cached.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.completion_tokens IS 'Tokens of output, the reasoning ones included.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.reasoning_tokens IS 'Tokens of output spent on reasoning.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.tokens_source IS 'Who counted the tokens: provider, tiktoken or bytes.';
COMMENT ON COLUMN rpt_decisions_v1.cost_pico IS
    'Cost in pico-dollars (1 dollar = 1,000,000,000,000); NULL when unpriced. Sum this one.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.cost_usd IS 'Cost in dollars, to read.'; -- numeric
COMMENT ON COLUMN rpt_decisions_v1.cost_state IS 'exact, estimated, unpriced, or none when nothing was sent.';
COMMENT ON COLUMN rpt_decisions_v1.latency_ms IS 'Milliseconds from the request to the end of the answer.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.first_byte_ms IS
    'Milliseconds to the first byte, counted from sending the try that served.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.overhead_ms IS 'Milliseconds spent in this service and not upstream.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.revision IS 'Revision of the configuration that decided.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.run_id IS 'Run that the caller named (x-iw-run-id).';
COMMENT ON COLUMN rpt_decisions_v1.request_id IS 'Id of the request (x-request-id).';
COMMENT ON COLUMN rpt_decisions_v1.key_id IS 'Public id of the API key.';
COMMENT ON COLUMN rpt_decisions_v1.origin IS
    'Who closed the decision: server, or sweeper after a crash. Where both did, server is shown.';
COMMENT ON COLUMN rpt_decisions_v1.ended_at IS 'When it ended (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_decisions_v1.status IS 'HTTP status of the answer.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.error_type IS 'Type of the error that the caller got.';
COMMENT ON COLUMN rpt_decisions_v1.error_param IS 'Parameter that the error names.';
COMMENT ON COLUMN rpt_decisions_v1.finish_reason IS 'Why the model stopped.';
COMMENT ON COLUMN rpt_decisions_v1.endpoint_served IS 'Endpoint that was called upstream.';
COMMENT ON COLUMN rpt_decisions_v1.cache_write_tokens IS 'Tokens of input that the provider newly cached.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.price_version IS 'Version of the price that made the cost.';
COMMENT ON COLUMN rpt_decisions_v1.reason IS 'Why auto was taken for its mode.';
COMMENT ON COLUMN rpt_decisions_v1.warnings IS 'Number of warnings.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.estimate_tokens IS 'Tokens of input estimated before the call.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.estimate_source IS
    'How they were estimated: bytes, tiktoken, or tiktoken_guess for a model whose tokenizer is not known.';
COMMENT ON COLUMN rpt_decisions_v1.environment_id IS 'Id of the routing variables'' values that decided.';
COMMENT ON COLUMN rpt_decisions_v1.catalogue_version IS 'Version of the catalogue of models that decided.';
COMMENT ON COLUMN rpt_decisions_v1.rules_version IS 'Version of the rules that infer a mode.';
COMMENT ON COLUMN rpt_decisions_v1.app_version IS 'Version of the service.';
COMMENT ON COLUMN rpt_decisions_v1.project_external_id IS 'InfinityWindow''s id of the project.';
COMMENT ON COLUMN rpt_decisions_v1.client_retry IS
    'The caller''s own count of retries, where its client sends it.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.bytes_delivered IS 'Bytes of the answer that were delivered.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.chunks_delivered IS 'Chunks of a stream that were delivered.'; -- integer
COMMENT ON COLUMN rpt_decisions_v1.decision_key IS
    'The id as the database stores it: look up and join by this one, an index serves it.'; -- uuid
COMMENT ON COLUMN rpt_decisions_v1.tags IS 'Tags that the caller gave (x-iw-tags), joined by commas; they hold none.'; -- text
