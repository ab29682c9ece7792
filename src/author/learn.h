/* From what an application did to the draft of a profile (design 5, `learn`).
 *
 * Input is the log of complain mode or a recording; output a profile that allows what was seen,
 * with a comment for each rule: what was seen how often, and what was generalised. Rules that an
 * author should think about first are written as comments that say why. The same input gives the
 * same text. */
#ifndef OG_LEARN_H
#define OG_LEARN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

#define LEARN_MAX_TEXT (64 * 1024 * 1024)  /* bytes of one input */
#define LEARN_MAX_DRAFT (16 * 1024 * 1024) /* bytes of the result */

struct learn;

struct learn *learn_new(void);
void learn_free(struct learn *learn); /* NULL allowed */

/* Takes one whole input. If it has lines of complain mode, they are read and all others are not;
 * else it is read as a recording. */
void learn_take(struct learn *learn, struct span text);

struct learn_counts {
    unsigned long commands; /* that something was learnt from */
    unsigned long ignored;  /* lines that are no commands, or none that tor would answer */
    size_t clients;         /* profiles in the draft */
};

struct learn_counts learn_counts(const struct learn *learn);

/* Appends the draft, a profile for each client. `name`: for the first of them; NULL: by what is
 * known of it. False: nothing was learnt, or it does not fit. */
bool learn_write(const struct learn *learn, const char *name, struct buf *out);

/* Appends what the draft grants to its first client, without who that is: the keys of a profile
 * from `commands` on, as they stand in one. False as above. */
bool learn_write_grants(const struct learn *learn, struct buf *out);

#endif
