-- Forget a tenure after whom everything is cleared up, unless it lives after all.
--
-- KEYS  1 beats
-- ARGV  1 tenure, 2 ms without a beat after which a tenure is dead

local time = redis.call('TIME')
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
if before and tonumber(before) < time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return 1
