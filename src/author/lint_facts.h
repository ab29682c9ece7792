/* What tor's commands, keys, options and events give away, and to whom
 * (control-protocol 1.6, 4, 5, 7.7). */
#ifndef OG_LINT_FACTS_H
#define OG_LINT_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "keyword.h"
#include "span.h"

/* A key of GETINFO that is not for every application. */
struct info_fact {
    const char *key; /* one that ends in "/" stands for all that begin with it */
    const char *tells;
    bool is_of_streams; /* tor-browser-mode cuts it down to the client's own */
};

/* By position; NULL behind the last one. */
const struct info_fact *info_fact_at(size_t index);

/* A pattern in place of ".*" behind such a key's beginning: "ns/id/". NULL: none is known. */
const char *info_better_rule(struct span prefix);

/* What a command does that others feel. */
struct command_fact {
    enum keyword_id id;
    const char *does; /* NULL: nothing to speak of */
    const char *more; /* what a further argument is, or NULL: it takes one at most */
    const char *better;
};

const struct command_fact *command_fact_find(enum keyword_id id);

/* What a signal does that everybody feels; NULL: nothing to speak of. */
const char *signal_fact(struct span name);

/* What kind of value an option takes. */
enum option_kind {
    OPTION_PLAIN,  /* nothing is known of it */
    OPTION_TEXT,   /* any text is as good as another */
    OPTION_SWITCH, /* 0 or 1 */
    OPTION_NUMBER,
    OPTION_ADDRESS, /* ADDRESS:PORT */
    OPTION_PORT,    /* a listener */
    OPTION_RELAYS,  /* fingerprints, names, countries */
    OPTION_BRIDGE,
    OPTION_PATH,    /* a file or directory */
    OPTION_PROGRAM, /* a program that tor runs */
};

struct option_fact {
    const char *name;
    enum option_kind kind;
    const char *does;  /* who may set it; NULL: nothing to speak of */
    const char *tells; /* who may read it; NULL: nothing to speak of */
};

/* NULL: nothing is known of the option. */
const struct option_fact *option_fact_find(const char *name);

/* A value pattern for the kind, or NULL. */
const char *option_better_value(enum option_kind kind);

/* What an event tells of others. */
struct event_fact {
    const char *name;
    const char *tells;
    const char *remedy;
    bool is_of_streams;
};

/* NULL: nothing that is not for everybody. */
const struct event_fact *event_fact_find(const char *name);

#endif
