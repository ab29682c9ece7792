/* What the files of the daemon share; nobody else includes this.
 *
 *   daemon.c           life: what is opened, in which order, and its end
 *   daemon_profiles.c  the profiles: loaded, put to use, and read again
 *   daemon_admin.c     what the admin socket can be asked for
 *   daemon_status.c    status and metrics
 */
#ifndef OG_DAEMON_PARTS_H
#define OG_DAEMON_PARTS_H

#include <event2/event.h>

#include "admin.h"
#include "clients.h"
#include "containment.h"
#include "cookie_files.h"
#include "daemon.h"
#include "gate.h"
#include "listener_set.h"
#include "metrics_file.h"
#include "notify.h"
#include "peer.h"
#include "policy_changes.h"
#include "profile_dir.h"
#include "refusals.h"
#include "relay.h"
#include "secrets.h"
#include "tcp_listener.h"

#define DAEMON_SIGNALS 3

/* What became of the profiles when they were read last. */
struct generation {
    unsigned long number; /* of those in use */
    uint64_t loaded_ms;   /* when they were loaded, by the clock of the wall */
    struct profile_dir_counts counts;
    struct diag_list diags; /* of the last attempt */
    bool has_failed;        /* the last attempt: what is in use is older */
};

struct daemon {
    const struct options *options;
    struct event_base *base;
    struct event *signals[DAEMON_SIGNALS];
    uint64_t started_ms;      /* by the clock of the wall */
    uint64_t started_mono_ms; /* by the one that never jumps */
    int runtime_lock;
    struct policy *policy;
    struct generation generation;
    struct containment containment;
    struct notify notify;
    struct listener_set listeners;
    struct cookie_files cookies;
    struct upstream upstream;
    struct peer_system peers;
    struct secrets secrets;
    struct torauth_secrets secrets_interface;
    struct tor_facts facts;
    struct onion_registry registry;
    struct quota quota;
    struct counters counters;
    struct gate gate;
    struct watch watch;
    struct refusals refusals;
    struct relay_host host;
    struct clients clients;
    struct tcp_listener tcp_listener;
    struct admin admin;
    struct event complain_reminder;
    struct metrics_file metrics_file;
};

/* --- daemon_profiles.c --- */

/* Where profiles are read from. */
struct profile_dirs daemon_profile_dirs(const struct options *options);

/* Reads the profiles. `daemon`: NULL for a check, whose result is the same on every machine. */
struct policy *daemon_load(const struct options *options, const struct daemon *daemon,
                           struct diag_list *diags, struct profile_dir_counts *counts);

/* The first generation. False: there is none. */
bool daemon_load_first(struct daemon *daemon);

/* Makes the sockets that the profiles ask for. False: the shared one is not there. */
bool daemon_update_listeners(struct daemon *daemon, struct diag_list *diags);

/* To the service manager, which shows the line to the admin. */
void daemon_notify_ready(const struct daemon *daemon);

/* Warns of complain mode, now and every ten minutes while it lasts. */
void daemon_warn_of_complain(struct daemon *daemon);

struct reload_change {
    enum policy_change change;
    char *name; /* owned */
};

struct reload_report {
    bool is_done; /* false: the former profiles stay in use */
    struct reload_change *changes;
    size_t change_count;
    size_t sessions_closed;
};

/* Reads the profiles again; messages are in the generation. `report_out` is initialised by this. */
void daemon_reload(struct daemon *daemon, struct reload_report *report_out);
void reload_report_clear(struct reload_report *report);

/* Turns complain mode on or off for one profile, for sessions that begin from now on; those that
 * had it are ended when it is turned off. False: there is no such profile. */
bool daemon_set_complain(struct daemon *daemon, const char *name, bool is_on,
                         size_t *sessions_closed_out);

/* --- daemon_admin.c --- */

/* Begins to serve admins; a daemon without is one all the same. */
void daemon_open_admin(struct daemon *daemon);

/* --- daemon_status.c --- */

/* Appends the lines of status. */
void daemon_write_status(const struct daemon *daemon, struct buf *out);

/* Appends the messages of the last load. */
void daemon_write_messages(const struct daemon *daemon, struct buf *out);

/* Appends the metrics in Prometheus' text format. */
void daemon_write_metrics(const struct daemon *daemon, struct buf *out);

#endif
