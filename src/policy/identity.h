/* Who is at the other end of a client's socket: plain facts, each known or unknown, and by which
 * evidence (design 2).
 *
 * Gathered by the shell (io/peer), judged by policy/match. What could not be learnt is unknown,
 * never a default. */
#ifndef OG_IDENTITY_H
#define OG_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stream_event.h"

enum identity_transport {
    IDENTITY_UNIX,      /* Unix socket: uid, gid, pid and groups from the kernel, at connect time */
    IDENTITY_TCP_LOCAL, /* TCP from an address of this machine */
    IDENTITY_TCP_REMOTE, /* TCP from elsewhere: nothing but its address */
};

/* How strong a fact is. */
enum identity_evidence {
    EVIDENCE_NONE = 0, /* not learnt */
    EVIDENCE_HOLDERS,  /* TCP: from /proc of every process that holds the socket, all alike */
    EVIDENCE_PROC,     /* from /proc under a pidfd, read before and after, alike */
    EVIDENCE_KERNEL,   /* noted by the kernel itself when the client made its socket */
};

enum identity_label {
    IDENTITY_LABEL_UNKNOWN = 0, /* no AppArmor, or no certain answer */
    IDENTITY_UNCONFINED,
    IDENTITY_CONFINED, /* enforced or complaining: `label` is its name */
};

struct identity {
    enum identity_transport transport;

    bool has_credentials; /* uid is known; gid and pid too on a Unix socket */
    uid_t uid;
    gid_t gid;
    pid_t pid;       /* 0: not known */
    bool has_groups; /* SO_PEERGROUPS answered */
    gid_t *groups;   /* supplementary groups; owned */
    size_t group_count;

    enum identity_label label_state;
    char *label; /* IDENTITY_CONFINED: the whole name without the mode; owned */
    enum identity_evidence label_evidence;
    const char *label_doubt; /* IDENTITY_LABEL_UNKNOWN: why, static, for the log; or NULL */

    char *executable; /* absolute path, NULL: not known; owned */
    char *unit;       /* unit of the system's systemd (never a name that a user's own systemd
                         gave), NULL: not known or none; owned */
    bool is_tor;      /* tor itself, or a connection that tor made: matches no profile */

    bool is_ipv6;        /* TCP: the peer's address */
    uint8_t address[16]; /* network order; IPv4 uses the first 4 (v4-mapped IPv6 is IPv4) */
    uint16_t port;
};

/* Frees what the identity owns and zeroes it. */
void identity_clear(struct identity *identity);

/* Sets label_state, label and label_evidence from the text that SO_PEERSEC or /proc/PID/attr gives:
 * "NAME (MODE)" or "unconfined", one newline at the end allowed. The mode is cut off, the name is
 * kept whole: children "a//b", stacks "a//&b", namespaces ":ns:a". Anything else (empty, no mode,
 * an unknown mode, control characters) leaves the label unknown, and says why in label_doubt. */
void identity_set_label(struct identity *identity, const char *text, size_t len,
                        enum identity_evidence evidence);

/* What a list of labels calls the client: its label's name, or "unconfined". NULL: it is not known,
 * and nothing but "*" is meant for it. */
const char *identity_label_name(const struct identity *identity);

/* Where the client's streams come from, as tor sees it. False: it is of this machine, where all
 * have the same addresses. A link-local address tells a machine from others on its own interface
 * only: the source is not known then. */
bool identity_stream_source(const struct identity *identity, struct stream_source *source_out);

/* "kernel", "proc", "holders", "no": for log lines and status; static. */
const char *identity_evidence_text(enum identity_evidence evidence);

#endif
