-- Recovery step 5a: makes the caller the one who rebuilds the gate in this epoch. What the gate held
-- is over: whatever was acknowledged is in MySQL by now. It goes at once, so that the next holders
-- need no room beside the old ones, and so that nothing of it can be taken for an open gate.
--
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  token (random), epoch
-- Returns the run and the history of the server: what is staged from here on is good for these only;
--         nil when the gate is not fenced for this epoch, or has been opened in it: a slow recovery
--         must not empty a gate that a newer one has opened, and one that lost its fence begins again

local epoch = tonumber(ARGV[2])
local meta = read_hash(KEYS[1])
if whole(meta.min_epoch) ~= epoch or (whole_epoch(meta.epoch, epoch) or 0) >= epoch then
  return nil
end
-- First: a Redis that is full takes what a script writes after a first write that needs no memory.
redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', KEYS[1], 'min_epoch', epoch, 'recovery_token', ARGV[1], 'staged', 0)
return table.concat({ server_history() }, ':')
