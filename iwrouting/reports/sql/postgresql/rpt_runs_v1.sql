CREATE OR REPLACE VIEW rpt_runs_v1 AS
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
        coalesce((SELECT sum(v.tokens) FROM iwrouting_runreservation AS v WHERE v.run_id = r.id), 0)::bigint
            AS reserved_tokens,
        r.refused_calls,
        (SELECT count(*) FROM iwrouting_runraise AS w WHERE w.run_id = r.id) AS raises,
        (SELECT max(w.id) FROM iwrouting_runraise AS w WHERE w.run_id = r.id) AS last_raise
    FROM iwrouting_run AS r
    LEFT JOIN iwrouting_project AS p ON p.slug = r.project
) AS q
LEFT JOIN iwrouting_runraise AS l ON l.id = q.last_raise;

COMMENT ON VIEW rpt_runs_v1 IS
    'One row a run that made calls under a budget. Its calls and costs: rpt_decisions_v1 by run_id and project.';
COMMENT ON COLUMN rpt_runs_v1.run_id IS 'Id that its calls sent in x-iw-run-id.';
COMMENT ON COLUMN rpt_runs_v1.project IS 'Project whose run it is.';
COMMENT ON COLUMN rpt_runs_v1.first_seen_at IS 'When its first call came (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_runs_v1.last_seen_at IS 'When its last call came (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_runs_v1.limit_tokens IS
    'Tokens that all its calls may take; NULL where AUTOPILOT_MAX_TOKENS_PER_RUN decides.'; -- integer
COMMENT ON COLUMN rpt_runs_v1.limit_from IS 'Who says so: run (an operator raised it), project or deployment.';
COMMENT ON COLUMN rpt_runs_v1.used_tokens IS 'Tokens that its ended calls took.'; -- integer
COMMENT ON COLUMN rpt_runs_v1.reserved_tokens IS
    'Tokens set aside and not settled: for calls under way, or left behind by a killed process.'; -- integer
COMMENT ON COLUMN rpt_runs_v1.left_tokens IS 'Limit less used and reserved; NULL where the limit is.'; -- integer
COMMENT ON COLUMN rpt_runs_v1.refused_calls IS 'Calls refused because the budget was spent.'; -- integer
COMMENT ON COLUMN rpt_runs_v1.raises IS 'How often operators raised its limit.'; -- integer
COMMENT ON COLUMN rpt_runs_v1.raised_at IS 'When last (UTC).'; -- timestamptz
COMMENT ON COLUMN rpt_runs_v1.raised_by IS 'Who did.';
COMMENT ON COLUMN rpt_runs_v1.raise_reason IS 'Why.';
