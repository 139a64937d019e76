-- Shared by every script of the gate: it is put in front of each when they are loaded.
-- Lists in ARGV have at most batchSizeMax entries (libs/coupon/batch-size.ts): `unpack` takes no more
-- than some thousands of values.
-- All times are milliseconds since 1970 by the clock of Redis; never a client's.

local function server_run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function read_hash(key)
  local flat = redis.call('HGETALL', key)
  local fields = {}
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
  end
  return fields
end

local function append(list, first, second)
  local size = #list
  list[size + 1] = first
  list[size + 2] = second
end

-- The fence. A restarted, rolled back or promoted Redis has another run_id than the one the gate was
-- opened on, so what it holds may be old: nobody is admitted until a recovery has rebuilt it.
local function is_fenced(meta)
  return meta.run_id ~= server_run_id()
    or tonumber(meta.epoch) < tonumber(meta.min_epoch or '0')
end

-- Whether what the gate has counted is what is there. Keys that expired, were evicted or deleted by
-- another hand make it false: without its holders the gate would sell again, and without what is
-- pending it would take a reservation that never reached the log for one that did.
local function has_all(meta, holders, pending, pending_users)
  local waiting = tonumber(meta.pending)
  return tonumber(meta.left) + redis.call('HLEN', holders) == tonumber(meta.total)
    and redis.call('ZCARD', pending) == waiting
    and redis.call('HLEN', pending_users) == waiting
end
