CREATE OR REPLACE VIEW iw_usage_marked AS
SELECT DISTINCT m.bucket_at
FROM iwrouting_usagemark AS m
WHERE m.bucket_at >= coalesce((SELECT s.raw_from FROM iwrouting_usagestate AS s WHERE s.id = 1), '-infinity'::timestamptz);

COMMENT ON VIEW iw_usage_marked IS
    'Internal: quarters of an hour that are read from the raw rows, since their cells are behind.';
