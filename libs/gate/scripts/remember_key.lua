-- Remembers what an idempotency key was used for first. Has no part in the protocol of the gate.
--
-- KEYS  1 young  2 old: two generations of a shard, each a hash digest → use
-- ARGV  digest, use, seconds that a generation lives at least, most entries of one
-- Returns the use that is remembered: ARGV[2] unless there was another

-- A value of another kind is of another hand: it guards nobody.
for _, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then
    redis.call('UNLINK', key)
  end
end
local known = redis.call('HGET', KEYS[1], ARGV[1]) or redis.call('HGET', KEYS[2], ARGV[1])
if known then
  return known
end
local now = tonumber(redis.call('TIME')[1])
local born = tonumber(redis.call('HGET', KEYS[1], 'born') or now) or now
-- One that is full or has lived its time is the old one from here on, and what was the old one goes.
if now - born >= tonumber(ARGV[3]) or redis.call('HLEN', KEYS[1]) > tonumber(ARGV[4]) then
  redis.call('RENAME', KEYS[1], KEYS[2])
  born = now
end
redis.call('HSET', KEYS[1], 'born', born, ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], 2 * tonumber(ARGV[3]))
return ARGV[2]
