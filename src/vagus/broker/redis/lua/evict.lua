-- Remove some of the entries that a tenure has in a channel; with the last of them, the channel from its index.
--
-- KEYS  1 clients, 2 users, 3 the tenure's index
-- ARGV  1 tenure, 2 channel, 3 where to go on (first '0'), 4 about how many to look at
-- Result  where to go on, '0' if that was all

local scanned = redis.call('HSCAN', KEYS[1], ARGV[3], 'COUNT', ARGV[4])
local entries = scanned[2]
for i = 1, #entries, 2 do
  local tenure, length, start = string.match(entries[i + 1], '^([^\n]*)\n(%d+)\n()')
  if tenure == ARGV[1] and redis.call('HDEL', KEYS[1], entries[i]) == 1 then
    local user = string.sub(entries[i + 1], start, start + length - 1)
    if redis.call('HINCRBY', KEYS[2], user, -1) <= 0 then
      redis.call('HDEL', KEYS[2], user)
    end
  end
end
if scanned[1] == '0' then
  redis.call('SREM', KEYS[3], ARGV[2])
end
return scanned[1]
