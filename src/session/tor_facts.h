/* What one tor has told about itself, shared by all sessions of a daemon.
 *
 * Learnt anew at each login, so a tor that was restarted with another configuration is known again
 * before anything is sent to it. */
#ifndef OG_TOR_FACTS_H
#define OG_TOR_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "add_onion.h"
#include "span.h"

#define TOR_VERSION_MAX 63

/* Named to clients by PROTOCOLINFO while no tor was reached yet: the series whose protocol this
 * program follows. Clients parse the field and some insist on a minimum. */
#define TOR_VERSION_FALLBACK "0.4.9.0"

struct tor_facts {
    char version[TOR_VERSION_MAX + 1]; /* empty: not known yet */
    struct target *control;            /* tor's control listeners */
    size_t control_count;
    struct target *own; /* our listeners, set by the shell */
    size_t own_count;
};

void tor_facts_init(struct tor_facts *facts);
void tor_facts_clear(struct tor_facts *facts);

/* Takes the version if it is plausible: printable, no quote, not too long. */
void tor_facts_set_version(struct tor_facts *facts, struct span version);

/* Takes the value of GETINFO net/listeners/control: quoted strings separated by spaces. False, and
 * the facts unchanged, if it does not parse. */
bool tor_facts_set_control(struct tor_facts *facts, struct span listeners);

/* Replaces our own listeners; paths are copied. */
void tor_facts_set_own(struct tor_facts *facts, const struct target *targets, size_t count);

/* Whether an onion service may not point there: tor's control listener or a listener of ours, also
 * by another name of the same address (wildcards, loopback, /var/run). When in doubt, yes. */
bool tor_facts_forbid(const struct tor_facts *facts, const struct target *target);

#endif
