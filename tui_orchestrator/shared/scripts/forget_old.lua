-- {before}: a day; sums of periods before it, which no call counts towards any more, are dropped
local keys = {at .. ':spent', at .. ':held'}
for _, store in ipairs(redis.call('SMEMBERS', at .. ':known')) do
  local left = 0
  for _, field in ipairs(redis.call('HKEYS', of(store))) do
    local sum, period = string.match(field, '^%l+ (.*)@([%d-]+)$')
    if period and period < asked.before then
      redis.call('HDEL', of(store), field)
    else
      left = left + 1
    end
  end
  if left == 0 and not redis.call('ZSCORE', at .. ':stores', store) then redis.call('SREM', at .. ':known', store) end
end
for _, key in ipairs(keys) do
  for _, sum in ipairs(redis.call('HKEYS', key)) do
    local period = string.match(sum, '@([%d-]+)$')
    if period and period < asked.before then
      redis.call('HDEL', key, sum)
      redis.call('DEL', at .. ':aside:' .. sum)
    end
  end
end
return '{}'
