-- Looks at a gate without changing it.
--
-- KEYS  1 meta  2 holders  3 pending
-- Returns { gate, left, holders, total, version, epoch, min_epoch, pending, oldest_pending, now }
--   gate  0 open  1 fenced  2 absent;  oldest_pending is 0 where nothing is pending

local meta = read_hash(KEYS[1])
local gate = 0
if next(meta) == nil then
  gate = 2
elseif not meta.epoch or is_fenced(meta) then
  gate = 1
end
local holders = redis.call('HLEN', KEYS[2])
if gate == 0 and tonumber(meta.left) + holders ~= tonumber(meta.total) then
  gate = 1
end
local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return {
  gate,
  tonumber(meta.left or 0),
  holders,
  tonumber(meta.total or 0),
  tonumber(meta.version or 0),
  tonumber(meta.epoch or 0),
  tonumber(meta.min_epoch or 0),
  redis.call('ZCARD', KEYS[3]),
  tonumber(oldest[2] or 0),
  now_ms(),
}
