#include "outbox.h"

void outbox_init(struct outbox *outbox, size_t max)
{
    buf_init(&outbox->buf, max);
    outbox->committed = 0;
}

void outbox_clear(struct outbox *outbox)
{
    buf_wipe(&outbox->buf);
    outbox->committed = 0;
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
    buf_consume(&outbox->buf, len);
    outbox->committed -= len;
}
