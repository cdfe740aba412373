-- A version lasts until the next history row of its row; a delete is an end and no version.
CREATE VIEW rpt_config_history_v1 AS
SELECT
    h.object_type,
    h.object_id,
    h.name,
    h.at AS valid_from,
    n.at AS valid_to,
    n.revision IS NULL AS is_current,
    h.revision,
    n.revision AS revision_to,
    h.operation,
    n.operation AS ended_by,
    c.author,
    c.via,
    c.reason,
    CASE h.object_type WHEN 'alias' THEN h.name WHEN 'override' THEN json_extract(h.content, '$.alias') END AS alias,
    CASE
        WHEN h.object_type = 'project' THEN h.name
        WHEN h.object_type IN ('override', 'key') THEN coalesce(json_extract(h.content, '$.project'), '')
    END AS project,
    CASE h.object_type
        WHEN 'model' THEN h.name
        WHEN 'price' THEN json_extract(h.content, '$.model_id')
        WHEN 'override' THEN json_extract(h.content, '$.model')
    END AS model,
    CASE h.object_type
        WHEN 'upstream' THEN h.name
        WHEN 'model' THEN coalesce(json_extract(h.content, '$.upstream'), '')
    END AS upstream,
    json_extract(h.content, '$.kind') AS kind,
    json_extract(h.content, '$.enabled') AS is_enabled,
    json_extract(h.content, '$.infer') AS is_infer,
    json_extract(h.content, '$.default_model') AS default_model,
    json_extract(h.content, '$.variable') AS variable,
    CASE
        WHEN h.object_type = 'alias'
            THEN (SELECT coalesce(group_concat(e.value, ', '), '') FROM json_each(h.content, '$.chain') AS e)
    END AS chain,
    json_extract(h.content, '$.tier') AS tier,
    replace(replace(json_extract(h.content, '$.starts_at'), 'T', ' '), 'Z', '') AS starts_at,
    replace(replace(json_extract(h.content, '$.expires_at'), 'T', ' '), 'Z', '') AS expires_at,
    replace(replace(json_extract(h.content, '$.revoked_at'), 'T', ' '), 'Z', '') AS revoked_at,
    CASE WHEN h.object_type = 'override' THEN json_extract(h.content, '$.reason') END AS override_reason,
    json_extract(h.content, '$.shutdown_date') AS shutdown_date,
    json_extract(h.content, '$.replacement') AS replacement,
    json_extract(h.content, '$.service_tier') AS service_tier,
    json_extract(h.content, '$.above_input_tokens') AS above_input_tokens,
    replace(replace(json_extract(h.content, '$.valid_from'), 'T', ' '), 'Z', '') AS price_starts_at,
    json_extract(h.content, '$.input_pico') AS input_pico,
    json_extract(h.content, '$.cached_pico') AS cached_pico,
    json_extract(h.content, '$.cache_write_pico') AS cache_write_pico,
    json_extract(h.content, '$.output_pico') AS output_pico,
    CASE WHEN h.object_type = 'price' THEN json_extract(h.content, '$.version') END AS price_version,
    CASE
        WHEN h.object_type = 'key'
            THEN (SELECT coalesce(group_concat(e.value, ', '), '') FROM json_each(h.content, '$.scopes') AS e)
    END AS scopes,
    CASE
        WHEN h.object_type = 'project' THEN coalesce(json_extract(h.content, '$.external_id'), '')
    END AS external_id,
    json_extract(h.content, '$.owner') AS owner,
    json_extract(h.content, '$.max_context_tokens') AS max_context_tokens,
    json_extract(h.content, '$.max_run_tokens') AS max_run_tokens,
    CAST(round(json_extract(h.content, '$.deadline_s') * 1000) AS INTEGER) AS deadline_ms,
    json_extract(h.content, '$.base_url') AS base_url
FROM iwrouting_historyrow AS h
LEFT JOIN iwrouting_historyrow AS n
    ON n.object_type = h.object_type
    AND n.object_id = h.object_id
    AND n.revision = (
        SELECT min(x.revision)
        FROM iwrouting_historyrow AS x
        WHERE x.object_type = h.object_type AND x.object_id = h.object_id AND x.revision > h.revision
    )
LEFT JOIN iwrouting_change AS c ON c.revision = h.revision
WHERE h.operation <> 'delete';
