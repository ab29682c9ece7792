/* The same form as diag_format gives a message that was not sent anywhere. */
#include "message.h"

#include "record.h"

void message_append_place(struct buf *out, struct span record)
{
    unsigned long line = record_count(record, "line");

    record_shown(record, "file", out);
    if (line > 0)
        buf_printf(out, ":%lu:%lu", line, record_count(record, "column"));
}

void message_append(struct buf *out, struct span record)
{
    message_append_place(out, record);
    buf_append_string(out, ": ");
    record_shown(record, "severity", out);
    buf_append_string(out, ": ");
    record_said(record, "text", out);
}
