-- Looks at a gate without changing it.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  known_epoch, known_serial
-- Returns { gate, left, holders, epoch, min_epoch, serial, pending, oldest_pending, now, version, total,
--   state, opens_at, closes_at, kafka_partition }
--   gate  0 open  1 fenced  2 absent;  what is missing or cannot be what it says is 0, and so is
--   oldest_pending where nothing is pending

local gate = 0
if not open_gate() then
  gate = redis.call('EXISTS', KEYS[1]) == 1 and 1 or 2
end
local meta = read_hash(KEYS[1])
local known_epoch = tonumber(ARGV[1])
local oldest = redis.pcall('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return {
  gate,
  whole(meta.left) or 0,
  math.max(size_of('HLEN', KEYS[2]), 0),
  whole_epoch(meta.epoch, known_epoch) or 0,
  whole_epoch(meta.min_epoch, known_epoch) or 0,
  whole(meta.serial) or 0,
  math.max(size_of('ZCARD', KEYS[3]), 0),
  whole(oldest[2]) or 0,
  now_ms(),
  whole(meta.version) or 0,
  whole(meta.total) or 0,
  meta.state or '',
  whole(meta.opens_at) or 0,
  whole(meta.closes_at) or 0,
  whole(meta.kafka_partition) or 0,
}
