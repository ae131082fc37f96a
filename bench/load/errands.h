/* Requests beside a connection: over STREAM and POLLING what a client sends goes up in POSTs of its own. All clients
   share one kept-alive connection for theirs, one request after the other, as the tabs of a browser would. */
#ifndef ERRANDS_H
#define ERRANDS_H

#include <stddef.h>

#include "connection.h"

/* Posts a body for a connection. An answer that is no success marks the connection as refused and closes it. */
void errand_post(struct connection *from, const char *path, const char *body, size_t size);

#endif
