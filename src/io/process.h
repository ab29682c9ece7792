/* One process, looked at through its pidfd and its directory in /proc (design 2). */
#ifndef OG_PROCESS_H
#define OG_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is to be learnt. */
struct process_wants {
    bool label;
    bool executable;
    bool unconfined_executable; /* if the label says that it is unconfined */
    bool unit;
};

/* What was learnt; NULL: not known. */
struct process_facts {
    char *label;                   /* as /proc gives it, with its mode; owned */
    char *executable;              /* owned */
    const char *executable_denied; /* why we may not look at it; static, or NULL */
    char *unit;                    /* owned */
    bool is_nested; /* in a pid namespace below ours; found out with label or executable */
};

enum process_look {
    PROCESS_SEEN,
    PROCESS_GONE,    /* it has exited */
    PROCESS_HIDDEN,  /* it lives, but /proc does not show it to us */
    PROCESS_YOUNGER, /* it started too late to be the one that is meant */
    PROCESS_CHANGED, /* two readings differ */
};

/* Clock ticks since boot, as the start of a process is counted. */
uint64_t process_ticks_now(void);

/* A pidfd of a living process, or -1. Whether the pid is still the one that is meant, the caller
 * has to find out. */
int process_open(pid_t pid);

bool process_is_alive(int pidfd);

/* Whether both stand for one process, living or not. False if this kernel cannot tell. */
bool process_is_same(int pidfd, int other);

/* Looks twice at the process of this pid, which `pidfd` stands for, and checks afterwards that it
 * lives. It must have started at `latest` or before. Facts are empty unless PROCESS_SEEN; the
 * caller clears them in any case. */
enum process_look process_look(pid_t pid, int pidfd, const struct process_wants *wants,
                               uint64_t latest, struct process_facts *facts_out);

void process_facts_clear(struct process_facts *facts);

/* Why nothing is known; static. NULL for PROCESS_SEEN. */
const char *process_look_text(enum process_look look);

enum process_named {
    PROCESS_NAME_UNKNOWN = 0,
    PROCESS_NAMED_SO,
    PROCESS_NAMED_OTHERWISE,
};

/* Whether the process's own name (/proc/PID/comm, which it may choose) is `name`. */
enum process_named process_is_named(pid_t pid, int pidfd, const char *name);

#endif
