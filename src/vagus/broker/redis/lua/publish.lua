-- Give a publication its place in the stream, keep it and send it.
--
-- KEYS  1 meta, 2 stream, 3 flow, 4 receipt (only with an idempotency key)
-- ARGV  1 PUBLISH or SPUBLISH, 2 parcel, 3 publications kept, 4 ms they are kept, 5 ms the position is kept,
--       6 a random number of eight hexadecimal digits, 7 ms a receipt is kept, 8 version (none if it has none), 9 version's epoch
-- Result  offset, epoch, 1 if it was dropped

if KEYS[4] then
  local receipt = redis.call('GET', KEYS[4])
  local offset, epoch = string.match(receipt or '', '^(%d+) (.*)$')
  if offset then
    return {offset, epoch, 1}
  end
end

local meta = redis.call('HMGET', KEYS[1], 'e', 'o', 'v', 'w')
local epoch = meta[1]

local function answer(offset, dropped)
  if KEYS[4] then
    redis.call('SET', KEYS[4], offset .. ' ' .. epoch, 'PX', ARGV[7])
  end
  return {offset, epoch, dropped}
end

if not epoch then
  epoch = ARGV[6]
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'e', epoch)
end

-- Versions are compared as digits, since numbers are exact up to 2^53 alone.
local version = ARGV[8]
if version then
  local last = meta[3] or '0'
  local is_above = #version > #last or (#version == #last and version > last)
  if ARGV[9] == (meta[4] or '') and not is_above then
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    return answer(meta[2] or '0', 1)
  end
  redis.call('HSET', KEYS[1], 'v', version, 'w', ARGV[9])
end

-- The random number is the epoch of a stream that has none, and the mark of the publication: two with the same offset
-- and epoch, of which one is from before the stream was set back, can be told apart by it.
local mark = string.format('%.0f', tonumber(ARGV[6], 16))
local offset = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'o', 1))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[3], offset .. '-' .. mark, 'p', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call(ARGV[1], KEYS[3], '+' .. offset .. ' ' .. epoch .. ' ' .. ARGV[6] .. '\n' .. ARGV[2])
return answer(offset, 0)
