-- Lists reservations that are not confirmed, oldest first, for the relay to publish again.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  known_epoch, known_serial, least age in milliseconds, most rows
-- Returns { epoch, serial, kafka_partition, then for each: issuance_id, reserved_at, user_id,
--   traceparent ('': none) };
--   {} when the gate is shut: its reservations belong to an epoch that is over, or are not all there

local meta = open_gate()
if not meta then
  return {}
end
local reply = { meta.epoch, meta.serial, meta.kafka_partition }
local newest = now_ms() - tonumber(ARGV[3])
local rows = redis.call('ZRANGEBYSCORE', KEYS[3], 0, newest, 'WITHSCORES', 'LIMIT', 0, ARGV[4])
for i = 1, #rows, 2 do
  local id, user_id = rows[i], redis.call('HGET', KEYS[4], rows[i])
  -- Published for another user than the one who holds it, it would be issued to that one.
  if not user_id or redis.call('HGET', KEYS[2], user_id) ~= id then
    shut()
    return {}
  end
  reply[#reply + 1] = id
  reply[#reply + 1] = tonumber(rows[i + 1])
  reply[#reply + 1] = user_id
  reply[#reply + 1] = redis.call('HGET', KEYS[5], id) or ''
end
return reply
