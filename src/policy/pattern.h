/* Regular expressions of a profile (design 3.3): Perl-compatible, case-sensitive, anchored at both
 * ends as a group whatever they contain, and run under limits.
 *
 * Text is bytes (no UTF mode). A match that reaches a limit is its own result, and callers refuse.
 */
#ifndef OG_PATTERN_H
#define OG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

#define PATTERN_MAX_CAPTURES 32
#define PATTERN_MATCH_LIMIT 20000 /* of PCRE2's steps; a match that needs them all takes 0.3 ms */
#define PATTERN_DEPTH_LIMIT 10000
#define PATTERN_HEAP_LIMIT_KIB 4096

struct pattern; /* opaque, immutable once compiled */

enum pattern_result {
    PATTERN_NO_MATCH = 0,
    PATTERN_MATCH,
    PATTERN_LIMIT, /* gave up at a limit, or an internal error: refuse */
};

/* Captures of one match, borrowed from the subject. A group that took no part is empty. */
struct captures {
    struct span groups[PATTERN_MAX_CAPTURES];
    size_t count; /* groups of the pattern, whether they took part or not */
};

/* How many matches may still be run for one purpose. */
struct pattern_budget {
    size_t left;
    bool is_spent; /* one more was wanted than there were */
};

/* Compiles. On failure NULL, *column_out the offset (from 0) in `text` and the reason appended to
 * `error`, as a sentence that says what to write instead where that is known. Syntax that Python's
 * re and PCRE2 read differently is refused ({,n}, \N{...}, \K, (*VERB) at the start, ...), and so
 * are more than PATTERN_MAX_CAPTURES groups. */
struct pattern *pattern_compile(const char *text, size_t *column_out, struct buf *error);
void pattern_free(struct pattern *pattern);

/* Matches the complete subject. `captures_out` may be NULL. Not safe from several threads. */
enum pattern_result pattern_match(const struct pattern *pattern, struct span subject,
                                  struct captures *captures_out);

/* As pattern_match, and takes one off the budget if PCRE2 has to be asked (a literal pattern, or
 * text without what all matches have, costs nothing). Nothing left: PATTERN_LIMIT, and
 * is_spent. `budget` may be NULL: any number. */
enum pattern_result pattern_try(const struct pattern *pattern, struct span subject,
                                struct pattern_budget *budget, struct captures *captures_out);

/* How many bytes at the front of the subject a match could begin with, were the others different
 * ones: to tell a person where the subject leaves the pattern. Compiles the pattern once more, so
 * it is not for a daemon; takes one off the budget if so. Beyond a limit less is said to fit. */
size_t pattern_prefix_length(const struct pattern *pattern, struct span subject,
                             struct pattern_budget *budget);

/* Capture groups of the pattern. */
size_t pattern_capture_count(const struct pattern *pattern);

/* The pattern's text as written. */
const char *pattern_text(const struct pattern *pattern);

/* Whether the pattern has no special character, so that it matches its own text only. */
bool pattern_is_literal(const struct pattern *pattern);

#endif
