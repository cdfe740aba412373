-- Lines without rows tell in their details what they are of. Hashes of keys and references to secrets stay
-- inside: hashes leave before a line is made of each field, as a reader's own function may see what a condition drops.
CREATE OR REPLACE VIEW rpt_changes_v1 AS
SELECT
    c.at AS changed_at,
    c.revision,
    c.kind,
    c.author,
    c.via,
    c.reason,
    CASE
        WHEN h.id IS NOT NULL THEN h.object_type
        WHEN c.kind = 'environment' THEN 'environment'
        ELSE c.details::jsonb ->> 'object_type'
    END AS object_type,
    coalesce(h.object_id, (c.details::jsonb ->> 'object_id')::bigint) AS object_id,
    CASE
        WHEN h.id IS NOT NULL THEN h.name
        WHEN c.kind = 'environment' THEN c.details::jsonb ->> 'host'
        ELSE c.details::jsonb ->> 'name'
    END AS name,
    CASE
        WHEN h.object_type = 'project' THEN h.name
        WHEN h.object_type IN ('override', 'key') THEN coalesce(h.content::jsonb ->> 'project', '')
    END AS project,
    CASE
        WHEN h.object_type = 'alias' THEN h.name
        WHEN h.object_type = 'override' THEN h.content::jsonb ->> 'alias'
    END AS alias,
    h.operation,
    f.key AS field,
    CASE
        WHEN f.key = 'secret_ref' THEN NULL
        WHEN jsonb_typeof(f.value -> 0) = 'array' THEN (
            SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
            FROM jsonb_array_elements_text(f.value -> 0) WITH ORDINALITY AS e (item, place)
        )
        ELSE f.value ->> 0
    END AS old_value,
    CASE
        WHEN f.key = 'secret_ref' THEN NULL
        WHEN jsonb_typeof(f.value -> 1) = 'array' THEN (
            SELECT coalesce(string_agg(e.item, ', ' ORDER BY e.place), '')
            FROM jsonb_array_elements_text(f.value -> 1) WITH ORDINALITY AS e (item, place)
        )
        ELSE f.value ->> 1
    END AS new_value,
    c.id AS change_id
FROM iwrouting_change AS c
LEFT JOIN iwrouting_historyrow AS h ON h.revision = c.revision
LEFT JOIN LATERAL jsonb_each(
    CASE
        WHEN h.id IS NOT NULL THEN h.changed::jsonb - 'sha256'
        WHEN c.kind = 'environment' THEN c.details::jsonb -> 'changed'
    END
) AS f ON true;

COMMENT ON VIEW rpt_changes_v1 IS
    'One row a changed field: who changed what, when and why. A line without fields, such as a delete, has one row.';
COMMENT ON COLUMN rpt_changes_v1.changed_at IS
    'When it was changed (UTC). Filter by it: an index serves it.'; -- timestamptz
COMMENT ON COLUMN rpt_changes_v1.revision IS
    'Revision that the change made; NULL where it changed no row of the configuration.'; -- integer
COMMENT ON COLUMN rpt_changes_v1.kind IS 'configuration, environment, schedule, break_glass or adoption.';
COMMENT ON COLUMN rpt_changes_v1.author IS 'Who made it.';
COMMENT ON COLUMN rpt_changes_v1.via IS 'By which way: admin, API, CLI, import, SQL, upgrade or service.';
COMMENT ON COLUMN rpt_changes_v1.reason IS 'Why, as its author said; for lines of the service: what happened.';
COMMENT ON COLUMN rpt_changes_v1.object_type IS
    'upstream, project, model, price, alias, override, key or environment; NULL where it is of none.';
COMMENT ON COLUMN rpt_changes_v1.object_id IS 'Number of the row that was changed.'; -- integer
COMMENT ON COLUMN rpt_changes_v1.name IS 'What people call that row; the host for environment.';
COMMENT ON COLUMN rpt_changes_v1.project IS
    'Project that was changed, or whose override or key; empty for an override of all; NULL for other rows.';
COMMENT ON COLUMN rpt_changes_v1.alias IS 'Alias that was changed, or whose override; NULL for other rows.';
COMMENT ON COLUMN rpt_changes_v1.operation IS 'create, change or delete; NULL where no row was changed.';
COMMENT ON COLUMN rpt_changes_v1.field IS
    'Field that was changed, or the variable for environment; NULL for a line without fields.';
COMMENT ON COLUMN rpt_changes_v1.old_value IS
    'Its value before, lists with commas; NULL for none, and for references to secrets, which are not shown.';
COMMENT ON COLUMN rpt_changes_v1.new_value IS 'Its value after, likewise.';
COMMENT ON COLUMN rpt_changes_v1.change_id IS
    'Number of the line of the change list: rows of one line have the same.'; -- integer
