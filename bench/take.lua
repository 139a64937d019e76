-- The least that a first-come-first-served coupon needs of Redis: a unit and a holder.
--
-- KEYS  1 left  2 holders
-- ARGV  user_id
-- Returns 1 taken  2 has one already  0 nothing left

if tonumber(redis.call('GET', KEYS[1]) or '0') <= 0 then
  return 0
end
if redis.call('HSETNX', KEYS[2], ARGV[1], '1') == 0 then
  return 2
end
redis.call('DECR', KEYS[1])
return 1
