-- Applies a change of a coupon to its open gate, once and never backwards.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  known_epoch, known_serial, version, total, state, opens_at, closes_at (0: no limit)
-- Returns { code, epoch, serial, holders }
--   code  1 applied  2 already at this version or a newer one  3 shut: a recovery will open it with
--         this version or a later one  4 more are held than the new total: nothing was changed

local meta = open_gate()
if not meta then
  shut()
  -- Whoever rebuilds this gate may have read the coupon before the change.
  local claimed = read_hash(KEYS[1])
  if claimed.recovery_token and (whole(claimed.version) or 0) < tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[1], 'version', ARGV[3])
  end
  return { 3, 0, 0, 0 }
end
local holders = meta.total - meta.left
if meta.version >= tonumber(ARGV[3]) then
  return { 2, meta.epoch, meta.serial, holders }
end
local total = tonumber(ARGV[4])
if total < holders then
  return { 4, meta.epoch, meta.serial, holders }
end
redis.call('HSET', KEYS[1],
  'version', ARGV[3], 'total', total, 'left', total - holders, 'serial', meta.serial + 1,
  'state', ARGV[5], 'opens_at', ARGV[6], 'closes_at', ARGV[7])
return { 1, meta.epoch, meta.serial + 1, holders }
