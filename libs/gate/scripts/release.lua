-- Gives the units of refused requests back, each only if its user still holds that very id in that
-- epoch: running it again, or after a recovery, changes nothing. A gate that is shut is left to the
-- recovery, which does not let refused requests in.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  known_epoch, known_serial, epoch, then for each request: issuance_id, user_id
-- Returns how many units were given back

local meta = open_gate()
if not meta then
  shut()
  return 0
end
if meta.epoch ~= tonumber(ARGV[3]) then
  return 0
end
local released, unconfirmed = 0, 0
for i = 4, #ARGV, 2 do
  local id, user_id = ARGV[i], ARGV[i + 1]
  if redis.call('HGET', KEYS[2], user_id) == id then
    redis.call('HDEL', KEYS[2], user_id)
    unconfirmed = unconfirmed + redis.call('ZREM', KEYS[3], id)
    redis.call('HDEL', KEYS[4], id)
    redis.call('HDEL', KEYS[5], id)
    released = released + 1
  end
end
if released > 0 then
  redis.call('HSET', KEYS[1], 'left', meta.left + released,
    'pending', meta.pending - unconfirmed, 'serial', meta.serial + 1)
end
return released
