-- A version lasts until the next history row of its row; a delete is an end and no version.
CREATE OR REPLACE VIEW rpt_config_history_v1 AS
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
    CASE h.object_type WHEN 'alias' THEN h.name WHEN 'override' THEN r.alias END AS alias,
    CASE
        WHEN h.object_type = 'project' THEN h.name
        WHEN h.object_type IN ('override', 'key') THEN coalesce(r.project, '')
    END AS project,
    CASE h.object_type WHEN 'model' THEN h.name WHEN 'price' THEN r.model_id WHEN 'override' THEN r.model END AS model,
    CASE h.object_type WHEN 'upstream' THEN h.name WHEN 'model' THEN coalesce(r.upstream, '') END AS upstream,
    r.kind,
    r.enabled AS is_enabled,
    r.infer AS is_infer,
    r.default_model,
    r.variable,
    CASE
        WHEN h.object_type = 'alias' THEN (
            SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
            FROM jsonb_array_elements_text(r.chain) WITH ORDINALITY AS e (item, place)
        )
    END AS chain,
    r.tier,
    r.starts_at,
    r.expires_at,
    r.revoked_at,
    CASE WHEN h.object_type = 'override' THEN r.reason END AS override_reason,
    r.shutdown_date,
    r.replacement,
    r.service_tier,
    r.above_input_tokens,
    r.valid_from AS price_starts_at,
    r.input_pico,
    r.cached_pico,
    r.cache_write_pico,
    r.output_pico,
    CASE WHEN h.object_type = 'price' THEN r.version END AS price_version,
    CASE
        WHEN h.object_type = 'key' THEN (
            SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
            FROM jsonb_array_elements_text(r.scopes) WITH ORDINALITY AS e (item, place)
        )
    END AS scopes,
    CASE WHEN h.object_type = 'project' THEN coalesce(r.external_id, '') END AS external_id,
    r.owner,
    r.max_context_tokens,
    r.max_run_tokens,
    (r.deadline_s * 1000)::bigint AS deadline_ms,
    r.base_url
FROM iwrouting_historyrow AS h
LEFT JOIN LATERAL (
    SELECT x.at, x.revision, x.operation
    FROM iwrouting_historyrow AS x
    WHERE x.object_type = h.object_type AND x.object_id = h.object_id AND x.revision > h.revision
    ORDER BY x.revision
    LIMIT 1
) AS n ON true
LEFT JOIN iwrouting_change AS c ON c.revision = h.revision
CROSS JOIN LATERAL jsonb_to_record(h.content::jsonb) AS r (
    alias text,
    project text,
    model text,
    model_id text,
    upstream text,
    kind text,
    enabled boolean,
    infer boolean,
    default_model text,
    variable text,
    chain jsonb,
    tier text,
    starts_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    reason text,
    shutdown_date date,
    replacement text,
    service_tier text,
    above_input_tokens bigint,
    valid_from timestamptz,
    input_pico bigint,
    cached_pico bigint,
    cache_write_pico bigint,
    output_pico bigint,
    version text,
    scopes jsonb,
    external_id text,
    owner text,
    max_context_tokens bigint,
    max_run_tokens bigint,
    deadline_s numeric,
    base_url text
)
WHERE h.operation <> 'delete';

COMMENT ON VIEW rpt_config_history_v1 IS
    'One row a version of a row of the configuration. Columns that its kind does not have are NULL.';
COMMENT ON COLUMN rpt_config_history_v1.object_type IS 'upstream, project, model, price, alias, override or key.';
COMMENT ON COLUMN rpt_config_history_v1.object_id IS 'Number of the row: its versions have the same.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.name IS 'What people call the row.';
COMMENT ON COLUMN rpt_config_history_v1.valid_from IS 'When it became so (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_config_history_v1.valid_to IS
    'When it was changed again or deleted (UTC): then it was so no longer. NULL: it is still so.'; -- timestamptz
COMMENT ON COLUMN rpt_config_history_v1.is_current IS 'Whether the row is still so.'; -- boolean
COMMENT ON COLUMN rpt_config_history_v1.revision IS 'Revision that made it so.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.revision_to IS
    'Revision that ended it, of which it is no part. As of revision n: revision <= n, and this NULL or > n.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.operation IS 'create or change: what made it so.';
COMMENT ON COLUMN rpt_config_history_v1.ended_by IS 'change or delete: what ended it; NULL: nothing yet.';
COMMENT ON COLUMN rpt_config_history_v1.author IS 'Who made it so.';
COMMENT ON COLUMN rpt_config_history_v1.via IS 'By which way: admin, API, CLI, import, SQL, upgrade or service.';
COMMENT ON COLUMN rpt_config_history_v1.reason IS 'Why, as the author said.';
COMMENT ON COLUMN rpt_config_history_v1.alias IS 'Alias, or the alias of an override.';
COMMENT ON COLUMN rpt_config_history_v1.project IS
    'Project, or the project of an override or key; empty for an override of all projects.';
COMMENT ON COLUMN rpt_config_history_v1.model IS 'Model, or the model of a price or override.';
COMMENT ON COLUMN rpt_config_history_v1.upstream IS
    'Upstream, or the upstream of a model; empty for the one that the environment defines.';
COMMENT ON COLUMN rpt_config_history_v1.kind IS 'Kind of an alias: chat_mode, role or embedding.';
COMMENT ON COLUMN rpt_config_history_v1.is_enabled IS
    'Whether an upstream, project, model or override is switched on.'; -- boolean
COMMENT ON COLUMN rpt_config_history_v1.is_infer IS
    'Alias and override: whether auto may infer a chat mode with it.'; -- boolean
COMMENT ON COLUMN rpt_config_history_v1.default_model IS 'Default of an alias.';
COMMENT ON COLUMN rpt_config_history_v1.variable IS 'Environment variable of an alias.';
COMMENT ON COLUMN rpt_config_history_v1.chain IS 'Rungs of an alias after its primary, in order, with commas.';
COMMENT ON COLUMN rpt_config_history_v1.tier IS 'Cost tier of an alias or model: small, mid or strong.';
COMMENT ON COLUMN rpt_config_history_v1.starts_at IS
    'From when on an override is in force (UTC); NULL: at once.'; -- timestamptz
COMMENT ON COLUMN rpt_config_history_v1.expires_at IS
    'Until when an override or key counts (UTC); NULL: for good.'; -- timestamptz
COMMENT ON COLUMN rpt_config_history_v1.revoked_at IS 'From when on a key is refused (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_config_history_v1.override_reason IS 'Why an override exists, as it says itself.';
COMMENT ON COLUMN rpt_config_history_v1.shutdown_date IS 'Shutdown date of a model (UTC).'; -- date
COMMENT ON COLUMN rpt_config_history_v1.replacement IS 'What the provider names in place of a model.';
COMMENT ON COLUMN rpt_config_history_v1.service_tier IS 'Service tier of a price.';
COMMENT ON COLUMN rpt_config_history_v1.above_input_tokens IS 'Threshold of a price, in tokens of input.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.price_starts_at IS
    'From when on a price is in force (UTC): its own valid_from.'; -- timestamptz
COMMENT ON COLUMN rpt_config_history_v1.input_pico IS 'Price of a token of input, in pico-dollars.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.cached_pico IS 'Price of a token read from a cache.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.cache_write_pico IS 'Price of a token written to a cache.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.output_pico IS 'Price of a token of output.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.price_version IS 'Version of a price.';
COMMENT ON COLUMN rpt_config_history_v1.scopes IS 'Scopes of a key, with commas.';
COMMENT ON COLUMN rpt_config_history_v1.external_id IS 'InfinityWindow''s id of a project; empty for none.';
COMMENT ON COLUMN rpt_config_history_v1.owner IS 'Who answers for a project.';
COMMENT ON COLUMN rpt_config_history_v1.max_context_tokens IS
    'Most tokens of input in a call of an alias or project; NULL: no limit of its own.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.max_run_tokens IS
    'Most tokens of a run of a project; NULL: no limit of its own.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.deadline_ms IS
    'Milliseconds for a whole call of an alias; NULL: the deployment''s.'; -- integer
COMMENT ON COLUMN rpt_config_history_v1.base_url IS 'Root of an upstream''s API.';
