/* The kernel says which inode a socket has, and nobody but /proc/PID/fd says who has that inode.
 *
 * A walk goes through /proc once, opens the fd directories of one user's processes only, and
 * answers all questions about that user that were there when it began; later ones wait for the
 * next. So a user who connects a thousand times a second causes one walk after the other and no
 * more, and pays for the number of his own processes and descriptors. A turn of the event loop
 * takes a few directory entries of one walk; walks take turns. */
#include "holders.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"
#include "span.h"

#define WALK_STEPS 128 /* directory entries a turn */
#define WALK_PROCESSES_MAX 65536
#define WALK_LIMIT_MS 2000
#define WALKS_AT_ONCE 16 /* each has two descriptors; the others wait */

struct holders_walk {
    struct holders_walk *next;
    pid_t only; /* look at this process; 0: at all of `uid` */
    uid_t uid;
    DIR *proc; /* NULL: has not begun */
    DIR *fds;  /* of the process in hand; NULL: between two */
    pid_t pid;
    struct holders_query *asked;   /* this walk answers them */
    struct holders_query *waiting; /* came later: the next one does */
    uint64_t began_ms;
    size_t processes;
};

/* --- queries --- */

static void queries_doubt(struct holders_query *query, const char *doubt)
{
    for (; query; query = query->next)
        query->doubt = doubt;
}

static void queries_cut(struct holders_query *query, const char *doubt)
{
    for (; query; query = query->next) {
        query->doubt = doubt;
        query->is_cut = true;
    }
}

static void query_add(struct holders_query *query, pid_t pid, int fd)
{
    if (query->count > 0 && query->found[query->count - 1].pid == pid)
        return;
    if (query->count == HOLDERS_MAX) {
        query->doubt = "too many processes hold the connection";
        query->is_cut = true;
        return;
    }
    query->found[query->count++] = (struct holder){.pid = pid, .fd = fd};
}

static bool queries_remove(struct holders_query **link, const struct holders_query *query)
{
    for (; *link; link = &(*link)->next) {
        if (*link != query)
            continue;
        *link = query->next;
        return true;
    }
    return false;
}

static void queries_answer(struct holders_query *queries)
{
    while (queries) {
        struct holders_query *query = queries;
        queries = query->next;
        query->next = NULL;
        query->done(query);
    }
}

/* --- one walk --- */

static void walk_close(struct holders_walk *walk)
{
    if (walk->fds)
        closedir(walk->fds);
    if (walk->proc)
        closedir(walk->proc);
    walk->fds = NULL;
    walk->proc = NULL;
}

static const char walk_unreadable[] = "a process of this user cannot be looked at";

static bool walk_begin(struct holders_walk *walk)
{
    walk->began_ms = clock_monotonic_ms();
    walk->processes = 0;
    walk->pid = 0;
    walk->proc = opendir("/proc");
    if (!walk->proc)
        queries_cut(walk->asked, "/proc cannot be read");
    return walk->proc != NULL;
}

/* The number that a name is, 0: none. */
static unsigned long name_number(const char *name, unsigned long max)
{
    unsigned long number;

    return span_to_number(span_from_string(name), max, &number) ? number : 0;
}

/* A process that is gone holds nothing; one that cannot be looked at may hold anything. */
static DIR *walk_open_fds(struct holders_walk *walk, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%.20s/fd", name);
    int fd = openat(dirfd(walk->proc), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *fds = fd >= 0 ? fdopendir(fd) : NULL;
    if (!fds && errno != ENOENT && errno != ESRCH)
        queries_doubt(walk->asked, walk_unreadable);
    if (!fds && fd >= 0)
        close(fd);
    return fds;
}

static bool walk_step_only(struct holders_walk *walk)
{
    char name[32];

    if (walk->pid == walk->only)
        return false;
    snprintf(name, sizeof name, "%jd", (intmax_t)walk->only);
    walk->pid = walk->only;
    walk->fds = walk_open_fds(walk, name);
    return true;
}

/* False: the walk is at its end. */
static bool walk_step_process(struct holders_walk *walk)
{
    struct stat status;

    if (walk->only)
        return walk_step_only(walk);
    errno = 0;
    const struct dirent *entry = readdir(walk->proc);
    if (!entry) {
        if (errno)
            queries_cut(walk->asked, "/proc cannot be read");
        return false;
    }
    unsigned long pid = name_number(entry->d_name, INT32_MAX);
    if (pid == 0)
        return true;
    if (++walk->processes > WALK_PROCESSES_MAX) {
        queries_cut(walk->asked, "there are too many processes");
        return false;
    }
    /* The owner of the directory is the effective user, whatever may be looked at in it. */
    if (fstatat(dirfd(walk->proc), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        status.st_uid != walk->uid)
        return true;
    walk->pid = (pid_t)pid;
    walk->fds = walk_open_fds(walk, entry->d_name);
    return true;
}

static void walk_note_socket(struct holders_walk *walk, unsigned long inode, int fd)
{
    for (struct holders_query *query = walk->asked; query; query = query->next)
        if (query->inode == inode)
            query_add(query, walk->pid, fd);
}

bool holders_read_link(const char *target, unsigned long *inode_out)
{
    struct span text = span_from_string(target);

    if (!span_starts_with(text, SPAN("socket:[")) || text.data[text.len - 1] != ']')
        return false;
    return span_to_number(span_make(text.data + 8, text.len - 9), ULONG_MAX, inode_out);
}

static void walk_step_fd(struct holders_walk *walk)
{
    char target[64];
    unsigned long inode;

    errno = 0;
    const struct dirent *entry = readdir(walk->fds);
    if (!entry) {
        if (errno && errno != ENOENT && errno != ESRCH)
            queries_doubt(walk->asked, walk_unreadable);
        closedir(walk->fds);
        walk->fds = NULL;
        return;
    }
    ssize_t len = readlinkat(dirfd(walk->fds), entry->d_name, target, sizeof target - 1);
    if (len < 0 && (errno == EACCES || errno == EPERM) && entry->d_name[0] != '.')
        queries_doubt(walk->asked, walk_unreadable);
    if (len <= 0)
        return;
    target[len] = '\0';
    if (holders_read_link(target, &inode))
        walk_note_socket(walk, inode, (int)name_number(entry->d_name, INT32_MAX));
}

/* A few steps; true: it is at its end. */
static bool walk_advance(struct holders_walk *walk)
{
    for (int i = 0; i < WALK_STEPS; i++) {
        if (walk->fds)
            walk_step_fd(walk);
        else if (!walk_step_process(walk))
            return true;
    }
    if (clock_monotonic_ms() - walk->began_ms < WALK_LIMIT_MS)
        return false;
    queries_cut(walk->asked, "the search for its process took too long");
    return true;
}

/* --- all walks --- */

static void holders_schedule(struct holders *holders)
{
    static const struct timeval now = {0, 0};

    /* A timer, so that the loop looks at all other events in between. */
    if (holders->first && !event_pending(&holders->tick, EV_TIMEOUT, NULL))
        event_add(&holders->tick, &now);
}

static void holders_append(struct holders *holders, struct holders_walk *walk)
{
    struct holders_walk **link = &holders->first;

    while (*link)
        link = &(*link)->next;
    walk->next = NULL;
    *link = walk;
}

/* The answered ones leave; for those that came meanwhile it begins anew, behind the others. */
static void holders_finish(struct holders *holders, struct holders_walk *walk)
{
    struct holders_query *answered = walk->asked;

    holders->active -= walk->proc != NULL;
    walk_close(walk);
    walk->asked = walk->waiting;
    walk->waiting = NULL;
    if (walk->asked)
        holders_append(holders, walk);
    else
        free(walk);
    queries_answer(answered);
}

static void holders_on_tick(evutil_socket_t fd, short what, void *context)
{
    struct holders *holders = context;
    struct holders_walk *walk = holders->first;

    (void)fd;
    (void)what;
    if (!walk)
        return;
    holders->first = walk->next;
    bool may_begin = !walk->proc && holders->active < WALKS_AT_ONCE;
    bool is_over = may_begin && !walk_begin(walk);
    holders->active += may_begin && walk->proc;
    if (is_over || (walk->proc && walk_advance(walk)))
        holders_finish(holders, walk);
    else
        holders_append(holders, walk);
    holders_schedule(holders);
}

/* --- the outside --- */

void holders_init(struct holders *holders, struct event_base *base)
{
    *holders = (struct holders){0};
    event_assign(&holders->tick, base, -1, 0, holders_on_tick, holders);
}

void holders_clear(struct holders *holders)
{
    event_del(&holders->tick);
    while (holders->first) {
        struct holders_walk *walk = holders->first;
        holders->first = walk->next;
        walk_close(walk);
        free(walk);
    }
}

static struct holders_walk *holders_find(struct holders *holders, pid_t only, uid_t uid)
{
    for (struct holders_walk *walk = holders->first; walk; walk = walk->next)
        if (walk->only == only && walk->uid == uid)
            return walk;
    struct holders_walk *walk = mem_zalloc(1, sizeof *walk);
    walk->only = only;
    walk->uid = uid;
    holders_append(holders, walk);
    return walk;
}

static void holders_add(struct holders *holders, struct holders_walk *walk,
                        struct holders_query *query)
{
    struct holders_query **list = walk->proc ? &walk->waiting : &walk->asked;

    query->count = 0;
    query->doubt = NULL;
    query->is_cut = false;
    query->next = *list;
    *list = query;
    holders_schedule(holders);
}

void holders_ask(struct holders *holders, uid_t uid, struct holders_query *query)
{
    holders_add(holders, holders_find(holders, 0, uid), query);
}

void holders_ask_process(struct holders *holders, pid_t pid, struct holders_query *query)
{
    holders_add(holders, holders_find(holders, pid, 0), query);
}

void holders_cancel(struct holders *holders, struct holders_query *query)
{
    for (struct holders_walk *walk = holders->first; walk; walk = walk->next)
        if (queries_remove(&walk->asked, query) || queries_remove(&walk->waiting, query))
            return;
}
