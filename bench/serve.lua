-- wrk: posts faces, one after the other, to /v1/identify or /v1/verify. FACES is a file with one base64 image per line; ALIGNED=0: photos, not crops.
local faces, turn = {}, 0
for line in io.lines(os.getenv("FACES")) do faces[#faces + 1] = line end
local aligned = os.getenv("ALIGNED") == "0" and "false" or "true"
local verify = os.getenv("WHAT") == "verify"
local headers = { ["Content-Type"] = "application/json" }
function request()
  turn = turn % #faces + 1
  local face = faces[turn]
  if verify then
    local body = '{"aligned":' .. aligned .. ',"threshold":0.5,"a":"' .. face .. '","b":"' .. faces[turn % #faces + 1] .. '"}'
    return wrk.format("POST", "/v1/verify", headers, body)
  end
  return wrk.format("POST", "/v1/identify", headers, '{"aligned":' .. aligned .. ',"threshold":0.5,"photo":"' .. face .. '"}')
end
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function done(summary, latency)
  io.write(string.format("%d requests, %.1f/s, p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, errors: %d of status, %d of connection\n",
    summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
