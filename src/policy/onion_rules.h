/* `onions` of a profile as loaded: which onion services the client may run, judged on the parsed
 * set of arguments, whatever their order (design 3.9). */
#ifndef OG_ONION_RULES_H
#define OG_ONION_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "add_onion.h"
#include "diag.h"
#include "keyword.h"
#include "template.h"

/* `virtual-ports`, and the ports of a target: both ends included. */
struct port_range {
    uint16_t first;
    uint16_t last;
};

/* One element of `targets`. */
struct onion_target {
    struct source where;
    bool is_port_only;     /* "17600-17659": a loopback port; see onion_create.target_address */
    bool is_client;        /* "{client-address}:9735": the client's own address, as it names it */
    struct target address; /* kind, and address of TCP; its port and path are not used */
    struct port_range ports;
    char *path; /* TARGET_UNIX: absolute; "*" is any text without "/"; owned */
};

/* What is done with proof-of-work arguments. */
enum onion_pow {
    ONION_POW_REFUSE = 0,
    ONION_POW_ALLOW,
    ONION_POW_DROP,       /* taken out: an old tor knows none */
    ONION_POW_REFUSE_512, /* answered as such a tor does, so that the client tries without */
};

struct rule;

/* One element of `create`. The first that allows the whole request decides. */
struct onion_create {
    struct source where;
    struct port_range *virtual_ports; /* owned */
    size_t virtual_port_count;
    struct onion_target *targets; /* owned */
    size_t target_count;
    struct template *target_address; /* sent instead of the address that was named; NULL: none. With
                                        it, port-only targets also cover the wildcards, ::1 and the
                                        client's own address */
    bool allows_new;                 /* NEW:BEST, NEW:ED25519-V3 */
    bool allows_stored;              /* ED25519-V3:... */
    unsigned flags;                  /* enum add_onion_flag, allowed */
    unsigned require_flags;          /* added */
    unsigned drop_flags;             /* allowed, and taken out */
    bool client_auth;                /* ClientAuthV3=, and the flag V3Auth with it */
    enum onion_pow proof_of_work;
    bool has_max_streams;
    bool any_max_streams;
    unsigned max_streams;  /* MaxStreams= from 1 to this, unless any */
    unsigned max_services; /* alive at once in this session; 0: no limit but the session's own */
    bool redact_key;       /* private-key: redact */
    struct rule *key_rule; /* with redact_key: what takes the key out of tor's reply; owned */
};

struct onion_rules {
    bool is_present;
    struct source where;
    struct onion_create *creates; /* owned */
    size_t create_count;
    struct source delete_where;
    bool delete_own; /* DEL_ONION of services of this session, or detached by this profile */
    struct source events_where;
    bool events_own; /* HS_DESC and HS_DESC_CONTENT of those, and of own HSFETCHes */
    struct source fetch_where;
    bool fetch; /* HSFETCH */
    struct source keys_where;
    bool client_auth_keys_own; /* ONION_CLIENT_AUTH_ADD; VIEW and REMOVE what the profile added */
};

/* The place of what judges the command in these rules; NULL: they have nothing for it, and
 * `commands` of the profile may. */
const struct source *onion_rules_place(const struct onion_rules *rules, enum keyword_id command);

/* Frees what it owns. */
void onion_rules_clear(struct onion_rules *rules);

#endif
