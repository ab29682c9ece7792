/* Positional arguments: words cut at spaces, empty ones dropped (control-protocol 1.4, P). */
#ifndef OG_WORDS_H
#define OG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

/* Takes the next word off *rest. False when only spaces are left. */
bool words_next(struct span *rest, struct span *word_out);

/* How many words there are. */
size_t words_count(struct span text);

#endif
