/* What would allow a refused command, made from its shape alone (onion-graterctl explain --last).
 *
 * The rule is the one that learn would draft, left out where learn would leave it out; what check
 * would say of it comes along. */
#ifndef OG_ALLOWANCE_H
#define OG_ALLOWANCE_H

#include <stdbool.h>

#include "buf.h"
#include "diag.h"
#include "span.h"

struct allowance {
    struct buf rules;          /* lines of a profile, indented as they stand in one */
    struct buf profile;        /* the draft of a whole one, for a client that none serves */
    struct diag_list messages; /* of the rules, each with its code; their places mean nothing */
    bool is_granted;           /* false: the rules are comments, which say why */
};

/* `complaint`: a line of complain mode (complaint.h). False: no rule could allow the command, since
 * tor would not answer it, or not once. The caller clears the result in any case. */
bool allowance_of_complaint(struct span complaint, struct allowance *allowance_out);

void allowance_clear(struct allowance *allowance);

#endif
