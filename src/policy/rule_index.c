/* Which rule of a command matches first, without trying all.
 *
 * Literal rules are found by bisection; the others have to be tried, but only those that stand
 * before the literal rule that matches. Rules are of one array, so of two rules the one at the
 * lower address comes first. */
#include "rule_index.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "profile.h"

static struct span rule_text(const struct rule *rule)
{
    return span_from_string(pattern_text(rule->pattern));
}

static int compare_texts(struct span a, struct span b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* For qsort: by text, then by place. */
static int compare_rules(const void *left, const void *right)
{
    const struct rule *a = *(const struct rule *const *)left;
    const struct rule *b = *(const struct rule *const *)right;
    int order = compare_texts(rule_text(a), rule_text(b));

    return order ? order : (a > b) - (a < b);
}

/* For bsearch: a text and a rule. */
static int compare_with_rule(const void *text, const void *rule)
{
    return compare_texts(*(const struct span *)text, rule_text(*(const struct rule *const *)rule));
}

/* Rules behind another one of the same text are never reached. */
static void drop_repeated(struct rule_index *index)
{
    size_t kept = 0;

    for (size_t i = 0; i < index->literal_count; i++)
        if (kept == 0 ||
            !span_equals(rule_text(index->literals[i]), rule_text(index->literals[kept - 1])))
            index->literals[kept++] = index->literals[i];
    index->literal_count = kept;
}

void rule_index_build(struct rule_index *index, const struct rule *rules, size_t count)
{
    index->literals = mem_zalloc(count, sizeof(const struct rule *));
    index->others = mem_zalloc(count, sizeof(const struct rule *));
    index->literal_count = 0;
    index->other_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!rules[i].pattern)
            continue;
        if (pattern_is_literal(rules[i].pattern))
            index->literals[index->literal_count++] = &rules[i];
        else
            index->others[index->other_count++] = &rules[i];
    }
    qsort(index->literals, index->literal_count, sizeof(const struct rule *), compare_rules);
    drop_repeated(index);
}

void rule_index_clear(struct rule_index *index)
{
    free(index->literals);
    free(index->others);
    *index = (struct rule_index){0};
}

static const struct rule *find_literal(const struct rule_index *index, struct span text)
{
    const struct rule **found = NULL;

    if (index->literal_count > 0)
        found = bsearch(&text, index->literals, index->literal_count, sizeof(const struct rule *),
                        compare_with_rule);
    return found ? *found : NULL;
}

enum pattern_result rule_index_match(const struct rule_index *index, struct span text,
                                     struct pattern_budget *budget, const struct rule **rule_out,
                                     struct captures *captures_out)
{
    const struct rule *literal = find_literal(index, text);

    for (size_t i = 0; i < index->other_count; i++) {
        const struct rule *rule = index->others[i];
        if (literal && rule > literal)
            break;
        enum pattern_result result = pattern_try(rule->pattern, text, budget, captures_out);
        if (result == PATTERN_NO_MATCH)
            continue;
        *rule_out = rule;
        return result;
    }
    if (!literal)
        return PATTERN_NO_MATCH;
    *rule_out = literal;
    return pattern_match(literal->pattern, text, captures_out);
}
