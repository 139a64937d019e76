-- Removes the gate of an archived coupon: it has ended, and MySQL has all that was acknowledged.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  known_epoch, known_serial, epoch: the newest that the coupon has had
-- Returns 1 it is gone, or was not there  0 nothing was done: it is of a newer epoch, so its coupon is
--         not archived any more; or it is open, and has not ended or has something pending

local epoch = tonumber(ARGV[3])
local found = read_hash(KEYS[1])
local newest = math.max(whole_epoch(found.epoch, epoch) or 0, whole_epoch(found.min_epoch, epoch) or 0)
if newest > epoch then
  return 0
end
local meta = open_gate()
if meta then
  local has_ended = meta.state == 'closed' or (meta.closes_at > 0 and now_ms() >= meta.closes_at)
  if not has_ended or meta.pending > 0 then
    return 0
  end
end
redis.call('UNLINK', unpack(KEYS))
return 1
