/* See protocols.h: the table, and the templates in it. */
#include "protocols.h"

#include <stdio.h>
#include <string.h>

#include "measure.h"

static const struct protocol rows[] = {
    {
        .name = "centrifuge",
        .path = "/connection/websocket",
        .publisher_path = "/connection/websocket",
        .joins_lines = true,
        .ping = "{}",
        .pong = "{}",
        .subscriber = {{NULL, "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"$c\"}}"},
                       {"{\"id\":2,", NULL}},
        .publisher = {{NULL, "{\"id\":1,\"connect\":{}}"}, {"{\"id\":1,", NULL}},
        .publish = "{\"id\":$i,\"publish\":{\"channel\":\"$c\",\"data\":$d}}",
        .reply = "{\"id\":",
    },
    {
        .name = "socketio",
        .path = "/socket.io/?EIO=4&transport=websocket",
        .publisher_path = "/socket.io/?EIO=4&transport=websocket",
        .ping = "2",
        .pong = "3",
        .subscriber = {{"0{", "40"}, {"40", "421[\"subscribe\",\"$c\"]"}, {"431", NULL}},
        .publisher = {{"0{", "40"}, {"40", NULL}},
        .publish = "42[\"publish\",\"$c\",$d]",
    },
    /* A bare WebSocket server: whoever opens /sub/X gets as text frames what whoever opened /pub/X sends. */
    {.name = "ws", .path = "/sub/$c", .publisher_path = "/pub/$c", .publish = "$d"},
    /* WebSocket frames on a plain TCP connection, for the loop of send() that marks the limit. */
    {.name = "raw", .publish = "$d"},
};

const struct protocol *protocol_named(const char *name) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    fail("no protocol is named %s", name);
}

size_t expand(char *to, size_t room, const char *template, uint32_t number, const char *channel, const char *data) {
    size_t length = 0;
    char digits[12];
    for (const char *at = template; *at != 0; at++) {
        const char *piece = at;
        size_t size = 1;
        if (*at == '$') {
            snprintf(digits, sizeof digits, "%u", number);
            at++;
            piece = *at == 'c' ? channel : *at == 'd' ? data : digits;
            size = strlen(piece);
        }
        if (length + size >= room) fail("a message is longer than %zu bytes", room);
        memcpy(to + length, piece, size);
        length += size;
    }
    to[length] = 0;
    return length;
}
