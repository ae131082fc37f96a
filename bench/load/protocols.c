/* See protocols.h: the table, and the templates in it. */
#include "protocols.h"

#include <stdio.h>
#include <string.h>

#include "measure.h"

#define POLLED "/socket.io/?EIO=4&transport=polling"

static const struct protocol rows[] = {
    {
        .name = "centrifuge",
        .path = "/connection/websocket",
        .publisher_path = "/connection/websocket",
        .joining = LINES,
        .ping = "{}",
        .pong = "{}",
        .subscriber = {{NULL, "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"$c\"$r}}"},
                       {"{\"id\":2,", NULL}},
        .publisher = {{NULL, "{\"id\":1,\"connect\":{}}"}, {"{\"id\":1,", NULL}},
        .publish = "{\"id\":$i,\"publish\":{\"channel\":\"$c\",\"data\":$d}}",
        .reply = "{\"id\":",
    },
    {
        .name = "http-stream",
        .carrier = STREAM,
        .path = "/connection/http_stream",
        .body = "{\"id\":1,\"connect\":{}}",
        .up_path = "/emulation",
        .up_body = "{\"session\":\"$s\",\"node\":\"$n\",\"data\":\"$q\"}",
        .session_key = "session",
        .joining = LINES,
        .ping = "{}",
        .pong = "{}",
        .subscriber = {{"{\"id\":1,", "{\"id\":2,\"subscribe\":{\"channel\":\"$c\"}}"}, {"{\"id\":2,", NULL}},
        .publishes_as = "centrifuge",
    },
    {
        .name = "sse",
        .carrier = STREAM,
        .path = "/connection/sse?cf_connect=%7B%22id%22%3A1%2C%22connect%22%3A%7B%7D%7D",
        .line_head = "data: ",
        .up_path = "/emulation",
        .up_body = "{\"session\":\"$s\",\"node\":\"$n\",\"data\":\"$q\"}",
        .session_key = "session",
        .joining = LINES,
        .ping = "{}",
        .pong = "{}",
        .subscriber = {{"{\"id\":1,", "{\"id\":2,\"subscribe\":{\"channel\":\"$c\"}}"}, {"{\"id\":2,", NULL}},
        .publishes_as = "centrifuge",
    },
    /* What a browser's EventSource reads: ready with the head of the response. */
    {
        .name = "eventsource",
        .carrier = STREAM,
        .path = "/events?channel=$c",
        .line_head = "data: ",
        .joining = LINES,
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
    {
        .name = "socketio-polling",
        .carrier = POLLING,
        .path = POLLED,
        .up_path = POLLED "&sid=$s",
        .up_body = "$d",
        .session_key = "sid",
        .joining = RECORDS,
        .ping = "2",
        .pong = "3",
        .subscriber = {{"0{", "40"}, {"40", "421[\"subscribe\",\"$c\"]"}, {"431", NULL}},
        .publishes_as = "socketio",
    },
    {
        .name = "signalr",
        .path = "/hubs/vagus",
        .publisher_path = "/hubs/vagus",
        .joining = RECORDS,
        .subscriber = {{NULL, "{\"protocol\":\"json\",\"version\":1}\x1e"},
                       {"{}",
                        "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[\"$c\"]}\x1e"},
                       {"\"invocationId\":\"1\"", NULL}},
        .publisher = {{NULL, "{\"protocol\":\"json\",\"version\":1}\x1e"}, {"{}", NULL}},
        .publish = "{\"type\":1,\"target\":\"Publish\",\"arguments\":[\"$c\",$d]}\x1e",
    },
    /* An answer is [3, headers, "1", 1 with an error or 2 with nothing or 3 with a result, ...]. */
    {
        .name = "signalr-messagepack",
        .path = "/hubs/vagus",
        .joining = LENGTHS,
        .binary = true,
        .refusal = "\xa1" "1\x01",
        .subscriber = {{NULL, "{\"protocol\":\"messagepack\",\"version\":1}\x1e"},
                       {"{}", "$=\x96\x01\x80\xa1" "1\xa9Subscribe\x91$m\x90"},
                       {"\xa1" "1", NULL}},
        .publishes_as = "signalr",
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

const struct protocol *publisher_of(const struct protocol *protocol) {
    return protocol->publishes_as == NULL ? protocol : protocol_named(protocol->publishes_as);
}

/* What is written so far of an expansion; `length_at` is where the length of the rest goes, once it is known. */
struct expansion {
    char *to;
    size_t room, length, length_at;
};

static void add(struct expansion *expansion, const char *piece, size_t size) {
    if (expansion->length + size >= expansion->room) fail("a message is longer than %zu bytes", expansion->room);
    memcpy(expansion->to + expansion->length, piece, size);
    expansion->length += size;
}

static void add_text(struct expansion *expansion, const char *text) { add(expansion, text, strlen(text)); }

static void add_quoted(struct expansion *expansion, const char *text) {
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\') add(expansion, "\\", 1);
        add(expansion, text, 1);
    }
}

static void add_messagepack(struct expansion *expansion, const char *text) {
    size_t size = strlen(text);
    if (size > 31) fail("a channel is longer than 31 bytes");
    add(expansion, (char[]){(char)(0xa0 | size)}, 1);
    add(expansion, text, size);
}

static void add_word(struct expansion *expansion, char word, struct words words) {
    char digits[12];
    switch (word) {
    case 'c': add_text(expansion, words.channel); break;
    case 'm': add_messagepack(expansion, words.channel); break;
    case 'd': add_text(expansion, words.data); break;
    case 'q': add_quoted(expansion, words.data); break;
    case 's': add_text(expansion, words.session); break;
    case 'n': add_text(expansion, words.node); break;
    case 'r': add_text(expansion, words.recovery); break;
    case '=':
        add(expansion, "", 1);
        expansion->length_at = expansion->length;
        break;
    default:
        snprintf(digits, sizeof digits, "%u", words.number);
        add_text(expansion, digits);
    }
}

size_t expand(char *to, size_t room, const char *template, struct words words) {
    struct expansion expansion = {.to = to, .room = room};
    for (const char *at = template; *at != 0; at++) {
        if (*at == '$') add_word(&expansion, *++at, words);
        else add(&expansion, at, 1);
    }
    size_t rest = expansion.length - expansion.length_at;
    if (expansion.length_at > 0 && rest > 127) fail("a message is longer than its length can say");
    if (expansion.length_at > 0) to[expansion.length_at - 1] = (char)rest;
    to[expansion.length] = 0;
    return expansion.length;
}
