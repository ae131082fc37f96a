-- Note that a client is not present any more.
--
-- KEYS  1 clients, 2 users, 3 the tenure's index
-- ARGV  1 client, 2 channel if the tenure has nobody else in it, otherwise ''

local before = redis.call('HGET', KEYS[1], ARGV[1])
if before then
  redis.call('HDEL', KEYS[1], ARGV[1])
  local length, start = string.match(before, '^[^\n]*\n(%d+)\n()')
  local user = length and string.sub(before, start, start + length - 1)
  if user and redis.call('HINCRBY', KEYS[2], user, -1) <= 0 then
    redis.call('HDEL', KEYS[2], user)
  end
end
if ARGV[2] ~= '' then
  redis.call('SREM', KEYS[3], ARGV[2])
end
return 1
