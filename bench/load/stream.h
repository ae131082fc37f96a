/* A stream of stamped publications and what became of them: deliveries, losses, duplicates, order, latencies.

   A stamp is 26 characters that occur nowhere else in a message, so that it is found with one memchr and read
   without a JSON parser: ~ kind, sequence number (8 hexadecimal digits), moment of sending (16). */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure.h"

struct stamp {
    char kind;
    uint32_t sequence;
    uint64_t sent_ns;
};

#define STAMP_SIZE 26
#define SMALLEST_DATA (STAMP_SIZE + 8)

bool stamp_read(const char *text, size_t size, struct stamp *stamp);
void stamp_write(char *to, struct stamp stamp);

/* A JSON value of exactly `size` bytes that carries a stamp; `to` needs one byte more. */
void data_write(char *to, size_t size, struct stamp stamp);

/* Sequence numbers are counted for each receiver by itself (a broadcast), or for all together (one receiver each). */
struct stream {
    char kind;
    uint32_t receivers, capacity;
    uint64_t *seen;  /* a bit for each receiver and sequence number */
    uint32_t *last;  /* highest sequence number of each receiver */
    uint32_t sent;
    uint64_t expected, delivered, duplicated, disordered;
    uint64_t last_delivery_ns;
    struct histogram latencies;
};

void stream_begin(struct stream *stream, char kind, uint32_t receivers, uint32_t capacity);
struct stamp stream_next(struct stream *stream, uint64_t now, uint32_t copies);
void stream_take(struct stream *stream, uint32_t receiver, struct stamp stamp, uint64_t now);
void stream_end(struct stream *stream);
void stream_report(const char *prefix, const struct stream *stream);

#endif
