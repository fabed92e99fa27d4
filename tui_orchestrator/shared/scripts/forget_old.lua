-- {before, now}: a day; sums of periods before it, which no call counts towards any more, are dropped. `now` is the time
-- of day of whoever asks: one whose clock is days ahead of this server's would have the others' sums forgotten
local DAYS_AHEAD = 2
if asked.now > now + DAYS_AHEAD * 24 * 3600 * 1000 then return '{}' end
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
