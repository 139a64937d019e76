-- Lists reservations that are not confirmed, oldest first, for the relay to publish again.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  least age in milliseconds, most rows
-- Returns { epoch, kafka_partition, then for each: issuance_id, reserved_at, user_id, traceparent
--   ('': none) };
--   {} when the gate is fenced: its reservations belong to an epoch that is over; or has lost keys

local meta = read_hash(KEYS[1])
if not meta.epoch or is_fenced(meta) or not has_all(meta, KEYS[2], KEYS[3], KEYS[4]) then
  return {}
end
local reply = { tonumber(meta.epoch), tonumber(meta.kafka_partition) }
local newest = now_ms() - tonumber(ARGV[1])
local rows = redis.call('ZRANGEBYSCORE', KEYS[3], 0, newest, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #rows, 2 do
  reply[#reply + 1] = rows[i]
  reply[#reply + 1] = tonumber(rows[i + 1])
  reply[#reply + 1] = redis.call('HGET', KEYS[4], rows[i])
  reply[#reply + 1] = redis.call('HGET', KEYS[5], rows[i]) or ''
end
return reply
