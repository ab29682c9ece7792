/* What goes to the client, in order, in whole messages (design 4.2; control-protocol 7.14).
 *
 * Lines of a message collect at the end; they become visible to the writer when the message is
 * committed, so a short reply is one write, and one that turns out bad can be taken back. */
#ifndef OG_OUTBOX_H
#define OG_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

struct outbox {
    struct buf buf;
    size_t committed; /* bytes at the front that may be written */
    bool is_secret;   /* a key is among them, or was; until it runs empty */
};

void outbox_init(struct outbox *outbox, size_t max);
void outbox_clear(struct outbox *outbox);

/* Where the lines of the current message are appended. */
struct buf *outbox_message(struct outbox *outbox);

void outbox_commit(struct outbox *outbox);
void outbox_rollback(struct outbox *outbox);

/* Bytes of the message that is not committed yet. */
size_t outbox_uncommitted(const struct outbox *outbox);

/* What may be written now; borrowed until the next change. */
struct span outbox_ready(const struct outbox *outbox);

/* `len` bytes of it were written. */
void outbox_sent(struct outbox *outbox, size_t len);

#endif
