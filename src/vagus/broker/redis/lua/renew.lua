-- Begin the stream anew under another epoch if it was set back, unless somebody has done so already: it forgot
-- publications that were heard, and has given their numbers to others, or would.
--
-- KEYS  1 meta, 2 stream
-- ARGV  1 the epoch in which publications were heard, 2 the offset they reached, 3 another epoch,
--       4 the mark of the last one that was heard, '' if it is not known
-- Result  offset, epoch

local meta = redis.call('HMGET', KEYS[1], 'e', 'o')
local epoch, offset = meta[1] or '', meta[2] or '0'
local is_set_back = tonumber(offset) < tonumber(ARGV[2])
if epoch == ARGV[1] and not is_set_back and ARGV[4] ~= '' then
  local entry = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2], 'COUNT', 1)[1]
  is_set_back = entry and entry[1] ~= ARGV[2] .. '-' .. ARGV[4]
end
if epoch == ARGV[1] and is_set_back then
  redis.call('HSET', KEYS[1], 'e', ARGV[3])
  redis.call('DEL', KEYS[2])
  return {offset, ARGV[3]}
end
return {offset, epoch}
