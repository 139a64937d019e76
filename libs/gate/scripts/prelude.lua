-- Shared by every script of the gate: it is put in front of each when they are loaded.
-- Lists in ARGV have at most batchSizeMax entries (libs/coupon/batch-size.ts): `unpack` takes no more
-- than some thousands of values.
-- All times are milliseconds since 1970 by the clock of Redis; never a client's.
--
-- Scripts of those who admit, settle or look begin with the same KEYS and ARGV:
-- KEYS  1 meta  2 holders  3 pending  4 pending_users  5 pending_traceparents
-- ARGV  known_epoch, known_serial: the latest that the caller has seen of this gate, or was told of

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- A whole number as these scripts write it, or nil: `tonumber` takes '0x10', 'inf' and ' 5 ' as well.
local function whole(text)
  return text and #text < 16 and string.find(text, '^%d+$') and tonumber(text) or nil
end

-- Nobody has recovered a gate a million times: an epoch that far ahead was written by another hand.
local function whole_epoch(text, known)
  local epoch = whole(text)
  return epoch and epoch <= known + 1000000 and epoch or nil
end

-- How much a key holds; -1 where another hand has put something of another type.
local function size_of(command, key)
  local size = redis.pcall(command, key)
  return type(size) == 'number' and size or -1
end

-- Empty where the key holds no hash.
local function read_hash(key)
  local flat = redis.pcall('HGETALL', key)
  local fields = {}
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
  end
  return fields
end

-- The run of this server and its history. A restarted, rolled back or promoted Redis has another
-- run_id. One that became a replica and then a primary again has another master_replid, and may have
-- come back with older data, in which its own run_id stands.
local function server_history()
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  return run_id, replid
end

local function was_opened_here(meta)
  local run = '\nrun_id:' .. meta.run_id .. '\r\n'
  local history = '\nmaster_replid:' .. meta.replid .. '\r\n'
  return string.find(redis.call('INFO', 'server'), run, 1, true)
    and string.find(redis.call('INFO', 'replication'), history, 1, true)
end

local states = { open = true, paused = true, closed = true }

-- What `meta` says, its numbers as numbers; nil when anything is missing or cannot be what it says.
local function read_meta()
  local read = redis.pcall('HMGET', KEYS[1], 'epoch', 'min_epoch', 'serial', 'kafka_partition',
    'version', 'total', 'left', 'pending', 'opens_at', 'closes_at', 'state', 'run_id', 'replid')
  for i = 1, 10 do
    read[i] = whole(read[i])
    if not read[i] then
      return nil
    end
  end
  local state, run_id, replid = read[11], read[12], read[13]
  if not (states[state] and run_id and replid) then
    return nil
  end
  return {
    epoch = read[1], min_epoch = read[2], serial = read[3], kafka_partition = read[4],
    version = read[5], total = read[6], left = read[7], pending = read[8],
    opens_at = read[9], closes_at = read[10], state = state, run_id = run_id, replid = replid,
  }
end

-- Whether nobody has seen a later state of this gate: it was not put back from an older copy.
local function is_latest(meta)
  local known_epoch, known_serial = tonumber(ARGV[1]), tonumber(ARGV[2])
  return meta.epoch > known_epoch and meta.epoch <= known_epoch + 1000000
    or meta.epoch == known_epoch and meta.serial >= known_serial
end

-- Whether what the gate has counted is what is there. Keys that expired, were evicted or deleted by
-- another hand make it false: without its holders the gate would sell again, and without what is
-- pending it would take a reservation that never reached the log for one that did.
local function has_all(meta)
  return meta.left + size_of('HLEN', KEYS[2]) == meta.total
    and size_of('ZCARD', KEYS[3]) == meta.pending
    and size_of('HLEN', KEYS[4]) == meta.pending
    and size_of('HLEN', KEYS[5]) >= 0
end

-- The `meta` of a gate that is open, its numbers as numbers; nil when it is shut. Only what it
-- vouches for may be counted on, and written.
local function open_gate()
  local meta = read_meta()
  return meta and meta.epoch >= meta.min_epoch and is_latest(meta) and has_all(meta)
    and was_opened_here(meta) and meta or nil
end

-- Keeps a gate that is not open shut, whatever is put back, until a recovery has counted again.
-- Returns 1 fenced  2 absent
local function shut()
  if redis.call('EXISTS', KEYS[1]) == 0 then
    return 2
  end
  -- Protected: it may be no hash, and the server a replica.
  redis.pcall('HDEL', KEYS[1], 'run_id')
  return 1
end

-- For recoveries, which get over whatever stands there: makes the key one that a hash may be written
-- to, and returns its min_epoch. Where that is lost, nobody knows what has fenced the gate: it stays
-- shut until it is opened anew.
local function least_epoch(key, known)
  if size_of('HLEN', key) < 0 then
    redis.call('UNLINK', key)
  end
  local least = whole_epoch(redis.call('HGET', key, 'min_epoch'), known)
  if not least then
    redis.call('HDEL', key, 'run_id')
  end
  return least or 0
end
