/* What the files of status share. Not for others. */
#ifndef OG_STATUS_PARTS_H
#define OG_STATUS_PARTS_H

#include "answer.h"
#include "page.h"
#include "status.h"

/* status_summary.c: what the daemon is and does, without its sessions. */
void status_write_summary(const struct answer *answer, const struct status_setup *setup,
                          struct page *page);

#endif
