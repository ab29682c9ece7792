/* What is counted of each session, and of all together; and the outcome of a command in one word,
 * as log, watch, status and metrics have it. */
#ifndef OG_TALLY_H
#define OG_TALLY_H

#include <stdbool.h>

#include "session.h"
#include "span.h"

enum tally_kind {
    /* Outcomes of commands. */
    TALLY_ALLOWED,
    TALLY_REWRITTEN,
    TALLY_ANSWERED,   /* by us; tor was not asked */
    TALLY_REJECTED,   /* 510 Command filtered */
    TALLY_COMPLAINED, /* complain mode let it pass */
    /* tor's events. */
    TALLY_EVENTS_PASSED,
    TALLY_EVENTS_WITHHELD,
    TALLY_PROBLEMS, /* with tor's answers */
    TALLY_BYTES_FROM_CLIENT,
    TALLY_BYTES_TO_CLIENT,
    TALLY_BYTES_FROM_TOR,
    TALLY_BYTES_TO_TOR,
};

#define TALLY_OUTCOMES (TALLY_COMPLAINED + 1) /* the first so many are outcomes */
#define TALLY_COUNT (TALLY_BYTES_TO_TOR + 1)

struct tally {
    unsigned long long count[TALLY_COUNT];
};

/* "allowed", "events_passed", ...; static. */
const char *tally_name(enum tally_kind kind);

/* The outcome of that name. False: there is none. */
bool tally_find_outcome(struct span name, enum tally_kind *kind_out);

/* What became of a command. */
enum tally_kind tally_outcome(const struct session_report *report);

#endif
