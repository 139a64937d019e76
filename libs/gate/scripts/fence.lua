-- Recovery step 2: from here on nothing of an older epoch is admitted or confirmed.
--
-- KEYS  1 meta
-- ARGV  epoch
-- Returns the least epoch that may admit, which is higher than ARGV[1] when another recovery is newer

-- A fence must not expire. And a Redis that is full takes what a script writes after a first write
-- that needs no memory: without a fence no recovery could begin to free any.
redis.call('PERSIST', KEYS[1])
local epoch = tonumber(ARGV[1])
local least = math.max(epoch, least_epoch(KEYS[1], epoch))
redis.call('HSET', KEYS[1], 'min_epoch', least)
return least
