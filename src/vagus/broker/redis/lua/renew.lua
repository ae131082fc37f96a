-- Begin the stream anew under another epoch, unless somebody has done so already: it forgot publications that were
-- heard, and would give their numbers to others.
--
-- KEYS  1 meta, 2 stream
-- ARGV  1 the epoch in which publications were heard, 2 the offset they reached, 3 another epoch
-- Result  offset, epoch

local meta = redis.call('HMGET', KEYS[1], 'e', 'o')
local offset = meta[2] or '0'
if meta[1] == ARGV[1] and tonumber(offset) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'e', ARGV[3])
  redis.call('DEL', KEYS[2])
  return {offset, ARGV[3]}
end
return {offset, meta[1] or ''}
