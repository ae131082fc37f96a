-- Read a part of the stream, and its position; a stream that has none yet gets an epoch.
--
-- KEYS  1 meta, 2 stream
-- ARGV  1 epoch for a stream that has none, 2 ms the position is kept,
--       3 XRANGE or XREVRANGE, or '' for the position alone, 4 first id, 5 last id, 6 how many ('' for all)
-- Result  offset, epoch, entries, the id of the newest one ('' if none is kept)

local meta = redis.call('HMGET', KEYS[1], 'e', 'o')
local epoch = meta[1]
local offset = meta[2] or '0'
if not epoch then
  epoch = ARGV[1]
  offset = '0'
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'e', epoch)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) / 2 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local entries = {}
if ARGV[3] ~= '' and ARGV[6] == '' then
  entries = redis.call(ARGV[3], KEYS[2], ARGV[4], ARGV[5])
elseif ARGV[3] ~= '' then
  entries = redis.call(ARGV[3], KEYS[2], ARGV[4], ARGV[5], 'COUNT', ARGV[6])
end
return {offset, epoch, entries, newest and newest[1] or ''}
