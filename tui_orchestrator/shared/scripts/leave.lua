-- {store, copy, gone, sums}: this copy ends in order
begin()
for _, id in ipairs(asked.gone) do free(asked.store, id) end
for _, sum in ipairs(asked.sums) do redis.call('HDEL', at .. ':aside:' .. sum, asked.store) end
redis.call('ZREM', at .. ':copies', asked.copy)
return '{}'
