-- Applies a change of a coupon to its open gate, once and never backwards.
--
-- KEYS  1 meta  2 holders
-- ARGV  version, total, state, opens_at, closes_at (0: no limit)
-- Returns { code, epoch, holders }
--   code  1 applied  2 already at this version or a newer one  3 fenced: a recovery will open it with
--         what MySQL says  4 more are held than the new total: nothing was changed

local meta = read_hash(KEYS[1])
local holders = redis.call('HLEN', KEYS[2])
if not meta.epoch or is_fenced(meta) then
  return { 3, 0, holders }
end
local epoch = tonumber(meta.epoch)
if tonumber(meta.version) >= tonumber(ARGV[1]) then
  return { 2, epoch, holders }
end
if tonumber(ARGV[2]) < holders then
  return { 4, epoch, holders }
end
redis.call('HSET', KEYS[1],
  'version', ARGV[1], 'total', ARGV[2], 'left', tonumber(ARGV[2]) - holders,
  'state', ARGV[3], 'opens_at', ARGV[4], 'closes_at', ARGV[5])
return { 1, epoch, holders }
