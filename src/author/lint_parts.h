/* What the files of lint share. Not for others. */
#ifndef OG_LINT_PARTS_H
#define OG_LINT_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "lint.h"
#include "language.h"

#define LINT_QUOTES 4
#define LINT_MAX_TEXTS 256 /* texts of one pattern that are looked at one by one */

/* One profile, or one policy, under examination. */
struct lint {
    struct diag_list *diags;
    const struct profile *profile;
    struct buf quotes[LINT_QUOTES];
    size_t next_quote;
    size_t comparisons;             /* of patterns with one another, so far */
    struct language_probes *probes; /* borrowed */
};

void lint_begin(struct lint *lint, struct language_probes *probes, struct diag_list *diags);
void lint_end(struct lint *lint);

#define lint_warning(lint, where, code, ...) \
    diag_add_coded((lint)->diags, DIAG_WARNING, where, code, __VA_ARGS__)
#define lint_note(lint, where, code, ...) \
    diag_add_coded((lint)->diags, DIAG_NOTE, where, code, __VA_ARGS__)

/* The language of a pattern, for questions; NULL: not understood. The caller frees it before the
 * lint ends. */
struct language *lint_language(const struct lint *lint, const char *text,
                               enum automaton_text alphabet);

/* The text made fit for a message; borrowed, good for the next LINT_QUOTES - 1 calls. */
const char *lint_quote(struct lint *lint, struct span text);

/* A rule of a command with what its texts can be. */
struct lint_rule {
    const struct command_rules *command;
    const struct rule *rule;
    struct language *asked; /* what a client may send; NULL: not understood */
    struct language *made;  /* owned: what its replacement makes of that, or NULL */
    struct language *sent;  /* borrowed: what tor gets; NULL: not understood, or tor is not asked */
};

/* What {client-address} and the like stand for while a profile is looked at. */
struct template_variables lint_variables(const struct profile *profile);

/* lint_pattern.c: mistakes of a pattern by itself. `what`: "the arguments", for messages. */
void lint_pattern(struct lint *lint, const struct language *language, struct source where,
                  const char *what);
void lint_alternation(struct lint *lint, const struct language *language, struct source where);
void lint_glob(struct lint *lint, const struct language *language, struct source where);
void lint_trailing_space(struct lint *lint, const struct language *language, struct source where);

/* lint_rules.c: what rules of commands grant. */
void lint_rule(struct lint *lint, const struct lint_rule *rule);

/* lint_info.c: GETINFO. */
void lint_info(struct lint *lint, const struct lint_rule *rule, bool is_wide);

/* lint_sendable.c: whether anything of what the rule allows can be sent. */
void lint_sendable(struct lint *lint, const struct lint_rule *rule);

/* lint_onion.c: onion services, by patterns and by `onions`. */
void lint_add_onion(struct lint *lint, const struct lint_rule *rule);
void lint_del_onion(struct lint *lint, const struct lint_rule *rule);
void lint_onions(struct lint *lint, const struct onion_rules *onions);

/* Whether an entry of `create` lets the client publish any port it likes. */
bool lint_onion_is_free(const struct onion_create *create);

/* lint_confs.c */
void lint_confs(struct lint *lint, const struct profile *profile);

/* lint_response.c: what rewriting does to the lines of replies. */
void lint_response(struct lint *lint, const struct lint_rule *rule);

/* lint_lines.c: a `response` list by itself. `grammar`: a pattern of all lines that tor writes for
 * this, data blocks aside, of which `what` speaks in messages; or NULL. */
void lint_line_rules(struct lint *lint, const struct line_rules *rules, const char *grammar,
                     const char *what);

/* Whether the line, which stands outside of data blocks, passes the list because no pattern is for
 * it. */
bool lint_line_slips(const struct line_rules *rules, struct span wire);

/* lint_events.c */
void lint_events(struct lint *lint, const struct profile *profile);

/* lint_order.c: what an earlier pattern leaves nothing for. */
struct lint_entry {
    struct source where;
    const struct language *language; /* NULL: not understood */
};

void lint_order(struct lint *lint, const struct lint_entry *entries, size_t count,
                const char *what);

/* lint_clients.c: whom a profile lets in. */
void lint_clients(struct lint *lint, const struct profile *profile);

/* lint_power.c: the first thing that the profile grants and that is not for everybody: its place,
 * and what it is in *what_out. False: there is none. */
bool lint_find_power(const struct profile *profile, struct source *where_out,
                     const char **what_out);

/* lint_overlap.c */
void lint_overlaps(struct lint *lint, const struct policy *policy);

#endif
