-- The invariants of the audit: what must hold of its rows at any moment. Each query gives the rows that break one; none: it holds.
--
-- The file is portable: it runs as it stands on PostgreSQL and on SQLite, and changes nothing.
--
--   psql "$DATABASE_URL" --no-psqlrc --tuples-only --no-align --file invariants.sql
--   sqlite3 -readonly var/iwrouting.sqlite3 < invariants.sql
--
-- Nothing printed: all hold. Each line is the name of an invariant, the id of a row, and what is wrong with it. A row that its
-- table does not take stands in iwrouting_quarantinedrow: what lacks for that reason is no finding. Rows that still stand in a
-- journal come later, with all that belongs to them. `manage.py doctor` runs the same queries; docs/health.md says more.

-- name: open_after_its_writer
-- A decision without an outcome although its writer has ended and all that it left was closed.
SELECT 'open_after_its_writer' AS invariant, CAST(d.id AS text) AS id, 'no outcome, writer ' || d.writer_id AS detail
FROM iwrouting_decision AS d
LEFT JOIN iwrouting_writer AS w ON w.id = d.writer_id
WHERE (w.swept_at IS NOT NULL OR (w.id IS NULL AND date(d.decision_at) < date('now')))
    AND NOT EXISTS (SELECT 1 FROM iwrouting_outcome AS o WHERE o.decision_id = d.id)
    AND NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = d.id);

-- name: two_server_outcomes
-- A decision that the service closed twice. One outcome of `server` beside one of `sweeper` is right: readers take `server`.
SELECT 'two_server_outcomes' AS invariant, CAST(o.decision_id AS text) AS id, CAST(COUNT(*) AS text) || ' outcomes' AS detail
FROM iwrouting_outcome AS o
WHERE o.origin = 'server'
GROUP BY o.decision_id
HAVING COUNT(*) > 1;

-- name: outcome_without_decision
-- An outcome of nothing.
SELECT 'outcome_without_decision' AS invariant, CAST(o.id AS text) AS id, 'of ' || CAST(o.decision_id AS text) AS detail
FROM iwrouting_outcome AS o
WHERE NOT EXISTS (SELECT 1 FROM iwrouting_decision AS d WHERE d.id = o.decision_id)
    AND NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = o.decision_id);

-- name: attempt_without_decision
-- A try of nothing: a call was made without its decision.
SELECT 'attempt_without_decision' AS invariant, CAST(a.id AS text) AS id, 'of ' || CAST(a.decision_id AS text) AS detail
FROM iwrouting_attempt AS a
WHERE NOT EXISTS (SELECT 1 FROM iwrouting_decision AS d WHERE d.id = a.decision_id)
    AND NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = a.decision_id);

-- name: attempt_without_outcome
-- Tries are stored in the commit of their outcome, so that they never stand alone.
SELECT DISTINCT 'attempt_without_outcome' AS invariant, CAST(a.decision_id AS text) AS id, 'has tries alone' AS detail
FROM iwrouting_attempt AS a
WHERE NOT EXISTS (SELECT 1 FROM iwrouting_outcome AS o WHERE o.decision_id = a.decision_id AND o.origin = 'server')
    AND NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = a.decision_id);

-- name: attempts_not_numbered_through
-- The tries of a decision are numbered 1, 2, 3 and so on.
SELECT
    'attempts_not_numbered_through' AS invariant,
    CAST(a.decision_id AS text) AS id,
    CAST(COUNT(*) AS text) || ' tries, ' || CAST(MIN(a.seq) AS text) || ' to ' || CAST(MAX(a.seq) AS text) AS detail
FROM iwrouting_attempt AS a
WHERE NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = a.decision_id)
GROUP BY a.decision_id
HAVING MIN(a.seq) <> 1 OR MAX(a.seq) <> COUNT(*);

-- name: calls_differ_from_attempts
-- The calls that an outcome counts are the tries that were sent.
SELECT
    'calls_differ_from_attempts' AS invariant,
    CAST(o.decision_id AS text) AS id,
    CAST(o.calls AS text) || ' calls, ' || CAST(COALESCE(s.sent, 0) AS text) || ' tries sent' AS detail
FROM iwrouting_outcome AS o
LEFT JOIN (
    SELECT a.decision_id, COUNT(a.sent_at) AS sent
    FROM iwrouting_attempt AS a
    GROUP BY a.decision_id
) AS s ON s.decision_id = o.decision_id
WHERE o.origin = 'server' AND o.calls <> COALESCE(s.sent, 0)
    AND NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = o.decision_id);

-- name: ok_without_model
-- Whoever answered has a name.
SELECT 'ok_without_model' AS invariant, CAST(o.decision_id AS text) AS id, o.result || ' of nobody' AS detail
FROM iwrouting_outcome AS o
WHERE o.result IN ('ok', 'ok_after_fallback') AND (o.model_served = '' OR o.upstream_served = '');

-- name: refused_with_calls
-- What was refused or only resolved went to no provider.
SELECT 'refused_with_calls' AS invariant, CAST(o.decision_id AS text) AS id, o.result || ', ' || CAST(o.calls AS text) || ' calls' AS detail
FROM iwrouting_outcome AS o
WHERE o.result IN ('refused', 'resolved') AND o.calls > 0;

-- name: sweeper_says_more
-- Who closes what a dead process left open knows no more than that it was interrupted.
SELECT 'sweeper_says_more' AS invariant, CAST(o.decision_id AS text) AS id, o.result AS detail
FROM iwrouting_outcome AS o
WHERE o.origin = 'sweeper' AND (o.result <> 'interrupted' OR o.cost_pico IS NOT NULL);

-- name: decision_at_differs
-- All rows of a decision carry its time, and stand in the partition of its month.
SELECT 'decision_at_differs' AS invariant, CAST(a.id AS text) AS id, 'try of ' || CAST(d.id AS text) AS detail
FROM iwrouting_attempt AS a
JOIN iwrouting_decision AS d ON d.id = a.decision_id
WHERE a.decision_at <> d.decision_at
UNION ALL
SELECT 'decision_at_differs', CAST(o.id AS text), 'outcome of ' || CAST(d.id AS text)
FROM iwrouting_outcome AS o
JOIN iwrouting_decision AS d ON d.id = o.decision_id
WHERE o.decision_at <> d.decision_at;

-- name: decision_at_not_of_its_id
-- The time of a decision is the one inside its id, to the millisecond: in the order of ids, times never step back.
SELECT 'decision_at_not_of_its_id' AS invariant, CAST(x.id AS text) AS id, 'between its neighbours by id, not by time' AS detail
FROM (
    SELECT d.id, d.decision_at, LAG(d.decision_at) OVER (ORDER BY d.id) AS before
    FROM iwrouting_decision AS d
) AS x
WHERE x.decision_at < x.before;

-- name: number_twice
-- The rows of one writer are numbered once over all three tables and the quarantine.
SELECT 'number_twice' AS invariant, n.writer_id AS id, 'number ' || CAST(n.writer_seq AS text) AS detail
FROM (
    SELECT writer_id, writer_seq FROM iwrouting_decision
    UNION ALL
    SELECT writer_id, writer_seq FROM iwrouting_attempt
    UNION ALL
    SELECT writer_id, writer_seq FROM iwrouting_outcome
    UNION ALL
    SELECT writer_id, writer_seq FROM iwrouting_quarantinedrow WHERE writer_seq IS NOT NULL
) AS n
WHERE n.writer_seq > 0
GROUP BY n.writer_id, n.writer_seq
HAVING COUNT(*) > 1;

-- name: hash_missing
-- Each row of a writer that keeps a chain has its hash.
SELECT 'hash_missing' AS invariant, h.id AS id, 'in ' || h.place AS detail
FROM (
    SELECT CAST(id AS text) AS id, 'decisions' AS place, writer_id FROM iwrouting_decision WHERE chain_hash = ''
    UNION ALL
    SELECT CAST(id AS text), 'attempts', writer_id FROM iwrouting_attempt WHERE chain_hash = ''
    UNION ALL
    SELECT CAST(id AS text), 'outcomes', writer_id FROM iwrouting_outcome WHERE chain_hash = ''
) AS h
JOIN iwrouting_writer AS w ON w.id = h.writer_id
WHERE w.key_id <> '';

-- name: cost_without_ground
-- A cost is known with the price that it was made by, or it is not known: never a silent zero.
SELECT
    'cost_without_ground' AS invariant,
    CAST(o.decision_id AS text) AS id,
    o.cost_state || ', ' || COALESCE(CAST(o.cost_pico AS text), 'no') || ' pico-dollars, price ' || o.price_version AS detail
FROM iwrouting_outcome AS o
WHERE (o.cost_state IN ('exact', 'estimated') AND (o.cost_pico IS NULL OR o.price_version = ''))
    OR (o.cost_state IN ('unpriced', 'none') AND o.cost_pico IS NOT NULL)
    OR o.cost_state NOT IN ('exact', 'estimated', 'unpriced', 'none')
    OR o.cost_pico < 0;

-- name: counts_below_zero
-- Nothing that is counted is less than nothing.
SELECT 'counts_below_zero' AS invariant, CAST(o.decision_id AS text) AS id, 'outcome' AS detail
FROM iwrouting_outcome AS o
WHERE o.calls < 0 OR o.fallbacks < 0 OR o.prompt_tokens < 0 OR o.completion_tokens < 0 OR o.latency_us < 0
UNION ALL
SELECT 'counts_below_zero', CAST(a.decision_id AS text), 'try ' || CAST(a.seq AS text)
FROM iwrouting_attempt AS a
WHERE a.end_us < 0 OR a.first_byte_us < 0 OR a.bytes_sent < 0 OR a.bytes_received < 0
UNION ALL
SELECT 'counts_below_zero', r.run_id, 'run'
FROM iwrouting_run AS r
WHERE r.used_tokens < 0;

-- name: times_out_of_order
-- A decision comes before its tries, and they before its outcome. A clock that was set back shows here too.
SELECT 'times_out_of_order' AS invariant, CAST(a.decision_id AS text) AS id, 'try ' || CAST(a.seq AS text) || ' sent before' AS detail
FROM iwrouting_attempt AS a
WHERE a.sent_at < a.decision_at
UNION ALL
SELECT 'times_out_of_order', CAST(o.decision_id AS text), 'ended before'
FROM iwrouting_outcome AS o
WHERE o.ended_at < o.decision_at
UNION ALL
SELECT 'times_out_of_order', CAST(o.decision_id AS text), 'ended before try ' || CAST(a.seq AS text)
FROM iwrouting_outcome AS o
JOIN iwrouting_attempt AS a ON a.decision_id = o.decision_id
WHERE o.origin = 'server' AND o.ended_at < a.sent_at;

-- name: reservation_of_a_closed_call
-- Tokens of a run are set aside for a call under way: its outcome settles them in the same commit.
SELECT 'reservation_of_a_closed_call' AS invariant, CAST(r.decision_id AS text) AS id, CAST(r.tokens AS text) || ' tokens' AS detail
FROM iwrouting_runreservation AS r
WHERE EXISTS (SELECT 1 FROM iwrouting_outcome AS o WHERE o.decision_id = r.decision_id AND o.origin = 'server');

-- name: reservation_without_decision
-- Tokens are set aside in the commit of a decision.
SELECT 'reservation_without_decision' AS invariant, CAST(r.decision_id AS text) AS id, CAST(r.tokens AS text) || ' tokens' AS detail
FROM iwrouting_runreservation AS r
WHERE NOT EXISTS (SELECT 1 FROM iwrouting_decision AS d WHERE d.id = r.decision_id)
    AND NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = r.decision_id)
    AND r.expires_at > (SELECT MIN(d.decision_at) FROM iwrouting_decision AS d);

-- name: held_response_without_decision
-- A response that a provider keeps was made by a call; retention may have taken the decision of an old one.
SELECT 'held_response_without_decision' AS invariant, CAST(h.id AS text) AS id, 'of ' || CAST(h.decision_id AS text) AS detail
FROM iwrouting_heldresponse AS h
WHERE NOT EXISTS (SELECT 1 FROM iwrouting_decision AS d WHERE d.id = h.decision_id)
    AND NOT EXISTS (SELECT 1 FROM iwrouting_quarantinedrow AS q WHERE q.decision_id = h.decision_id)
    AND h.created_at > (SELECT MIN(d.decision_at) FROM iwrouting_decision AS d);
