/* The language of a pattern as a finite automaton, for exact answers: does one pattern match all
 * that another one does, and is there a text that both match.
 *
 * Of a pattern with parts that no automaton can follow (REGEX_OPAQUE), AUTOMATON_UPPER matches at
 * least what the pattern matches, AUTOMATON_LOWER at most. */
#ifndef OG_AUTOMATON_H
#define OG_AUTOMATON_H

#include <stdbool.h>

#include "buf.h"
#include "regex_tree.h"

enum automaton_bound {
    AUTOMATON_UPPER,
    AUTOMATON_LOWER,
};

/* Which bytes texts are made of. */
enum automaton_text {
    AUTOMATON_COMMAND, /* printable ASCII */
    AUTOMATON_LINE,    /* a line of tor's: also TAB and what is not ASCII */
};

enum automaton_answer {
    AUTOMATON_NO,
    AUTOMATON_YES,
    AUTOMATON_UNKNOWN, /* more work than it is worth */
};

struct automaton;

/* NULL if it would be too large. */
struct automaton *automaton_build(const struct regex *regex, enum automaton_bound bound);
void automaton_free(struct automaton *automaton);

/* Whether `outer` matches every text that `inner` matches. For a certain yes, `outer` is a lower
 * bound and `inner` an upper one. */
enum automaton_answer automaton_includes(const struct automaton *outer,
                                         const struct automaton *inner, enum automaton_text text);

/* Whether there is a text that both match; a shortest one is appended to `example` if that is not
 * NULL. For a certain no, both are upper bounds. */
enum automaton_answer automaton_meets(const struct automaton *a, const struct automaton *b,
                                      enum automaton_text text, struct buf *example);

#endif
