-- Give a publication its place in the stream, keep it and send it. The flow is no key: a slot of a Cluster that is on
-- the move refuses a script of which some keys are there and some are not.
--
-- KEYS  1 meta, 2 stream, 3 receipt (only with an idempotency key)
-- ARGV  1 PUBLISH or SPUBLISH, 2 flow, 3 parcel, 4 publications kept, 5 ms they are kept, 6 ms the position is kept,
--       7 a random number of eight hexadecimal digits, 8 ms a receipt is kept, 9 version (none if it has none),
--       10 version's epoch
-- Result  offset, epoch, 1 if it was dropped

if KEYS[3] then
  local receipt = redis.call('GET', KEYS[3])
  local offset, epoch = string.match(receipt or '', '^(%d+) (.*)$')
  if offset then
    return {offset, epoch, 1}
  end
end

local meta = redis.call('HMGET', KEYS[1], 'e', 'o', 'm', 'v', 'w')
local epoch = meta[1]

local function answer(offset, dropped)
  if KEYS[3] then
    redis.call('SET', KEYS[3], offset .. ' ' .. epoch, 'PX', ARGV[8])
  end
  return {offset, epoch, dropped}
end

if not epoch then
  epoch = ARGV[7]
  meta = {}
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'e', epoch)
end

-- Versions are compared as digits, since numbers are exact up to 2^53 alone.
local version = ARGV[9]
if version then
  local last = meta[4] or '0'
  local is_above = #version > #last or (#version == #last and version > last)
  if ARGV[10] == (meta[5] or '') and not is_above then
    redis.call('PEXPIRE', KEYS[1], ARGV[6])
    return answer(meta[2] or '0', 1)
  end
  redis.call('HSET', KEYS[1], 'v', version, 'w', ARGV[10])
end

-- The random number is the epoch of a stream that has none, and the mark of the publication: two with the same offset
-- and epoch, of which one is from before the stream was set back, can be told apart by it. The mark of the one before is
-- sent along, so that what was heard can be seen to be the same stream.
local mark = string.format('%.0f', tonumber(ARGV[7], 16))
local offset = string.format('%.0f', (meta[2] or 0) + 1)
redis.call('HSET', KEYS[1], 'o', offset, 'm', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], offset .. '-' .. mark, 'p', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
local place = '+' .. offset .. ' ' .. epoch .. ' ' .. ARGV[7] .. ' ' .. (meta[3] or '') .. '\n'
redis.call(ARGV[1], ARGV[2], place .. ARGV[3])
return answer(offset, 0)
