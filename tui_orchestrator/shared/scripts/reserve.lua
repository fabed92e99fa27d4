-- {store, id, amount, caps = {{sum, limit or nothing}}} → what became of it, and each cap's state without it or with it
local quiet = begin()
if asked.amount ~= '0' then
  if quiet > 0 then return cjson.encode({wait = quiet}) end
  local known = redis.call('SISMEMBER', at .. ':in', asked.store) == 1
  if not known or not redis.call('ZSCORE', at .. ':stores', asked.store) then return cjson.encode({tell = true}) end
end
free(asked.store, asked.id)
local sums, room = {}, true
for _, cap in ipairs(asked.caps) do
  sums[#sums + 1] = cap.sum
  if cap.limit and asked.amount ~= '0' then
    local one = state(cap.sum, asked.store)
    local total = plus(plus(number(one.spent), number(one.held)), plus(number(one.aside), number(asked.amount)))
    room = room and fits(total, number(cap.limit))
  end
end
if room and asked.amount ~= '0' then hold(asked.store, asked.id, asked.amount, sums) end
return cjson.encode({granted = room, states = states(sums, asked.store)})
