-- Lines without rows tell in their details what they are of. Hashes of keys and references to secrets stay inside.
CREATE VIEW rpt_changes_v1 AS
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
        ELSE json_extract(c.details, '$.object_type')
    END AS object_type,
    coalesce(h.object_id, json_extract(c.details, '$.object_id')) AS object_id,
    CASE
        WHEN h.id IS NOT NULL THEN h.name
        WHEN c.kind = 'environment' THEN json_extract(c.details, '$.host')
        ELSE json_extract(c.details, '$.name')
    END AS name,
    CASE
        WHEN h.object_type = 'project' THEN h.name
        WHEN h.object_type IN ('override', 'key') THEN coalesce(json_extract(h.content, '$.project'), '')
    END AS project,
    CASE
        WHEN h.object_type = 'alias' THEN h.name
        WHEN h.object_type = 'override' THEN json_extract(h.content, '$.alias')
    END AS alias,
    h.operation,
    f.key AS field,
    CASE
        WHEN f.key = 'secret_ref' THEN NULL
        WHEN json_type(f.value, '$[0]') = 'array' THEN (
            SELECT coalesce(group_concat(e.value, ', '), '')
            FROM json_each(f.value, '$[0]') AS e
        )
        WHEN json_type(f.value, '$[0]') IN ('true', 'false') THEN json_type(f.value, '$[0]')
        ELSE CAST(json_extract(f.value, '$[0]') AS TEXT)
    END AS old_value,
    CASE
        WHEN f.key = 'secret_ref' THEN NULL
        WHEN json_type(f.value, '$[1]') = 'array' THEN (
            SELECT coalesce(group_concat(e.value, ', '), '')
            FROM json_each(f.value, '$[1]') AS e
        )
        WHEN json_type(f.value, '$[1]') IN ('true', 'false') THEN json_type(f.value, '$[1]')
        ELSE CAST(json_extract(f.value, '$[1]') AS TEXT)
    END AS new_value,
    c.id AS change_id
FROM iwrouting_change AS c
LEFT JOIN iwrouting_historyrow AS h ON h.revision = c.revision
LEFT JOIN json_each(
    CASE
        WHEN h.id IS NOT NULL THEN h.changed
        WHEN c.kind = 'environment' THEN json_extract(c.details, '$.changed')
    END
) AS f ON f.key <> 'sha256';
