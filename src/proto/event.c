/* The asynchronous events of tor 0.4.9, as GETINFO events/names lists them.
 *
 * PT_LOG and PT_STATUS of the published specification are missing on purpose: tor 0.4.9 refuses to
 * subscribe them (control-protocol 4). */
#include "event.h"

static const char *const event_names[] = {
    "ADDRMAP",
    "BUILDTIMEOUT_SET",
    "BW",
    "CELL_STATS",
    "CIRC",
    "CIRC_BW",
    "CIRC_MINOR",
    "CLIENTS_SEEN",
    "CONF_CHANGED",
    "CONN_BW",
    "DEBUG",
    "DESCCHANGED",
    "ERR",
    "GUARD",
    "HS_DESC",
    "HS_DESC_CONTENT",
    "INFO",
    "NETWORK_LIVENESS",
    "NEWCONSENSUS",
    "NEWDESC",
    "NOTICE",
    "NS",
    "ORCONN",
    "SIGNAL",
    "STATUS_CLIENT",
    "STATUS_GENERAL",
    "STATUS_SERVER",
    "STREAM",
    "STREAM_BW",
    "TRANSPORT_LAUNCHED",
    "WARN",
};

#define EVENT_COUNT (sizeof(event_names) / sizeof(event_names[0]))

const char *event_find(struct span name)
{
    for (size_t i = 0; i < EVENT_COUNT; i++)
        if (span_equals_nocase(name, span_from_string(event_names[i])))
            return event_names[i];
    return NULL;
}

const char *event_at(size_t index)
{
    return index < EVENT_COUNT ? event_names[index] : NULL;
}

bool event_is_ignored(struct span name)
{
    return span_equals_nocase(name, SPAN("EXTENDED")) ||
           span_equals_nocase(name, SPAN("AUTHDIR_NEWDESCS"));
}

struct span event_name(const struct reply_line *first_line)
{
    return span_first(first_line->text, span_find(first_line->text, ' '));
}
