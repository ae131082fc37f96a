/* See bodies.h. */
#define _GNU_SOURCE
#include "bodies.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t head_size(const char *data, size_t size) {
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end + 4 - data);
}

int head_status(const char *head) { return atoi(head + 9); } /* HTTP/1.1 200 */

const char *head_value(const char *head, size_t size, const char *name) {
    const char *end = head + size - 2; /* the empty line */
    for (const char *line = head; line < end; line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1) {
        if (strncasecmp(line, name, strlen(name)) != 0) continue;
        line += strlen(name);
        return line + strspn(line, " ");
    }
    return NULL;
}

static void take_size(struct chunks *chunks, char digit) {
    if (digit == '\n') {
        chunks->begun += chunks->left > 0;
        chunks->complete |= chunks->left == 0;
        chunks->expecting = chunks->left > 0 ? CHUNK_DATA : CHUNK_END;
    } else if (digit != '\r') {
        chunks->left = chunks->left * 16 + (size_t)((digit & 15) + (digit >> 6) * 9);
    }
}

size_t unchunk(struct chunks *chunks, char *data, size_t size) {
    size_t kept = 0;
    for (size_t at = 0; at < size;) {
        size_t here = chunks->left < size - at ? chunks->left : size - at;
        switch (chunks->expecting) {
        case CHUNK_SIZE: take_size(chunks, data[at++]); break;
        case CHUNK_DATA:
            memmove(data + kept, data + at, here);
            kept += here;
            at += here;
            chunks->left -= here;
            if (chunks->left == 0) chunks->expecting = CHUNK_END;
            break;
        case CHUNK_END:
            if (data[at++] == '\n') chunks->expecting = CHUNK_SIZE;
            break;
        }
    }
    return kept;
}
