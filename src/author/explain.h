/* What onion-grater makes of a client and its commands, told to a person or to a program
 * (onion-graterctl explain).
 *
 * Nothing is judged here: the session, with a tor that only repeats what the dialogue gives, and
 * policy_decide say what happens; the rest of this module says which rule it was, and what a
 * refused command lacked. Text goes out in pieces, as soon as something is complete. */
#ifndef OG_EXPLAIN_H
#define OG_EXPLAIN_H

#include <stdbool.h>

#include "policy.h"
#include "span.h"
#include "template.h"

/* The client. Everything is borrowed. */
struct explain_client {
    const struct identity *identity;
    const char *shown;            /* "user alice (1000), ...": for people */
    const char *socket_profile;   /* as for policy_match */
    const struct profile *forced; /* this profile serves it, whatever its qualifiers say; or NULL */
    struct template_variables variables;
};

struct explain_setup {
    struct policy *policy; /* borrowed */
    const struct explain_client *client;
    bool is_json;
    void (*write)(void *context, struct span text);
    void *context;
};

struct explain_counts {
    unsigned long commands;
    unsigned long refused; /* or not read any more by a session that had ended */
    unsigned long unread;  /* lines of the text that could not be read */
    bool is_cut;           /* a limit: not everything was looked at */
};

struct explain;

/* Says who the client is and which profiles serve it. `setup` is copied, what it points to must
 * outlive this. */
struct explain *explain_new(const struct explain_setup *setup);

/* One command, or several lines of a client's, in a session of its own. */
void explain_command(struct explain *explain, struct span text);

/* A whole dialogue (explain_units.h). */
void explain_dialogue(struct explain *explain, struct span text);

/* Writes the end and frees. */
struct explain_counts explain_finish(struct explain *explain);

#endif
