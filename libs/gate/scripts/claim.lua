-- Recovery step 5a: makes the caller the one whose staging counts, and empties the staging area.
--
-- KEYS  1 meta  2 staging
-- ARGV  token (random)
-- Returns the run_id of the server: what is staged from here on is good for this run only

redis.call('HSET', KEYS[1], 'recovery_token', ARGV[1], 'staged', 0)
redis.call('UNLINK', KEYS[2])
return server_run_id()
