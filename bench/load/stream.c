/* See stream.h. Deliveries are bits in a map, so that a million of them are cheap to account for. */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hexadecimal(const char *digits, unsigned count) {
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned char digit = (unsigned char)digits[i];
        value = value << 4 | (uint64_t)((digit & 15) + (digit >> 6) * 9);
    }
    return value;
}

static void write_hexadecimal(char *to, uint64_t value, unsigned count) {
    for (unsigned i = count; i-- > 0; value >>= 4) to[i] = "0123456789abcdef"[value & 15];
}

bool stamp_read(const char *text, size_t size, struct stamp *stamp) {
    const char *at = memchr(text, '~', size);
    if (at == NULL || (size_t)(text + size - at) < STAMP_SIZE) return false;
    stamp->kind = at[1];
    stamp->sequence = (uint32_t)hexadecimal(at + 2, 8);
    stamp->sent_ns = hexadecimal(at + 10, 16);
    return true;
}

void stamp_write(char *to, struct stamp stamp) {
    to[0] = '~';
    to[1] = stamp.kind;
    write_hexadecimal(to + 2, stamp.sequence, 8);
    write_hexadecimal(to + 10, stamp.sent_ns, 16);
}

void data_write(char *to, size_t size, struct stamp stamp) {
    if (size < SMALLEST_DATA) fail("data needs %d bytes for its stamp", SMALLEST_DATA);
    memset(to, 'x', size);
    memcpy(to, "{\"d\":\"", 6);
    stamp_write(to + 6, stamp);
    memcpy(to + size - 2, "\"}", 3);
}

static size_t words_each(const struct stream *stream) { return (stream->capacity + 63) / 64; }

void stream_begin(struct stream *stream, char kind, uint32_t receivers, uint32_t capacity) {
    memset(stream, 0, sizeof *stream);
    stream->kind = kind;
    stream->receivers = receivers;
    stream->capacity = capacity;
    stream->seen = calloc(words_each(stream) * receivers + 1, sizeof *stream->seen);
    stream->last = calloc(receivers + 1, sizeof *stream->last);
    if (stream->seen == NULL || stream->last == NULL) fail("out of memory");
}

struct stamp stream_next(struct stream *stream, uint64_t now, uint32_t copies) {
    stream->expected += copies;
    return (struct stamp){.kind = stream->kind, .sequence = stream->sent++, .sent_ns = now};
}

void stream_take(struct stream *stream, uint32_t receiver, struct stamp stamp, uint64_t now) {
    if (receiver >= stream->receivers || stamp.sequence >= stream->capacity) return;
    uint64_t *word = &stream->seen[receiver * words_each(stream) + stamp.sequence / 64];
    uint64_t bit = 1ULL << (stamp.sequence % 64);
    if (*word & bit) {
        stream->duplicated++;
        return;
    }
    *word |= bit;
    if (stamp.sequence + 1 < stream->last[receiver]) stream->disordered++;
    else stream->last[receiver] = stamp.sequence + 1;
    stream->delivered++;
    stream->last_delivery_ns = now;
    histogram_add(&stream->latencies, now - stamp.sent_ns);
}

void stream_end(struct stream *stream) {
    free(stream->seen);
    free(stream->last);
    stream->seen = NULL;
    stream->last = NULL;
}

void stream_report(const char *prefix, const struct stream *stream) {
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"sent", stream->sent},
        {"expected", stream->expected},
        {"delivered", stream->delivered},
        {"lost", stream->expected - stream->delivered},
        {"duplicated", stream->duplicated},
        {"disordered", stream->disordered},
    };
    char key[64];
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        snprintf(key, sizeof key, "%s%s", prefix, counts[i].name);
        report_count(key, counts[i].value);
    }
    report_latencies(prefix, &stream->latencies);
}
