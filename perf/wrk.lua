-- The load of every workload: `wrk -s wrk.lua URL -- OPTION...`, and one line of numbers at the end.
--   post=N    POST a body of N bytes instead of GET
--   close     ask for the connection's end with each request
--   spread=N  ask for /service-1/item to /service-N/item in turn instead of the URL's path

function init(args)
  for _, arg in ipairs(args) do
    local name, value = arg:match("^(%a+)=?(%d*)$")
    if name == "post" then
      wrk.method = "POST"
      wrk.body = string.rep("0123456789abcdef", tonumber(value) / 16)
      wrk.headers["Content-Type"] = "application/octet-stream"
    elseif name == "close" then
      wrk.headers["Connection"] = "close"
    elseif name == "spread" then
      -- Made ahead, so that wrk spends as little on these as on one fixed request.
      local requests, count, last = {}, tonumber(value), 0
      for i = 1, count do
        requests[i] = wrk.format(nil, "/service-" .. i .. "/item")
      end
      function request()
        last = last % count + 1
        return requests[last]
      end
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "RESULT requests=%d duration_us=%d p50_us=%d p99_us=%d errors=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
