#include "outbox.h"

void outbox_init(struct outbox *outbox, size_t max)
{
    *outbox = (struct outbox){.committed = 0};
    buf_init(&outbox->buf, max);
}

void outbox_clear(struct outbox *outbox)
{
    buf_wipe(&outbox->buf);
    outbox->committed = 0;
    outbox->is_secret = false;
}

struct buf *outbox_message(struct outbox *outbox)
{
    return &outbox->buf;
}

void outbox_commit(struct outbox *outbox)
{
    outbox->committed = outbox->buf.len;
}

void outbox_rollback(struct outbox *outbox)
{
    buf_truncate(&outbox->buf, outbox->committed);
}

size_t outbox_uncommitted(const struct outbox *outbox)
{
    return outbox->buf.len - outbox->committed;
}

struct span outbox_ready(const struct outbox *outbox)
{
    return span_first(buf_span(&outbox->buf), outbox->committed);
}

void outbox_sent(struct outbox *outbox, size_t len)
{
    if (len > outbox->committed)
        len = outbox->committed;
    if (outbox->is_secret)
        buf_consume_wiped(&outbox->buf, len);
    else
        buf_consume(&outbox->buf, len);
    outbox->committed -= len;
    outbox->is_secret = outbox->is_secret && outbox->buf.len > 0;
}
