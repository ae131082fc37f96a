-- Send a publication that is not kept, unless its idempotency key was used. The flow is a key here, so that a slot of a
-- Cluster that is on the move refuses this: where the receipt would go, nobody listens yet.
--
-- KEYS  1 flow, 2 receipt
-- ARGV  1 PUBLISH or SPUBLISH, 2 message, 3 ms a receipt is kept
-- Result  offset, epoch, 1 if it was dropped

local receipt = redis.call('GET', KEYS[2])
local offset, epoch = string.match(receipt or '', '^(%d+) (.*)$')
if offset then
  return {offset, epoch, 1}
end
redis.call('SET', KEYS[2], '0 ', 'PX', ARGV[3])
redis.call(ARGV[1], KEYS[1], ARGV[2])
return {'0', '', 0}
