/* What arrives over HTTP: the head of a response, and the chunks of a body taken apart. No sockets. */
#ifndef BODIES_H
#define BODIES_H

#include <stdbool.h>
#include <stddef.h>

/* The size of the head of a response with the empty line at its end; 0 while it is not whole. */
size_t head_size(const char *data, size_t size);
int head_status(const char *head);
/* The value of a header, up to the end of its line, or NULL. The name is written with its colon. */
const char *head_value(const char *head, size_t size, const char *name);

/* Where a chunked body (RFC 9112, section 7.1) has been read to; all zero at its begin. */
struct chunks {
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END } expecting;
    size_t left;   /* of the chunk's data, or what its size says so far */
    size_t begun;  /* chunks with data */
    bool complete; /* the last chunk has come */
};

/* Takes the frames of the chunks out of the bytes, in place; the number of bytes that remain. */
size_t unchunk(struct chunks *chunks, char *data, size_t size);

#endif
