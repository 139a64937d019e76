-- Looks at a gate without changing it.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users
-- Returns { gate, left, holders, total, version, epoch, min_epoch, pending, oldest_pending, now }
--   gate  0 open  1 fenced  2 absent;  oldest_pending is 0 where nothing is pending

local meta = read_hash(KEYS[1])
local gate = 0
if next(meta) == nil then
  gate = 2
elseif not meta.epoch or is_fenced(meta) or not has_all(meta, KEYS[2], KEYS[3], KEYS[4]) then
  gate = 1
end
local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return {
  gate,
  tonumber(meta.left or 0),
  redis.call('HLEN', KEYS[2]),
  tonumber(meta.total or 0),
  tonumber(meta.version or 0),
  tonumber(meta.epoch or 0),
  tonumber(meta.min_epoch or 0),
  redis.call('ZCARD', KEYS[3]),
  tonumber(oldest[2] or 0),
  now_ms(),
}
