/* What a pattern lets through: questions about all texts that it matches.
 *
 * Whatever is answered with true is certain: where the pattern is not fully understood, or the
 * answer would cost too much, it is false. */
#ifndef OG_LANGUAGE_H
#define OG_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "automaton.h"
#include "buf.h"
#include "pattern.h"
#include "regex_tree.h"
#include "span.h"
#include "template.h"

struct language;

/* Of a pattern's text. NULL if it is no pattern, or not understood. */
struct language *language_new(const char *text, enum automaton_text alphabet);
void language_free(struct language *language); /* NULL allowed */

/* Of what a template makes of a pattern's matches: each group may be any text that it can be, each
 * variable is one of its value here. NULL as above. */
struct language *language_of_template(const struct language *pattern,
                                      const struct template *template,
                                      const struct template_variables *variables);

/* Probes are patterns that many languages are asked about, so they may be built once: those that
 * come up in questions about this language, and about what templates make of it from now on, are
 * kept in `probes`, which has to outlive it. */
struct language_probes;
struct language_probes *language_probes_new(void);
void language_probes_free(struct language_probes *probes);
void language_use_probes(struct language *language, struct language_probes *probes);

/* The pattern's text. */
const char *language_text(const struct language *language);

enum automaton_text language_alphabet(const struct language *language);

/* The tree of it. */
const struct regex *language_tree(const struct language *language);

/* Whether the pattern matches this text. */
bool language_matches(const struct language *language, struct span text);

/* Whether there is a text that both match, `probe` being a pattern; it is appended to `example` if
 * that is not NULL. */
bool language_meets(const struct language *language, const char *probe, struct buf *example);

/* Whether there is no such text. */
bool language_avoids(const struct language *language, const char *probe);

/* Whether all its texts are ones that `probe` matches. */
bool language_is_within(const struct language *language, const char *probe);

/* Whether it has all texts that `probe` matches. */
bool language_spans(const struct language *language, const char *probe);

/* Whether `outer` has all texts of `inner`. */
bool language_covers(const struct language *outer, const struct language *inner);

/* Whether a part of any length may hold any of these bytes. */
bool language_is_free(const struct language *language, const char *bytes);

/* All its texts, if they are no more than `limit`. */
bool language_enumerate(const struct language *language, size_t limit, struct text_list *list_out);

/* Whether what all its texts begin with speaks against one that begins so. */
bool language_rules_out(const struct language *language, struct span beginning);

/* Appends what all its texts begin with. */
void language_append_prefix(const struct language *language, struct buf *out);

#endif
