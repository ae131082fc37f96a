-- Say that a tenure is alive, send its node a sign through the channel to it, and find out about the others.
--
-- KEYS  1 beats, 2 meta of the orders
-- ARGV  1 tenure, 2 ms without a beat after which a tenure is dead, 3 PUBLISH or SPUBLISH, 4 the channel to the node,
--       5 the sign, 6 1 if it has beaten before
-- Result  1 if others may have thought it dead, those alive, those dead, the epoch and the offset of the orders

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = now - tonumber(ARGV[2])
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
local is_late = 0
if ARGV[6] == '1' and (not before or tonumber(before) < oldest) then
  is_late = 1
else
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
end
redis.call(ARGV[3], ARGV[4], ARGV[5])
local alive = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', oldest), '+inf')
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', oldest), 'LIMIT', 0, 100)
local orders = redis.call('HMGET', KEYS[2], 'e', 'o')
return {is_late, alive, dead, orders[1] or '', orders[2] or '0'}
