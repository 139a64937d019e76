-- Recovery step 6: opens the gate on what was staged, in one step, or not at all.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents  6 staging
-- ARGV  token, run and history as claimed, epoch, kafka_partition, version, total, state, opens_at,
--       closes_at
-- Returns 1 opened  0 not: Redis is another run or has another history, another recovery claimed it
--         or is newer, or the gate is open already at this epoch or a later one, or what was staged
--         is not all there

local meta = read_hash(KEYS[1])
local run_id, replid = server_history()
local epoch = tonumber(ARGV[3])
local min_epoch = whole(meta.min_epoch)
if run_id .. ':' .. replid ~= ARGV[2] or meta.recovery_token ~= ARGV[1] then
  return 0
end
-- A claim has written it: where it is lost, a newer recovery may have fenced the gate meanwhile.
if not min_epoch or min_epoch > epoch then
  return 0
end
if meta.run_id == run_id and meta.replid == replid and (whole_epoch(meta.epoch, epoch) or 0) >= epoch then
  return 0
end
-- Opened without those who were staged and lost, it would sell again what they hold.
local staged = size_of('HLEN', KEYS[6])
if staged ~= whole(meta.staged) then
  return 0
end

-- Whatever was pending belongs to an older epoch: its requests are either in MySQL, and so among the
-- staged holders, or behind the marker, and so void.
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
if staged > 0 then
  redis.call('RENAME', KEYS[6], KEYS[2])
end
redis.call('HSET', KEYS[1],
  'run_id', run_id, 'replid', replid, 'epoch', epoch, 'min_epoch', epoch, 'serial', 0,
  'kafka_partition', ARGV[4], 'version', ARGV[5], 'total', ARGV[6],
  'left', tonumber(ARGV[6]) - staged, 'pending', 0,
  'state', ARGV[7], 'opens_at', ARGV[8], 'closes_at', ARGV[9])
return 1
