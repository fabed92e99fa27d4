-- {store, shares = {{sum, ceiling, limit, ends_in}}} → for each whether the store may go so far by itself.
-- Less than before is always granted, and what is not granted leaves what was.
begin()
local granted = {}
for _, one in ipairs(asked.shares) do
  local key = at .. ':aside:' .. one.sum
  local before = ceiling_of(asked.store, one.sum)
  local mine, ceiling, now_is = own(asked.store, one.sum), number(one.ceiling), state(one.sum, asked.store)
  local total = plus(plus(number(now_is.spent), number(now_is.held)), plus(number(now_is.aside), minus(ceiling, mine)))
  local grant = fits(ceiling, before) or fits(total, number(one.limit)) or fits(ceiling, mine)
  if grant then
    redis.call('HSET', key, asked.store, one.ceiling .. ' ' .. string.format('%.0f', now + one.ends_in))
  end
  granted[#granted + 1] = grant and 1 or 0
end
return cjson.encode({granted = granted})
