/* The daemon's admin socket: one question, and the lines of its answer.
 *
 * Whatever goes wrong is kept as text that says what to do next, so that a screen can show it as
 * well as standard error. */
#ifndef OG_CTL_ADMIN_H
#define OG_CTL_ADMIN_H

#include <stdbool.h>

#include "answer.h"
#include "buf.h"
#include "ctl_setup.h"
#include "span.h"

/* Rows of a verb's getopt_long table; hand those options to ctl_admin_set by their names. */
#define CTL_ADMIN_OPTIONS                                           \
    {"socket", required_argument, NULL, CTL_ADMIN_OPTION},          \
        {"runtime-dir", required_argument, NULL, CTL_ADMIN_OPTION}, \
    {                                                               \
        "config", required_argument, NULL, CTL_ADMIN_OPTION         \
    }
#define CTL_ADMIN_OPTION 1001

/* The same in a verb's --help. */
#define CTL_ADMIN_HELP                                                        \
    "  --socket PATH        the daemon's admin socket\n"                      \
    "  --runtime-dir DIR    the daemon's directory of sockets, where it is\n" \
    "  --config FILE        the daemon's configuration, which names that\n"

#define CTL_ADMIN_TIMEOUT 30 /* seconds without a line, unless a verb says otherwise */

struct ctl_admin {
    const char *verb;
    struct ctl_setup setup;
    char *path;         /* owned; NULL until it is looked for */
    int timeout;        /* seconds; -1: none */
    int interrupter;    /* a descriptor that may interrupt an answer; -1: none */
    short interruption; /* what makes it do so, as for poll(2); errors always do */
    int fd;             /* -1: no question was asked */
    struct buf request;
    struct buf input;
    size_t handed;  /* bytes of the input that the last record was */
    size_t scanned; /* bytes of the input in which there is no end of a line */
    bool is_begun;  /* a line of the answer was read */
    char *error;    /* owned; NULL: nothing is wrong */
    int status;     /* the exit status that goes with it */
    bool is_absent; /* what is wrong is that nobody listens there, */
    bool is_denied; /* or that we may not ask */
};

void ctl_admin_init(struct ctl_admin *admin, const char *verb);
void ctl_admin_clear(struct ctl_admin *admin);

/* Takes one of the options above; false: reported to standard error. */
bool ctl_admin_set(struct ctl_admin *admin, const char *name, const char *value);

/* Begins a question, adds an argument to it, and asks it over a new connection. False: see
 * ctl_admin_complain. */
void ctl_admin_begin(struct ctl_admin *admin, const char *question);
void ctl_admin_add(struct ctl_admin *admin, const char *name, const char *value);
bool ctl_admin_send(struct ctl_admin *admin);

enum ctl_admin_result {
    CTL_ADMIN_RECORD, /* one line of the answer, without its end; borrowed until the next call */
    CTL_ADMIN_END,    /* it is complete */
    CTL_ADMIN_FAILED, /* the daemon refused, or the answer was cut: see ctl_admin_complain */
    CTL_ADMIN_INTERRUPTED, /* by the interrupter, or by a signal (ctl_signals.h) */
};

enum ctl_admin_result ctl_admin_next(struct ctl_admin *admin, struct span *record_out);

/* The question that was begun, and the whole answer to it. Other than CTL_ADMIN_END: `answer` holds
 * what there was of it. */
enum ctl_admin_result ctl_admin_ask(struct ctl_admin *admin, struct answer *answer);

/* The same for a verb that asks once: false if there is no answer, reported, with the exit status
 * in admin->status. */
bool ctl_admin_ask_once(struct ctl_admin *admin, struct answer *answer);

/* Tells standard error what is wrong, and returns the exit status. */
int ctl_admin_complain(const struct ctl_admin *admin);

#endif
