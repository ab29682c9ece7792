/* onion-graterctl explain --last: what was refused to whom, and what would allow it. */
#ifndef OG_REFUSAL_PAGE_H
#define OG_REFUSAL_PAGE_H

#include <stdbool.h>

#include "allowance.h"
#include "buf.h"
#include "page.h"
#include "span.h"
#include "user_names.h"

struct refusal {
    struct span record;                /* of the daemon's answer */
    const char *clock;                 /* when it was, for people */
    const struct allowance *allowance; /* NULL: no rule can allow it */
    const char *profile; /* the profile whose rules refused it; NULL: none serves the client */
    const char *file;    /* where the rule belongs */
    const char *shipped; /* what `file` is to be copied from first; NULL: it is the admin's own */
};

void refusal_page_write(const struct refusal *refusal, const struct user_names *names,
                        unsigned width, struct page *page);

/* Appends one object; `refusal` NULL: nothing was refused. */
void refusal_page_write_json(const struct refusal *refusal, const struct user_names *names,
                             struct buf *out);

#endif
