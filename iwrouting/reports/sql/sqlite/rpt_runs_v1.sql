CREATE VIEW rpt_runs_v1 AS
SELECT
    q.run_id,
    q.project,
    q.first_seen_at,
    q.last_seen_at,
    q.limit_tokens,
    q.limit_from,
    q.used_tokens,
    q.reserved_tokens,
    q.limit_tokens - q.used_tokens - q.reserved_tokens AS left_tokens,
    q.refused_calls,
    q.raises,
    l.at AS raised_at,
    l."by" AS raised_by,
    l.reason AS raise_reason
FROM (
    SELECT
        r.id,
        r.run_id,
        r.project,
        r.first_seen_at,
        r.last_seen_at,
        coalesce(r.limit_tokens, p.max_run_tokens) AS limit_tokens,
        CASE
            WHEN r.limit_tokens IS NOT NULL THEN 'run'
            WHEN p.max_run_tokens IS NOT NULL THEN 'project'
            ELSE 'deployment'
        END AS limit_from,
        r.used_tokens,
        coalesce((SELECT sum(v.tokens) FROM iwrouting_runreservation AS v WHERE v.run_id = r.id), 0)
            AS reserved_tokens,
        r.refused_calls,
        (SELECT count(*) FROM iwrouting_runraise AS w WHERE w.run_id = r.id) AS raises,
        (SELECT max(w.id) FROM iwrouting_runraise AS w WHERE w.run_id = r.id) AS last_raise
    FROM iwrouting_run AS r
    LEFT JOIN iwrouting_project AS p ON p.slug = r.project
) AS q
LEFT JOIN iwrouting_runraise AS l ON l.id = q.last_raise;
