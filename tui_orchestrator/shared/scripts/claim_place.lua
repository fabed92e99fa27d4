-- {id, tokens, limits = {{name, requests or nothing, tokens or nothing}}} → milliseconds until the call may start.
-- Places are given in the order they are asked for, so only the minute before one can be too full for it.
local MINUTE = 60000
local due = now
for _, limit in ipairs(asked.limits) do
  local key = at .. ':rate:' .. limit.name
  redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. (now - MINUTE))
  local places = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  if #places > 0 then due = math.max(due, tonumber(places[#places])) end
  local count, tokens = 0, 0
  for i = #places - 1, 1, -2 do
    count, tokens = count + 1, tokens + tonumber(string.match(places[i], '(%d+)$'))
    if (limit.requests and count >= limit.requests)
      or (limit.tokens and tokens > math.max(0, limit.tokens - asked.tokens)) then
      due = math.max(due, tonumber(places[i + 1]) + MINUTE)
      break
    end
  end
end
for _, limit in ipairs(asked.limits) do
  local key = at .. ':rate:' .. limit.name
  redis.call('ZADD', key, due, asked.id .. ' ' .. string.format('%.0f', asked.tokens))
  redis.call('PEXPIRE', key, math.max(due - now, 0) + 2 * MINUTE)
end
return cjson.encode({wait = due - now})
