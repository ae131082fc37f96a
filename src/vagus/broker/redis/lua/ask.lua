-- Send a question, and find out who can answer it.
--
-- KEYS  1 beats
-- ARGV  1 PUBLISH or SPUBLISH, 2 the channel that it is sent to, 3 message, 4 ms without a beat after which a tenure is dead
-- Result  the tenures alive

local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[4])
redis.call(ARGV[1], ARGV[2], ARGV[3])
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', oldest), '+inf')
