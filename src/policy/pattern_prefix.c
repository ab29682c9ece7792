/* Where a text leaves a pattern, for messages to the authors of profiles.
 *
 * PCRE2 tells of a text that ended too early that it matches in part; the longest front of the
 * subject of which that can be said is found by bisection, as a shorter front of a possible
 * beginning is one, too. PCRE2 has no partial matching for patterns that are anchored at their end
 * (pcre2api), so the pattern is compiled anew with \z behind it, which a hard partial match takes
 * for "more may come". */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define COMPILE_OPTIONS \
    (PCRE2_ANCHORED | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C)

struct prober {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *match_data;
};

static bool prober_init(struct prober *prober, const char *text)
{
    char *open_ended = mem_printf("(?:%s)\\z", text);
    PCRE2_SIZE offset;
    int error;

    *prober = (struct prober){NULL, NULL, NULL};
    prober->code = pcre2_compile((PCRE2_SPTR)open_ended, strlen(open_ended), COMPILE_OPTIONS,
                                 &error, &offset, NULL);
    free(open_ended);
    if (!prober->code)
        return false;
    prober->limits = pcre2_match_context_create(NULL);
    prober->match_data = pcre2_match_data_create_from_pattern(prober->code, NULL);
    if (!prober->limits || !prober->match_data)
        abort();
    pcre2_set_match_limit(prober->limits, PATTERN_MATCH_LIMIT);
    pcre2_set_depth_limit(prober->limits, PATTERN_DEPTH_LIMIT);
    pcre2_set_heap_limit(prober->limits, PATTERN_HEAP_LIMIT_KIB);
    return true;
}

static void prober_clear(struct prober *prober)
{
    pcre2_match_data_free(prober->match_data);
    pcre2_match_context_free(prober->limits);
    pcre2_code_free(prober->code);
}

static bool fits(const struct prober *prober, struct span front)
{
    int result = pcre2_match(prober->code, (PCRE2_SPTR)front.data, front.len, 0,
                             PCRE2_PARTIAL_HARD | PCRE2_NO_JIT, prober->match_data, prober->limits);

    return result > 0 || result == PCRE2_ERROR_PARTIAL;
}

static size_t longest_front(const struct prober *prober, struct span subject)
{
    size_t good = 0, bad = subject.len + 1;

    while (bad - good > 1) {
        size_t middle = good + (bad - good) / 2;
        if (fits(prober, span_first(subject, middle)))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

static size_t common_length(struct span a, struct span b)
{
    size_t len = 0;

    while (len < a.len && len < b.len && a.data[len] == b.data[len])
        len++;
    return len;
}

size_t pattern_prefix_length(const struct pattern *pattern, struct span subject,
                             struct pattern_budget *budget)
{
    const char *text = pattern_text(pattern);
    struct prober prober;
    size_t len = 0;

    if (pattern_is_literal(pattern))
        return common_length(span_from_string(text), subject);
    if (subject.len == 0)
        return 0;
    if (budget) {
        budget->is_spent = budget->left == 0;
        if (budget->is_spent)
            return 0;
        budget->left--;
    }
    if (prober_init(&prober, text))
        len = longest_front(&prober, subject);
    prober_clear(&prober);
    return len;
}
