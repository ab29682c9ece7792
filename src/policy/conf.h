/* `confs`: GETCONF, SETCONF and RESETCONF judged pair by pair on tor's own grammar (design 3.6). */
#ifndef OG_CONF_H
#define OG_CONF_H

#include <stdbool.h>

#include "kvline.h"
#include "policy.h"

enum conf_result {
    CONF_REFUSED = 0,   /* not listed, or no value pattern matches */
    CONF_ALLOWED,
    CONF_LIMIT, /* a pattern hit its limit: refuse */
};

/* May this option be read? *rule_out: the option's rule (its name is what is sent). */
enum conf_result conf_may_get(const struct policy_view *view, struct span name,
                              const struct conf_rule **rule_out);

/* May this pair of SETCONF or RESETCONF be sent? "KEY" alone needs the literal '' among the values;
 * "KEY=..." a value pattern that matches the complete value as written or as unquoted. A quoted
 * value with \xHH or octal escapes, which a pattern over the text would not see through, is judged
 * as unquoted only. A value whose unquoted form holds anything but printable ASCII is refused.
 * *rule_out: what decided; when refused, the first option of that name, or NULL. */
enum conf_result conf_may_set(const struct policy_view *view, const struct kv_pair *pair,
                              const struct conf_rule **rule_out);

#endif
