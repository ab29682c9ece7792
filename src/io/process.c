/* Looking at a process without being taken in.
 *
 * A pid is only a number, and may be another process's the next moment. So the directory
 * /proc/PID is opened while the pidfd says that the process lives, everything is read through it,
 * and the pidfd is asked again at the end: in between the number cannot have changed hands. A
 * process that has exited but was not waited for still shows its label, and one may exec or change
 * its profile while we look: hence the state, and the second reading.
 *
 * Nothing here waits for a file system of somebody else's making: what is read is procfs, and the
 * binary's inode is taken as the kernel has it in memory (AT_STATX_DONT_SYNC, RESOLVE_CACHED). */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "mem.h"
#include "process_stat.h"
#include "unit_name.h"

#define PROCESS_TEXT_MAX 65536
#define PROCESS_PATH_MAX 4095
#define PROCESS_PIDFS 0x50494446 /* PIDFS_MAGIC, since Linux 6.9 */
#define OPEN_ATTEMPTS 4
#define PROCESS_DELETED " (deleted)"

/* What one reading found. */
struct reading {
    struct process_stat stat;
    char *label;
    char *executable;
    const char *executable_denied;
};

static const char denied_link[] = "the executables of other users' programs cannot be read without "
                                  "CAP_SYS_PTRACE, nor where containment hides them";
static const char denied_call[] = "no executable can be looked at, as openat2 with RESOLVE_CACHED "
                                  "is not to be had (Linux 5.12; RestrictSUIDSGID= of a systemd "
                                  "unit takes it away)";

uint64_t process_ticks_now(void)
{
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * per_second +
           (uint64_t)now.tv_nsec / (UINT64_C(1000000000) / per_second);
}

/* --- pidfds --- */

int process_open(pid_t pid)
{
    if (pid <= 0)
        return -1;
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool process_is_alive(int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    return pidfd >= 0 && poll(&poll_fd, 1, 0) == 0;
}

/* Where pidfds have a file system of their own, a process has one inode there for ever. Before,
 * all pidfds shared one. */
bool process_is_same(int pidfd, int other)
{
    struct stat a, b;
    struct statfs fs;

    return pidfd >= 0 && other >= 0 && fstatfs(pidfd, &fs) == 0 && fs.f_type == PROCESS_PIDFS &&
           fstat(pidfd, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* --- texts of /proc/PID --- */

/* The whole text of a file, or NULL. A label comes in one piece: what several reads
 * gave could be pieces of several. */
static char *read_text(int proc, const char *name)
{
    char chunk[PROCESS_TEXT_MAX];
    struct buf text;
    ssize_t len;

    int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    buf_init(&text, PROCESS_TEXT_MAX);
    do {
        len = read(fd, chunk, sizeof chunk);
        if (len > 0)
            buf_append(&text, span_make(chunk, (size_t)len));
    } while (len > 0 || (len < 0 && errno == EINTR));
    char *result = len < 0 || text.overflow ? NULL : mem_copy_string(buf_span(&text));
    buf_clear(&text);
    close(fd);
    return result;
}

/* attr/current may belong to another security module; kernels before 5.1 have nothing else. */
static char *read_label(int proc)
{
    bool has_own = faccessat(proc, "attr/apparmor", F_OK, 0) == 0;

    return read_text(proc, has_own ? "attr/apparmor/current" : "attr/current");
}

static bool read_stat(int proc, struct process_stat *stat_out)
{
    char *text = read_text(proc, "stat");
    bool done = text && process_stat_parse(span_from_string(text), stat_out);

    free(text);
    return done;
}

/* --- the executable --- */

/* Whether the path leads, for us, to the binary that runs. The link's text is the path as the
 * process has it, and a process can have a namespace in which its own files lie at any path. */
static bool path_is_binary(int proc, const char *path, const char **denied_out)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED};
    struct statx running, ours;
    bool same = false;
    int fd = -1;

    /* A rename or a mount anywhere in the system can make one attempt fail. */
    for (int attempt = 0; attempt < OPEN_ATTEMPTS && fd < 0; attempt++) {
        fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
        if (fd < 0 && errno != EAGAIN)
            break;
    }
    if (fd < 0 && (errno == ENOSYS || errno == EINVAL || errno == EPERM))
        *denied_out = denied_call;
    if (fd < 0)
        return false;
    if (statx(proc, "exe", AT_STATX_DONT_SYNC, STATX_INO, &running) == 0 &&
        statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &ours) == 0)
        same = running.stx_ino == ours.stx_ino && running.stx_dev_major == ours.stx_dev_major &&
               running.stx_dev_minor == ours.stx_dev_minor;
    close(fd);
    return same;
}

static bool path_is_plain(const char *path, size_t len)
{
    size_t suffix = strlen(PROCESS_DELETED);

    return path[0] == '/' && (len < suffix || strcmp(path + len - suffix, PROCESS_DELETED) != 0);
}

static void read_executable(int proc, struct reading *reading)
{
    char path[PROCESS_PATH_MAX + 1];
    ssize_t len = readlinkat(proc, "exe", path, sizeof path - 1);

    if (len < 0 && (errno == EACCES || errno == EPERM))
        reading->executable_denied = denied_link;
    if (len <= 0 || (size_t)len == sizeof path - 1)
        return;
    path[len] = '\0';
    if (path_is_plain(path, (size_t)len) && path_is_binary(proc, path, &reading->executable_denied))
        reading->executable = mem_copy_string(span_make(path, (size_t)len));
}

/* --- one reading, and two --- */

static bool wants_executable(const struct process_wants *wants, const char *label)
{
    return wants->executable ||
           (wants->unconfined_executable && label && strcmp(label, "unconfined\n") == 0);
}

/* False: it has ended. */
static bool read_once(int proc, const struct process_wants *wants, struct reading *reading_out)
{
    *reading_out = (struct reading){0};
    if (!read_stat(proc, &reading_out->stat) || reading_out->stat.state == 'Z' ||
        reading_out->stat.state == 'X')
        return false;
    if (wants->label)
        reading_out->label = read_label(proc);
    if (wants_executable(wants, reading_out->label))
        read_executable(proc, reading_out);
    return true;
}

static void reading_clear(struct reading *reading)
{
    free(reading->label);
    free(reading->executable);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_reading(const struct reading *a, const struct reading *b)
{
    return a->stat.start == b->stat.start && same_text(a->label, b->label) &&
           same_text(a->executable, b->executable);
}

static char *read_unit(int proc)
{
    char *text = read_text(proc, "cgroup");
    struct span name = unit_name_find(span_from_string(text));
    char *unit = name.len > 0 ? mem_copy_string(name) : NULL;

    free(text);
    return unit;
}

/* What cannot change while it lives. */
static bool read_nested(int proc)
{
    char *text = read_text(proc, "status");
    bool is_nested = process_status_is_nested(span_from_string(text));

    free(text);
    return is_nested;
}

static enum process_look compare_readings(const struct reading *first, const struct reading *second,
                                          int pidfd, uint64_t latest)
{
    if (!process_is_alive(pidfd))
        return PROCESS_GONE;
    if (first->stat.start > latest)
        return PROCESS_YOUNGER;
    return same_reading(first, second) ? PROCESS_SEEN : PROCESS_CHANGED;
}

static enum process_look look_through(int proc, int pidfd, const struct process_wants *wants,
                                      uint64_t latest, struct process_facts *facts_out)
{
    struct reading first = {0}, second = {0};
    enum process_look look = PROCESS_GONE;
    char *unit = NULL;

    if (read_once(proc, wants, &first)) {
        unit = wants->unit ? read_unit(proc) : NULL;
        if (read_once(proc, wants, &second))
            look = compare_readings(&first, &second, pidfd, latest);
    }
    if (look == PROCESS_SEEN) {
        *facts_out = (struct process_facts){
            .label = second.label,
            .executable = second.executable,
            .executable_denied = second.executable_denied,
            .unit = unit,
            .is_nested = (wants->label || wants->executable) && read_nested(proc),
        };
        second = (struct reading){0};
        unit = NULL;
    }
    reading_clear(&first);
    reading_clear(&second);
    free(unit);
    return look;
}

enum process_look process_look(pid_t pid, int pidfd, const struct process_wants *wants,
                               uint64_t latest, struct process_facts *facts_out)
{
    char path[32];

    *facts_out = (struct process_facts){0};
    if (pid <= 0) /* of another pid namespace */
        return PROCESS_HIDDEN;
    if (!process_is_alive(pidfd))
        return PROCESS_GONE;
    snprintf(path, sizeof path, "/proc/%jd", (intmax_t)pid);
    int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return process_is_alive(pidfd) ? PROCESS_HIDDEN : PROCESS_GONE;
    enum process_look look = look_through(proc, pidfd, wants, latest, facts_out);
    close(proc);
    return look;
}

void process_facts_clear(struct process_facts *facts)
{
    free(facts->label);
    free(facts->executable);
    free(facts->unit);
    *facts = (struct process_facts){0};
}

const char *process_look_text(enum process_look look)
{
    switch (look) {
    case PROCESS_SEEN:
        return NULL;
    case PROCESS_GONE:
        return "the process is gone";
    case PROCESS_HIDDEN:
        return "/proc does not show the process";
    case PROCESS_YOUNGER:
        return "the process started after it connected";
    case PROCESS_CHANGED:
        return "the process changed while it was looked at";
    }
    return NULL;
}

enum process_named process_is_named(pid_t pid, int pidfd, const char *name)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/%jd", (intmax_t)pid);
    int proc = pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (proc < 0)
        return PROCESS_NAME_UNKNOWN;
    char *text = read_text(proc, "comm");
    close(proc);
    struct span comm = span_from_string(text);
    if (comm.len > 0 && comm.data[comm.len - 1] == '\n')
        comm.len--;
    bool is_so = span_equals(comm, span_from_string(name));
    bool is_known = text && process_is_alive(pidfd);
    free(text);
    if (!is_known)
        return PROCESS_NAME_UNKNOWN;
    return is_so ? PROCESS_NAMED_SO : PROCESS_NAMED_OTHERWISE;
}
