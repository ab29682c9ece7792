/* Which processes of a user hold a certain socket: a search through /proc that never takes the
 * event loop for long. */
#ifndef OG_HOLDERS_H
#define OG_HOLDERS_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event_base;

/* A socket with more holders than this has none that can be told. */
#define HOLDERS_MAX 16

struct holder {
    pid_t pid;
    int fd; /* one descriptor of the process that is the socket */
};

/* One question; the asker owns it, and keeps it until it is answered or cancelled. */
struct holders_query {
    struct holders_query *next;
    unsigned long inode;
    void (*done)(struct holders_query *query); /* called once, from the event loop */

    struct holder found[HOLDERS_MAX];
    size_t count;
    const char *doubt; /* why there may be others; static. NULL: these are all */
    bool is_cut;       /* the search ended early: not even these were looked at as a whole */
};

struct holders_walk;

struct holders {
    struct event tick;
    struct holders_walk *first; /* the next one to go on */
    unsigned active;            /* that have begun */
};

void holders_init(struct holders *holders, struct event_base *base);

/* Nobody is answered any more. */
void holders_clear(struct holders *holders);

/* Begins to look at all processes of that effective user; `query` has its inode and `done`. */
void holders_ask(struct holders *holders, uid_t uid, struct holders_query *query);

/* The same for one process. */
void holders_ask_process(struct holders *holders, pid_t pid, struct holders_query *query);

/* Forgets a question that was not answered. */
void holders_cancel(struct holders *holders, struct holders_query *query);

/* Reads the target of a link in /proc/PID/fd: "socket:[INODE]". False: another thing. */
bool holders_read_link(const char *target, unsigned long *inode_out);

#endif
