-- Recovery step 6: opens the gate on what was staged, in one step, or not at all.
--
-- KEYS  1 meta  2 holders
-- ARGV  token, run and history as claimed, epoch, kafka_partition, version, total, state, opens_at,
--       closes_at
-- Returns 1 opened  0 not: Redis is another run or has another history, another recovery claimed it
--         or is newer, it is open already, what was staged is not all there, or the coupon was
--         changed since it was read

local meta = read_hash(KEYS[1])
local run_id, replid = server_history()
local epoch = tonumber(ARGV[3])
if run_id .. ':' .. replid ~= ARGV[2] or meta.recovery_token ~= ARGV[1] then
  return 0
end
-- A claim has written it: where it is lost, a newer recovery may have fenced the gate meanwhile.
if whole(meta.min_epoch) ~= epoch then
  return 0
end
-- Opened without those who were staged and lost, it would sell again what they hold.
local staged = size_of('HLEN', KEYS[2])
if staged ~= whole(meta.staged) then
  return 0
end
-- A change that met the gate shut has left its version there, and has returned: it must hold.
if (whole(meta.version) or 0) > tonumber(ARGV[5]) then
  return 0
end

redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1],
  'run_id', run_id, 'replid', replid, 'epoch', epoch, 'min_epoch', epoch, 'serial', 0,
  'kafka_partition', ARGV[4], 'version', ARGV[5], 'total', ARGV[6],
  'left', tonumber(ARGV[6]) - staged, 'pending', 0,
  'state', ARGV[7], 'opens_at', ARGV[8], 'closes_at', ARGV[9])
return 1
