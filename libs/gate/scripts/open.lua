-- Recovery step 6: opens the gate on what was staged, in one step, or not at all.
--
-- KEYS  1 meta  2 holders
-- ARGV  token, run and history as claimed, how many holders the caller has staged, epoch,
--       kafka_partition, version, total, state, opens_at, closes_at
-- Returns 1 opened  0 not: Redis is another run or has another history, another recovery claimed it
--         or is newer, it is open already, what was staged is not all there, or the coupon was
--         changed since it was read

local meta = read_hash(KEYS[1])
local run_id, replid = server_history()
local epoch = tonumber(ARGV[4])
if run_id .. ':' .. replid ~= ARGV[2] or meta.recovery_token ~= ARGV[1] then
  return 0
end
-- A claim has written it: where it is lost, a newer recovery may have fenced the gate meanwhile.
if whole(meta.min_epoch) ~= epoch then
  return 0
end
-- Opened without those who were staged and lost, it would sell again what they hold. The gate's own
-- count does not tell: put back from a copy that was made amid the staging, it is as old as they are.
local staged = size_of('HLEN', KEYS[2])
if staged ~= tonumber(ARGV[3]) or staged ~= whole(meta.staged) then
  return 0
end
-- A change that met the gate shut has left its version there, and has returned: it must hold.
if (whole(meta.version) or 0) > tonumber(ARGV[6]) then
  return 0
end

redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1],
  'run_id', run_id, 'replid', replid, 'epoch', epoch, 'min_epoch', epoch, 'serial', 0,
  'kafka_partition', ARGV[5], 'version', ARGV[6], 'total', ARGV[7],
  'left', tonumber(ARGV[7]) - staged, 'pending', 0,
  'state', ARGV[8], 'opens_at', ARGV[9], 'closes_at', ARGV[10])
return 1
