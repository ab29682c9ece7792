/* onion-graterctl doctor: from facts about a machine to what is well, what is not, and what mends
 * it.
 *
 * Facts are gathered elsewhere, as far as whoever asks may see them; here they are judged. What was
 * not seen is a finding of its own, never taken for good. */
#ifndef OG_DOCTOR_H
#define OG_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "page.h"

enum doctor_fact {
    DOCTOR_UNSEEN = 0, /* whoever asks may not look, or there is nothing to look with */
    DOCTOR_NO,
    DOCTOR_YES,
};

/* A list of texts. */
struct doctor_list {
    char **items; /* owned */
    size_t count;
};

void doctor_list_add(struct doctor_list *list, const char *text);

/* All texts of facts are owned; NULL: not known, or there is none. */

/* The configuration and the profiles, read as the daemon would. */
struct doctor_policy {
    enum doctor_fact is_readable; /* all files could be read */
    size_t errors;
    char *first_error;
    size_t warnings; /* of check */
    size_t profiles;
    bool wants_labels;        /* a profile asks for an AppArmor label */
    bool wants_kernel_labels; /* and takes it from the kernel only */
    char *profiles_option; /* " --profiles DIR" where the configuration names directories, or "" */
};

/* tor, and the way to it. */
struct doctor_tor {
    char *address;                 /* as configured */
    bool is_tcp;                   /* or a Unix socket */
    enum doctor_fact is_installed; /* its program */
    enum doctor_fact is_running;   /* a process of its name */
    enum doctor_fact
        is_there; /* its control port: a socket at the path, or something that listens */
    enum doctor_fact is_answering; /* it answers PROTOCOLINFO as tor does */
    char *version;
    bool offers_null;                 /* logins: anybody's, */
    bool offers_cookie;               /* by a cookie, */
    bool offers_password;             /* by a password */
    char *cookie;                     /* where it is */
    enum doctor_fact is_cookie_open;  /* everybody may read it */
    bool has_password_file;           /* one is configured */
    enum doctor_fact service_reaches; /* the service's user may connect, */
    enum doctor_fact service_reads;   /* and read the cookie */
};

/* The user that the service runs as, and tor's group. */
struct doctor_account {
    char *user;              /* the name, or the number */
    enum doctor_fact exists; /* unseen: the daemon runs as another one */
    char *group;             /* tor's */
    enum doctor_fact is_member;
    struct doctor_list others;   /* users in tor's group who need not be */
    struct doctor_list programs; /* that run in it besides: "NAME (process PID)" */
};

struct doctor_apparmor {
    enum doctor_fact is_on;
    enum doctor_fact is_loaded;     /* our profile is, */
    char *mode;                     /* in that mode */
    char *label;                    /* of the daemon that runs, without its mode */
    bool kernel_labels;             /* the kernel tells the labels of clients */
    bool has_restriction;           /* it knows apparmor_restrict_unprivileged_unconfined, */
    enum doctor_fact is_restricted; /* and it is switched on */
};

/* A file that the daemon ought to have made. */
struct doctor_socket {
    char *path;
    enum doctor_fact is_there;
    bool is_socket;
    mode_t mode, right_mode; /* the nine bits */
    char *owner;             /* "user:group" */
    char *right_owner;       /* NULL: any */
};

struct doctor_sockets {
    char *runtime_dir;
    enum doctor_fact is_dir_there;
    bool is_dir_open;            /* others than its owner may write to it */
    char *dir_owner;             /* the user */
    struct doctor_socket *items; /* owned */
    size_t count;
};

struct doctor_daemon {
    enum doctor_fact is_running;
    bool is_denied;             /* there is an admin socket, and we may not ask it */
    char *problem;              /* why it does not answer, where that is another reason */
    char *version;              /* of the one that runs */
    char *own_version;          /* of what is installed */
    bool is_replaced;           /* its program was deleted or replaced since it was started */
    bool is_failed;             /* its last reload failed as a whole */
    unsigned long errors;       /* of the profiles that it has read */
    bool complains;             /* complain mode, of any profile */
    char *tor_problem;          /* what it says of tor; NULL: nothing bad */
    struct doctor_list reached; /* limits, with how often */
    bool has_systemd;
    char *unit_load;    /* "loaded", "not-found", "masked" */
    char *unit_active;  /* "active", "inactive", "failed" */
    char *unit_enabled; /* "enabled", "disabled" */
};

/* What a former onion-grater has left. */
struct doctor_old {
    struct doctor_list processes; /* "PID PROGRAM" */
    struct doctor_list files;     /* programs that nobody needs any more */
    struct doctor_list folders;   /* of profiles that nobody reads any more */
};

struct doctor_port {
    unsigned long port;
    bool is_ours; /* the configuration asks for it; else one at which applications expect tor */
    char *holder; /* the name of a process; NULL: not known */
    bool is_tor;
    bool is_daemon;
};

struct doctor_ports {
    enum doctor_fact is_seen;
    struct doctor_port *items; /* owned; those that somebody listens at */
    size_t count;
};

struct doctor_facts {
    bool is_root;
    struct doctor_policy policy;
    struct doctor_tor tor;
    struct doctor_account account;
    struct doctor_apparmor apparmor;
    struct doctor_sockets sockets;
    struct doctor_daemon daemon;
    struct doctor_old old;
    struct doctor_ports ports;
};

void doctor_facts_init(struct doctor_facts *facts);
void doctor_facts_clear(struct doctor_facts *facts);

enum doctor_level {
    DOCTOR_OK,
    DOCTOR_NOT_SEEN, /* ask as root */
    DOCTOR_WARNING,
    DOCTOR_PROBLEM,
};

struct doctor_finding {
    enum doctor_level level;
    const char *topic; /* static: a name that does not change from version to version */
    char *text;        /* owned */
    char *remedy;      /* owned: a command, or what to do; NULL: nothing */
};

struct doctor_findings {
    struct doctor_finding *items; /* owned */
    size_t count;
    size_t levels[4]; /* how many of each */
};

/* Judges all facts. */
void doctor_judge(const struct doctor_facts *facts, struct doctor_findings *findings_out);
void doctor_findings_clear(struct doctor_findings *findings);

void doctor_write_text(const struct doctor_findings *findings, unsigned width, struct page *page);
void doctor_write_json(const struct doctor_findings *findings, struct buf *out);

#endif
