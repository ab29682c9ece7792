/* The STREAM event, read with its quotes (control-protocol 4.1, 7.16).
 *
 * "STREAM ID STATUS CIRCUIT TARGET [KEY=VALUE ...]". Any application chooses the text of some
 * fields: what stands inside a quoted value is never a field. */
#ifndef OG_STREAM_EVENT_H
#define OG_STREAM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

/* Where a stream came from, or a client. */
struct stream_source {
    bool is_known; /* false: it equals no other, itself included */
    bool is_ipv6;
    uint8_t address[16]; /* network order; IPv4 uses the first 4 (v4-mapped IPv6 is IPv4) */
};

struct stream_event {
    bool has_id; /* the id was read, whatever came after it */
    unsigned long id;
    struct span status;
    unsigned long circuit;       /* 0: none */
    struct stream_source source; /* SOURCE_ADDR; not known without one, or of a Unix socket */
};

/* Reads the text of the event's one line, without "650 ". False: it is not what tor writes (an
 * unprintable byte, a field that is no KEY=VALUE, an open quote, a second SOURCE_ADDR). The spans
 * are borrowed. */
bool stream_event_parse(struct span text, struct stream_event *event_out);

/* NEW or NEWRESOLVE: the one time that tor names the source. */
bool stream_event_begins(const struct stream_event *event);

/* CLOSED or FAILED: the last event of the stream. */
bool stream_event_ends(const struct stream_event *event);

/* "ADDRESS:PORT", an IPv6 address without brackets, the port after the last colon. */
bool stream_source_parse(struct span text, struct stream_source *source_out);

/* By address alone: ports are not compared. */
bool stream_source_equals(const struct stream_source *a, const struct stream_source *b);

#endif
