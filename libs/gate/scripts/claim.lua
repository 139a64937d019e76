-- Recovery step 5a: makes the caller the one whose staging counts, and empties the staging area.
--
-- KEYS  1 meta  2 staging
-- ARGV  token (random)
-- Returns the run and the history of the server: what is staged from here on is good for these only

local least = least_epoch(KEYS[1], math.huge)
redis.call('HSET', KEYS[1], 'recovery_token', ARGV[1], 'staged', 0, 'min_epoch', least)
redis.call('UNLINK', KEYS[2])
return table.concat({ server_history() }, ':')
