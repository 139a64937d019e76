-- The load of one run, for wrk: POST the body of an assign, each request by a user of its own.
-- Arguments after `--`: the coupon id, and a word that no other run has. Prints one line of JSON at
-- the end, which wrk-report.ts reads.

local threads = 0

-- The width is fixed, so that Content-Length is the same for all.
local counter_digits = 10
local placeholder = string.rep('#', counter_digits)

function setup(thread)
  threads = threads + 1
  thread:set('thread_number', threads)
end

-- Formats one request and cuts it where the counter goes: wrk.format for each request would make wrk
-- the bottleneck.
function init(args)
  local coupon_id, run = args[1], args[2]
  local user_id = string.format('%s-%d-%s', run, thread_number, placeholder)
  local body = string.format('{"user_id":"%s","coupon_id":%s}', user_id, coupon_id)
  local sample = wrk.format('POST', nil, { ['Content-Type'] = 'application/json' }, body)
  local from, to = string.find(sample, placeholder, 1, true)
  head, tail = string.sub(sample, 1, from - 1), string.sub(sample, to + 1)
  counter = 0
end

function request()
  counter = counter + 1
  return head .. string.format('%010d', counter) .. tail
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nwrk-report {"requests":%d,"duration_us":%d,"bad_status":%d,"socket_errors":%d,' ..
      '"timeouts":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write,
    errors.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
