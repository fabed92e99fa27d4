-- {id, tokens, limits}: of a call that was never sent
for _, limit in ipairs(asked.limits) do
  redis.call('ZREM', at .. ':rate:' .. limit.name, asked.id .. ' ' .. string.format('%.0f', asked.tokens))
end
return '{}'
