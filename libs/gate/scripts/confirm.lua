-- Confirms that reservations are in the log, if the epoch they were made in still holds.
-- The state of the coupon does not matter: one paused or closed meanwhile still honours them.
--
-- KEYS  1 meta  2 pending  3 pending_users  4 pending_traceparents
-- ARGV  epoch, then the issuance ids
-- Returns 1 confirmed  0 fenced: a recovery began, the requests may be void

local meta = read_hash(KEYS[1])
if not meta.epoch or is_fenced(meta) or meta.epoch ~= ARGV[1] then
  return 0
end
if #ARGV > 1 then
  local confirmed = redis.call('ZREM', KEYS[2], unpack(ARGV, 2))
  redis.call('HDEL', KEYS[3], unpack(ARGV, 2))
  redis.call('HINCRBY', KEYS[1], 'pending', 0 - confirmed)
  -- Mostly nobody has sent one.
  if redis.call('EXISTS', KEYS[4]) == 1 then
    redis.call('HDEL', KEYS[4], unpack(ARGV, 2))
  end
end
return 1
