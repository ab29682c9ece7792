/* `confs`: GETCONF, SETCONF and RESETCONF judged pair by pair on tor's own grammar (design 3.6). */
#ifndef OG_CONF_H
#define OG_CONF_H

#include <stdbool.h>

#include "kvline.h"
#include "policy.h"

enum conf_result {
    CONF_REFUSED = 0, /* not listed, or no value pattern matches */
    CONF_ALLOWED,
    CONF_LIMIT, /* a pattern hit its limit: refuse */
};

/* May this option be read? *rule_out: the option's rule (its name is what is sent). */
enum conf_result conf_may_get(const struct policy_view *view, struct span name,
                              const struct conf_rule **rule_out);

/* May this pair of SETCONF or RESETCONF be sent? "KEY" alone needs the literal '' among the values;
 * "KEY=..." a value pattern that matches the complete value as unquoted. Only a pattern that has
 * a '"' in its own text may match a quoted value as written instead: to any other the quotes would
 * be a way past what it excludes. A value with escapes other than \\ \" \', which a pattern over
 * the text would not see through, is judged as unquoted in any case; one whose unquoted form holds
 * anything but printable ASCII is refused. `budget` as for pattern_try.
 * *rule_out: what decided; when refused, the first option of that name, or NULL. */
enum conf_result conf_may_set(const struct policy_view *view, const struct kv_pair *pair,
                              struct pattern_budget *budget, const struct conf_rule **rule_out);

#endif
