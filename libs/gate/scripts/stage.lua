-- Recovery step 5b: puts a slice of the holders into a gate that was claimed, and so is empty.
--
-- KEYS  1 meta  2 holders
-- ARGV  token, then for each holder: user_id, issuance_id
-- Returns 1 staged  0 another recovery has claimed the gate, or Redis lost the claim or what was staged

local meta = read_hash(KEYS[1])
if meta.recovery_token ~= ARGV[1] or size_of('HLEN', KEYS[2]) ~= whole(meta.staged) then
  return 0
end
if #ARGV > 1 then
  redis.call('HINCRBY', KEYS[1], 'staged', redis.call('HSET', KEYS[2], unpack(ARGV, 2)))
end
return 1
