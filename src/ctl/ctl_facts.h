/* Facts for doctor, gathered from this machine. Nothing is changed by it, and what may not be
 * looked at is left unseen. */
#ifndef OG_CTL_FACTS_H
#define OG_CTL_FACTS_H

#include <sys/types.h>

#include "ctl_admin.h"
#include "ctl_setup.h"
#include "doctor.h"

/* What one gatherer leaves for the next, besides the facts. */
struct ctl_facts {
    struct doctor_facts *facts;
    struct ctl_setup *setup;
    pid_t daemon;         /* its process; 0: not known */
    struct answer status; /* of the daemon; empty: it does not answer */
    uid_t service_uid;    /* as whom the daemon runs, or would; (uid_t)-1: not known */
    gid_t service_gid;
    gid_t *service_groups; /* owned */
    int service_group_count;
    gid_t tor_gid; /* the group that may use tor's control socket; (gid_t)-1: none */
    uid_t tor_uid; /* the owner of that */
};

void ctl_facts_init(struct ctl_facts *gathered, struct doctor_facts *facts,
                    struct ctl_setup *setup);
void ctl_facts_clear(struct ctl_facts *gathered);

/* In this order. */
void ctl_facts_policy(struct ctl_facts *gathered);
void ctl_facts_daemon(struct ctl_facts *gathered, struct ctl_admin *admin);
void ctl_facts_unit(struct ctl_facts *gathered);
void ctl_facts_account(struct ctl_facts *gathered);
void ctl_facts_tor(struct ctl_facts *gathered);
void ctl_facts_apparmor(struct ctl_facts *gathered);
void ctl_facts_sockets(struct ctl_facts *gathered);
void ctl_facts_processes(struct ctl_facts *gathered);
void ctl_facts_ports(struct ctl_facts *gathered);
void ctl_facts_leftovers(struct ctl_facts *gathered);

#endif
