-- {copy, tell = {{field, closed, tried, circuit}}, claim = {field, circuit} or nothing, forget or nothing} → those not closed.
-- A circuit is kept as {…, ends: when it may be tried, prober: the copy that tries it, told}.
local FORGOTTEN = 3600000
local key = at .. ':circuits'
if asked.forget then redis.call('DEL', key) end

local function read(field)
  local found = redis.call('HGET', key, field)
  if not found then return end
  local one = cjson.decode(found)
  if now > math.max(one.ends, one.told) + FORGOTTEN then
    redis.call('HDEL', key, field)
    return
  end
  return one
end

local function tried(one)
  return one.prober and one.prober ~= asked.copy and redis.call('ZSCORE', at .. ':copies', one.prober) and true or false
end

for _, told in ipairs(asked.tell) do
  local one, before = told.circuit, read(told.field)
  if told.closed then
    redis.call('HDEL', key, told.field)
  else
    one.ends, one.told = now + one.ms, now
    if before then
      -- A shorter cooldown never overwrites a longer one, whoever tells of it.
      if before.ends > one.ends then one.ends, one.state, one.why = before.ends, before.state, before.why end
      one.failures = math.max(one.failures, before.failures)
      one.opened = math.max(one.opened, before.opened)
      if tried(before) then one.prober = before.prober end
    end
    if told.tried then one.prober = asked.copy end
    redis.call('HSET', key, told.field, cjson.encode(one))
  end
end

local claimed = true
if asked.claim then
  local one = read(asked.claim)
  if one then
    claimed = one.ends <= now and not tried(one)
    if claimed then
      one.prober = asked.copy
      redis.call('HSET', key, asked.claim, cjson.encode(one))
    end
  end
end

local all = {}
for _, field in ipairs(redis.call('HKEYS', key)) do
  local one = read(field)
  if one then
    one.field, one.ms, one.tried = field, math.max(0, one.ends - now), tried(one)
    all[#all + 1] = one
  end
end
return cjson.encode({claimed = claimed, circuits = all})
