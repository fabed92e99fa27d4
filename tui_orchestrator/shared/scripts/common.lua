-- Before every other script. KEYS[1] begins the name of every key; ARGV[1] is what is asked, as JSON.
--
-- Keys. No key that money depends on ever ends by itself:
--   :epoch     run: the server's run id; quiet: until when nothing is let in; seen: the last time anyone came
--   :in        the stores that have put their sums back in this epoch
--   :stores    store → when its lease ends; :copies  running copies of the program, likewise
--   :known     every store there has been
--   :spent     sum → what all stores have spent; :held  sum → what all have set aside
--   :of:STORE  'spent SUM', 'held SUM', and 'lost SUM': what calls may have cost whose program came to nothing
--   :holds:STORE  reservation → its amount and sums
--   :aside:SUM    store → how far it may go by itself while it cannot come here, and until when
-- A sum is 'SCOPE@PERIOD'. Amounts are whole picodollars as decimal text: a number of Lua is exact to 2^53 only, which
-- is 9007 dollars. Times are milliseconds of this server's clock; LEASE, QUIET and SILENCE are
-- set before this.

local at = KEYS[1]
local asked = cjson.decode(ARGV[1])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- Amounts, as pairs of whole dollars and picodollars

local DOLLAR = 1e12

local function number(text)
  return {tonumber(string.sub(text, 1, -13)) or 0, tonumber(string.sub(text, -12))}
end

local function text(one)
  if one[1] == 0 then return string.format('%.0f', one[2]) end
  return string.format('%.0f%012.0f', one[1], one[2])
end

local function plus(one, other)
  local low = one[2] + other[2]
  if low >= DOLLAR then return {one[1] + other[1] + 1, low - DOLLAR} end
  return {one[1] + other[1], low}
end

local function fits(one, other)
  return one[1] < other[1] or (one[1] == other[1] and one[2] <= other[2])
end

local function minus(one, other)  -- never below zero
  if fits(one, other) then return {0, 0} end
  local low = one[2] - other[2]
  if low < 0 then return {one[1] - other[1] - 1, low + DOLLAR} end
  return {one[1] - other[1], low}
end

local function add(key, field, amount)
  if amount ~= '0' then redis.call('HINCRBY', key, field, amount) end
end

local function take(key, field, amount)
  if amount ~= '0' then redis.call('HINCRBY', key, field, '-' .. amount) end
end

local function stored(key, field)
  return redis.call('HGET', key, field) or '0'
end

-- Sums

local function of(store)
  return at .. ':of:' .. store
end

local function own(store, sum)
  local found = redis.call('HMGET', of(store), 'spent ' .. sum, 'held ' .. sum, 'lost ' .. sum)
  return plus(plus(number(found[1] or '0'), number(found[2] or '0')), number(found[3] or '0'))
end

-- How far a store may go by itself; zero where it may not, or not any more
local function ceiling_of(store, sum)
  local ceiling, ends = string.match(redis.call('HGET', at .. ':aside:' .. sum, store) or '', '^(%d+) (%d+)$')
  if not ends or tonumber(ends) <= now then return {0, 0} end
  return number(ceiling)
end

-- What the other stores may still spend of it without asking
local function aside(sum, store)
  local total = {0, 0}
  for _, other in ipairs(redis.call('HKEYS', at .. ':aside:' .. sum)) do
    if other ~= store then total = plus(total, minus(ceiling_of(other, sum), own(other, sum))) end
  end
  return total
end

local function state(sum, store)
  local mine = redis.call('HMGET', of(store), 'spent ' .. sum, 'lost ' .. sum)
  return {
    spent = stored(at .. ':spent', sum),
    held = stored(at .. ':held', sum),
    aside = text(aside(sum, store)),
    own = text(plus(number(mine[1] or '0'), number(mine[2] or '0'))),
  }
end

local function states(sums, store)
  local found = {}
  for _, sum in ipairs(sums) do found[#found + 1] = state(sum, store) end
  return found
end

-- What a store has spent only ever grows, so the same said twice, or late, changes nothing.
local function raise(store, sum, amount)
  local before = stored(of(store), 'spent ' .. sum)
  if not fits(number(amount), number(before)) then
    redis.call('SADD', at .. ':known', store)
    redis.call('HSET', of(store), 'spent ' .. sum, amount)
    add(at .. ':spent', sum, amount)
    take(at .. ':spent', sum, before)
  end
end

-- Reservations

local function hold(store, id, amount, sums)
  redis.call('SADD', at .. ':known', store)
  redis.call('HSET', at .. ':holds:' .. store, id, cjson.encode({amount = amount, sums = sums}))
  for _, sum in ipairs(sums) do
    add(at .. ':held', sum, amount)
    add(of(store), 'held ' .. sum, amount)
  end
end

local function free(store, id)
  local found = redis.call('HGET', at .. ':holds:' .. store, id)
  if not found then return end
  redis.call('HDEL', at .. ':holds:' .. store, id)
  local one = cjson.decode(found)
  for _, sum in ipairs(one.sums) do
    take(at .. ':held', sum, one.amount)
    take(of(store), 'held ' .. sum, one.amount)
  end
  return one
end

-- Of a store that is heard of no more, every open call counts as the most it can have cost, until the store says better.
local function bury()
  for _, store in ipairs(redis.call('ZRANGEBYSCORE', at .. ':stores', '-inf', now)) do
    redis.call('ZREM', at .. ':stores', store)
    for _, id in ipairs(redis.call('HKEYS', at .. ':holds:' .. store)) do
      local one = free(store, id)
      for _, sum in ipairs(one.sums) do
        add(of(store), 'lost ' .. sum, one.amount)
        add(at .. ':spent', sum, one.amount)
      end
    end
  end
  redis.call('ZREMRANGEBYSCORE', at .. ':copies', '-inf', now)
end

-- Time

local function put_off_leases(by_how_much)
  for _, key in ipairs({at .. ':stores', at .. ':copies'}) do
    for _, who in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      local ends = tonumber(redis.call('ZSCORE', key, who))
      redis.call('ZADD', key, by_how_much and ends + by_how_much or now + LEASE, who)
    end
  end
end

-- Returns how many milliseconds nothing is let in. A server that was started anew may have come back without its last
-- seconds, or with nothing: whoever is there then has to say first what was spent.
local function begin()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or 'unknown'
  local epoch = redis.call('HMGET', at .. ':epoch', 'run', 'quiet', 'seen')
  local quiet, seen = tonumber(epoch[2] or 0), tonumber(epoch[3] or now)
  if epoch[1] ~= run then
    quiet = now + QUIET
    redis.call('HSET', at .. ':epoch', 'run', run, 'quiet', quiet)
    redis.call('DEL', at .. ':in')
    put_off_leases(nil)
  elseif now - seen > SILENCE then
    -- Nobody could come, so that nobody did says nothing.
    put_off_leases(now - seen)
  end
  redis.call('HSET', at .. ':epoch', 'seen', now)
  bury()
  return math.max(0, math.min(quiet - now, QUIET))
end
