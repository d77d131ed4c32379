//! Steps that Redis performs as one.

use redis::Script;
use std::sync::LazyLock;

/// Takes one message. KEYS: the lists, then the hash and the sorted set of taken messages. ARGV: time, tag, end of the entry.
/// The same tag gives the same message: the answer to the first request may have been lost with the connection.
pub static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local entry = redis.call('HGET', KEYS[#KEYS - 1], ARGV[2])
         if entry then return string.sub(entry, 2, -(#ARGV[3] + 1)) end
         for i = 1, #KEYS - 2 do
           local raw = redis.call('RPOP', KEYS[i])
           if raw then
             redis.call('HSET', KEYS[#KEYS - 1], ARGV[2], '[' .. raw .. ARGV[3])
             redis.call('ZADD', KEYS[#KEYS], ARGV[1], ARGV[2])
             return raw
           end
         end
         return false",
    )
});

/// Ends with a taken message, and puts what takes its place at the left or right end of a list. KEYS: hash, sorted set, list.
/// ARGV: tag, command, message. Nothing happens when somebody else has taken it back meanwhile.
pub static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
         redis.call('HDEL', KEYS[1], ARGV[1])
         redis.call(ARGV[2], KEYS[3], ARGV[3])
         return 1",
    )
});

/// Ends with a taken message, and delays what takes its place. KEYS: hash, sorted set, sorted set of delayed messages.
/// ARGV: tag, time, message.
pub static DELAY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
         redis.call('HDEL', KEYS[1], ARGV[1])
         redis.call('ZADD', KEYS[3], ARGV[2], ARGV[3])
         return 1",
    )
});

/// Ends with a taken message. KEYS: hash, sorted set. ARGV: tag.
pub static FINISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('HDEL', KEYS[1], ARGV[1])
         return redis.call('ZREM', KEYS[2], ARGV[1])",
    )
});

/// Puts delayed messages whose time has come into their lists. KEYS: sorted set, then the lists. ARGV: time.
/// A member is the number of its list, a colon, and the message.
pub static DUE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
         for _, member in ipairs(due) do
           local colon = string.find(member, ':', 1, true)
           redis.call('LPUSH', KEYS[tonumber(string.sub(member, 1, colon - 1)) + 1], string.sub(member, colon + 1))
           redis.call('ZREM', KEYS[1], member)
         end
         return #due",
    )
});
