-- Recovery step 2: from here on nothing of an older epoch is admitted or confirmed.
--
-- KEYS  1 meta
-- ARGV  epoch
-- Returns the least epoch that may admit, which is higher than ARGV[1] when another recovery is newer

local least = math.max(tonumber(ARGV[1]), tonumber(redis.call('HGET', KEYS[1], 'min_epoch') or '0'))
redis.call('HSET', KEYS[1], 'min_epoch', least)
return least
