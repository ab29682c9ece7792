/* onion-graterctl reload: what the loader said, and what has changed. */
#ifndef OG_RELOAD_H
#define OG_RELOAD_H

#include <stdbool.h>

#include "answer.h"
#include "buf.h"
#include "page.h"

void reload_write_text(const struct answer *answer, unsigned width, struct page *page);

/* Appends one object: "reloaded", "messages", "changes". */
void reload_write_json(const struct answer *answer, struct buf *out);

/* Whether the profiles were taken, and all of them: no file had an error. */
bool reload_is_good(const struct answer *answer);

#endif
