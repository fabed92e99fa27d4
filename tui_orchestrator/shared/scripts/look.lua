-- {store, sums} → their states
return cjson.encode({states = states(asked.sums, asked.store)})
