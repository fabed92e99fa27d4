-- A sign of life, and how things stand by this store's own book:
-- {store, copy, spent = {sum → amount}, holds = {{id, amount, sums}}, gone = {ids that are settled or never were},
--  whole: all sums are told; others = {store → {sum → {spent, open}}} as last seen; ceilings = {{sum, ceiling, ends_in}},
--  since = {day, month}, sums}
local quiet = begin()
redis.call('ZADD', at .. ':stores', now + LEASE, asked.store)
redis.call('ZADD', at .. ':copies', now + LEASE, asked.copy)
redis.call('SADD', at .. ':known', asked.store)
for sum, amount in pairs(asked.spent) do raise(asked.store, sum, amount) end
for _, id in ipairs(asked.gone) do free(asked.store, id) end
for _, one in ipairs(asked.holds) do
  if redis.call('HEXISTS', at .. ':holds:' .. asked.store, one.id) == 0 then
    hold(asked.store, one.id, one.amount, one.sums)
  end
end
for _, field in ipairs(redis.call('HKEYS', of(asked.store))) do
  local sum = string.match(field, '^lost (.*)$')
  if sum then
    take(at .. ':spent', sum, stored(of(asked.store), field))
    redis.call('HDEL', of(asked.store), field)
  end
end
for store, seen in pairs(asked.others) do
  local silent = redis.call('SISMEMBER', at .. ':in', store) == 0
  for sum, amounts in pairs(seen) do
    raise(store, sum, amounts[1])
    if silent then
      -- Until it says itself what became of its calls.
      local there = redis.call('HMGET', of(store), 'held ' .. sum, 'lost ' .. sum)
      local more = text(minus(number(amounts[2]), plus(number(there[1] or '0'), number(there[2] or '0'))))
      add(of(store), 'lost ' .. sum, more)
      add(at .. ':spent', sum, more)
    end
  end
end
for _, one in ipairs(asked.ceilings) do
  local key = at .. ':aside:' .. one.sum
  if not fits(number(one.ceiling), ceiling_of(asked.store, one.sum)) then
    redis.call('HSET', key, asked.store, one.ceiling .. ' ' .. string.format('%.0f', now + one.ends_in))
  end
end
if asked.whole then redis.call('SADD', at .. ':in', asked.store) end
-- The others' sums of the same days and months
local others = {}
for _, store in ipairs(redis.call('SMEMBERS', at .. ':known')) do
  if store ~= asked.store then
    local parts, sums = {}, {}
    local fields = redis.call('HGETALL', of(store))
    for i = 1, #fields, 2 do
      local part, sum, period = string.match(fields[i], '^(%l+) (.*@([%d-]+))$')
      if period and period >= asked.since[#period == 7 and 'month' or 'day'] then
        parts[sum] = parts[sum] or {spent = '0', held = '0', lost = '0'}
        parts[sum][part] = fields[i + 1]
      end
    end
    for sum, part in pairs(parts) do
      local open = plus(number(part.held), number(part.lost))
      local further = minus(ceiling_of(store, sum), number(part.spent))
      if fits(open, further) then open = further end
      sums[#sums + 1] = {sum, part.spent, text(open)}
    end
    others[#others + 1] = {store = store, sums = sums}
  end
end
local owned = {}
for _, sum in ipairs(asked.sums) do owned[#owned + 1] = text(own(asked.store, sum)) end
return cjson.encode({
  wait = quiet,
  run = redis.call('HGET', at .. ':epoch', 'run'),
  told = redis.call('SISMEMBER', at .. ':in', asked.store) == 1,
  running = redis.call('ZCARD', at .. ':copies'),
  states = states(asked.sums, asked.store),
  owned = owned,
  others = others,
})
