/* onion-graterctl status: the daemon's answer for people, or as one JSON object. */
#ifndef OG_STATUS_H
#define OG_STATUS_H

#include <stdbool.h>

#include "answer.h"
#include "buf.h"
#include "page.h"
#include "user_names.h"

struct status_setup {
    const struct user_names *names;
    const char *version; /* of onion-graterctl */
    unsigned width;      /* of the terminal; 0: lines are as long as they are */
};

/* Adds the whole answer to the page: what the daemon is and does, then its sessions. */
void status_write_text(const struct answer *answer, const struct status_setup *setup,
                       struct page *page);

/* Appends one object: the records of each type by its name, without their "type", which
 * onion-graterctl(8) describes. Records of types that are not known here are left out. */
void status_write_json(const struct answer *answer, const struct user_names *names,
                       struct buf *out);

#endif
