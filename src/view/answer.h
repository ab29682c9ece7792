/* The lines of one answer of the daemon, in their order. */
#ifndef OG_ANSWER_H
#define OG_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

#define ANSWER_MAX_BYTES (64 * 1024 * 1024) /* some sixty thousand sessions */

struct answer {
    struct span *records; /* owned, with their texts */
    size_t count;
    size_t bytes;
};

void answer_init(struct answer *answer);
void answer_clear(struct answer *answer);

/* Keeps a copy of a sound record. False: the answer is longer than is kept. */
bool answer_add(struct answer *answer, struct span record);

/* The first record of that type; empty: there is none. */
struct span answer_find(const struct answer *answer, const char *type);

/* The first record of that type from the index *at on, which is moved behind it. False: there is
 * none. */
bool answer_next(const struct answer *answer, const char *type, size_t *at,
                 struct span *record_out);

#endif
