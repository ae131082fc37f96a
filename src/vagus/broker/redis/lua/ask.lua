-- Send a question, and find out who can answer it.
--
-- KEYS  1 beats, 2.. the channels that it is sent to
-- ARGV  1 PUBLISH or SPUBLISH, 2 message, 3 ms without a beat after which a tenure is dead
-- Result  the tenures alive

local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[3])
for i = 2, #KEYS do
  redis.call(ARGV[1], KEYS[i], ARGV[2])
end
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', oldest), '+inf')
