-- {store, id or nothing, spent = {sum → all that this store has spent}, sums} → their states
begin()
for sum, amount in pairs(asked.spent) do raise(asked.store, sum, amount) end
if asked.id then free(asked.store, asked.id) end
return cjson.encode({states = states(asked.sums, asked.store)})
