-- Confirms that reservations are in the log, if the epoch they were made in still holds.
-- The state of the coupon does not matter: one paused or closed meanwhile still honours them.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  known_epoch, known_serial, epoch, then all issuance_ids, then the user_id of each
-- Returns { code, epoch, serial }
--   code  1 confirmed  0 not: a recovery began, and the requests may be void; or the gate does not
--         know all of them

local meta = open_gate()
if not meta then
  shut()
  return { 0, 0, 0 }
end
if meta.epoch ~= tonumber(ARGV[3]) then
  return { 0, meta.epoch, meta.serial }
end
if #ARGV == 3 then
  return { 1, meta.epoch, meta.serial }
end

local count = (#ARGV - 3) / 2
local last_id = 3 + count
local serial = meta.serial
local confirmed = redis.call('ZREM', KEYS[3], unpack(ARGV, 4, last_id))
if confirmed > 0 then
  serial = serial + 1
  redis.call('HDEL', KEYS[4], unpack(ARGV, 4, last_id))
  redis.call('HSET', KEYS[1], 'pending', meta.pending - confirmed, 'serial', serial)
  -- Mostly nobody has sent one.
  if redis.call('EXISTS', KEYS[5]) == 1 then
    redis.call('HDEL', KEYS[5], unpack(ARGV, 4, last_id))
  end
end

-- What is not pending any more was confirmed before, and is held; or it is nothing to vouch for.
if confirmed < count then
  local held = redis.call('HMGET', KEYS[2], unpack(ARGV, last_id + 1))
  for i = 1, count do
    if held[i] ~= ARGV[3 + i] then
      return { 0, meta.epoch, serial }
    end
  end
end
return { 1, meta.epoch, serial }
