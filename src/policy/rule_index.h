/* The rules of one command, ordered for the look-up.
 *
 * The answer is that of trying all rules one after the other: the first that matches, or hits a
 * limit, decides. But a profile may list thousands of literal texts, and of those at most one is
 * looked at for each text that is asked for. */
#ifndef OG_RULE_INDEX_H
#define OG_RULE_INDEX_H

#include <stddef.h>

#include "pattern.h"
#include "span.h"

struct rule;

struct rule_index {
    const struct rule **literals; /* by text; of equal ones the first only; owned array */
    size_t literal_count;
    const struct rule **others; /* in their order; owned array */
    size_t other_count;
};

/* Indexes an array of rules, which must outlive the index. A rule without a pattern matches
 * nothing. */
void rule_index_build(struct rule_index *index, const struct rule *rules, size_t count);
void rule_index_clear(struct rule_index *index);

/* The first rule that matches `text` or hits a limit, in *rule_out; the captures are of a match
 * only. *rule_out stays as it is where no rule matches. `budget` as for pattern_try. */
enum pattern_result rule_index_match(const struct rule_index *index, struct span text,
                                     struct pattern_budget *budget, const struct rule **rule_out,
                                     struct captures *captures_out);

#endif
