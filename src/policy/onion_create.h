/* One element of `onions: create` before a parsed ADD_ONION (design 3.9). */
#ifndef OG_ONION_CREATE_H
#define OG_ONION_CREATE_H

#include "onion_request.h"
#include "onion_rules.h"
#include "template.h"

/* NULL if the element allows the whole request, else what it does not allow: static text.
 * *passed_out: how many kinds of arguments it did allow, to tell which element came nearest. A
 * request that is allowed but for proof of work passes an element with ONION_POW_REFUSE_512. */
const char *onion_create_refusal(const struct onion_create *create,
                                 const struct onion_request *request,
                                 const struct template_variables *variables, unsigned *passed_out);

/* Makes of an allowed request what is sent to tor: flags added and taken out, proof of work taken
 * out, addresses replaced. NULL, or why that is impossible. */
const char *onion_create_apply(const struct onion_create *create,
                               const struct template_variables *variables,
                               struct onion_request *request);

#endif
