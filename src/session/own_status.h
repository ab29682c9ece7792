/* GETINFO circuit-status and stream-status, as tor would answer if there were only the client's own
 * streams and the circuits that they use (design 3.8, control-protocol 2.3).
 *
 * Stands before the rules of the reply: they see what tor would have sent. */
#ifndef OG_OWN_STATUS_H
#define OG_OWN_STATUS_H

#include <stddef.h>

#include "buf.h"
#include "own_streams.h"
#include "reply.h"

#define OWN_STATUS_MAX_LINES 3 /* that one line of tor's can become */

struct own_status_key;

struct own_status {
    const struct own_status_key *key; /* whose block we stand in; NULL: none */
    size_t count;                     /* entries of it that are the client's */
    struct buf first;                 /* the first of them, held back: "250-KEY=ENTRY" */
    struct buf header;                /* "250+KEY=", or "250-KEY=" */
};

void own_status_init(struct own_status *status);
void own_status_clear(struct own_status *status);

/* Takes the next line of a reply to GETINFO. Fills `lines_out` with the lines that take its place
 * and returns their number; they are borrowed until the next call. */
size_t own_status_feed(struct own_status *status, const struct own_streams *own,
                       const struct reply_line *line,
                       struct reply_line lines_out[OWN_STATUS_MAX_LINES]);

#endif
