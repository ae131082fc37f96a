-- Note that a client is present, or what has changed about it.
--
-- KEYS  1 clients, 2 users, 3 the tenure's index
-- ARGV  1 client, 2 entry, 3 user, 4 channel, 5 ms the keys are kept

local before = redis.call('HGET', KEYS[1], ARGV[1])
if before then
  local length, start = string.match(before, '^[^\n]*\n(%d+)\n()')
  local user = length and string.sub(before, start, start + length - 1)
  if user and redis.call('HINCRBY', KEYS[2], user, -1) <= 0 then
    redis.call('HDEL', KEYS[2], user)
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], ARGV[3], 1)
redis.call('SADD', KEYS[3], ARGV[4])
for i = 1, 3 do
  redis.call('PEXPIRE', KEYS[i], ARGV[5])
end
return 1
