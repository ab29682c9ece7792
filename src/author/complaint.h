/* A line of complain mode, as the daemon writes it (io/relay_complain) and journalctl and others
 * show it: whatever stands in front of "complain: profile" does not matter. */
#ifndef OG_COMPLAINT_H
#define OG_COMPLAINT_H

#include <stdbool.h>

#include "buf.h"
#include "span.h"

struct complaint {
    struct span profile; /* empty: none matched */
    bool has_uid;
    unsigned long uid;
    struct span label; /* empty: not known */
    bool is_unconfined;
    struct span executable; /* empty: not known */
    struct span command;    /* its shape */
};

/* Whether the line has such a part at all. */
bool complaint_is_in(struct span line);

/* Reads it. The names are kept in `storage`, which is emptied first. False: there is none, or it is
 * not whole. */
bool complaint_parse(struct span line, struct buf *storage, struct complaint *complaint_out);

#endif
