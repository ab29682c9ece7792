/* Landlock: the process's view of files, and of TCP ports, is cut down to those it works with.
 *
 * The kernel's interface has no library in Debian 12; it is three system calls. Each version of it
 * knows more rights and refuses those that it does not know, so the set is cut to the version at
 * hand (landlock(7)). A right that is handled and granted nowhere, such as executing, is gone.
 *
 * What is denied is not sent to the audit log (version 7): looking at a client's label is, in
 * passing, a denied look into its process, and clients may come as often as they like. */
#include "contain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of later versions than the header of Debian 12 knows. */
#define RIGHT_TRUNCATE (1ULL << 14)
#define RIGHT_IOCTL_DEV (1ULL << 15)
#define RIGHT_BIND_TCP (1ULL << 0)
#define RIGHT_CONNECT_TCP (1ULL << 1)
#define SCOPE_SIGNAL (1ULL << 1)
#define RULE_NET_PORT 2
#define RESTRICT_LOG_OFF (1U << 0)

#define RIGHTS_1 ((1ULL << 13) - 1)
#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_MAKE                                                   \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define RIGHTS_OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

/* As linux/landlock.h has it since version 6. */
struct ruleset_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct port_attributes {
    uint64_t allowed_access;
    uint64_t port;
};

static size_t attributes_size(long version)
{
    if (version >= 6)
        return sizeof(struct ruleset_attributes);
    return version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static struct ruleset_attributes attributes_of(long version)
{
    struct ruleset_attributes attributes = {.handled_access_fs = RIGHTS_1};

    if (version >= 2)
        attributes.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        attributes.handled_access_fs |= RIGHT_TRUNCATE;
    if (version >= 4)
        attributes.handled_access_net = RIGHT_BIND_TCP | RIGHT_CONNECT_TCP;
    if (version >= 5)
        attributes.handled_access_fs |= RIGHT_IOCTL_DEV;
    if (version >= 6)
        attributes.scoped = SCOPE_SIGNAL;
    return attributes;
}

static enum contain_result fail(struct buf *reason, const char *what)
{
    buf_printf(reason, "Landlock: %s: %s", what, strerror(errno));
    return CONTAIN_FAILED;
}

/* A path that does not exist, or that we cannot get to, grants nothing. */
static bool allow_path(int ruleset, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights};
    struct stat status;

    beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (beneath.parent_fd < 0)
        return errno != EMFILE && errno != ENFILE && errno != ENOMEM;
    bool done = fstat(beneath.parent_fd, &status) == 0;
    if (done && !S_ISDIR(status.st_mode))
        beneath.allowed_access &= RIGHTS_OF_FILES;
    done = done &&
           syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
    int problem = errno;
    close(beneath.parent_fd);
    errno = problem;
    return done;
}

static bool allow_paths(int ruleset, const char *const *paths, size_t count, uint64_t rights)
{
    for (size_t i = 0; i < count; i++)
        if (!allow_path(ruleset, paths[i], rights))
            return false;
    return true;
}

static bool allow_port(int ruleset, uint16_t port, uint64_t right)
{
    struct port_attributes attributes = {.allowed_access = right, .port = port};

    return port == 0 || syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attributes, 0) == 0;
}

static enum contain_result enforce(int ruleset, long version, const struct contain_reach *reach,
                                   struct buf *reason)
{
    if (!allow_paths(ruleset, reach->readable, reach->readable_count, RIGHTS_READ) ||
        !allow_paths(ruleset, reach->writable, reach->writable_count, RIGHTS_READ | RIGHTS_MAKE))
        return fail(reason, "a path cannot be allowed");
    if (version >= 4 && (!allow_port(ruleset, reach->connect_port, RIGHT_CONNECT_TCP) ||
                         !allow_port(ruleset, reach->bind_port, RIGHT_BIND_TCP)))
        return fail(reason, "a port cannot be allowed");
    if (syscall(SYS_landlock_restrict_self, ruleset, version >= 7 ? RESTRICT_LOG_OFF : 0) < 0)
        return fail(reason, "the rules cannot be put in force");
    return CONTAIN_DONE;
}

enum contain_result contain_files(const struct contain_reach *reach, struct buf *reason)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (CONTAIN_SANITIZED) {
        buf_append_string(reason, "Landlock: this build has sanitizers, which need more files");
        return CONTAIN_ABSENT;
    }
    if (version < 1) {
        buf_printf(reason, "Landlock: the kernel does not have it, or not switched on: %s",
                   strerror(errno));
        return CONTAIN_ABSENT;
    }
    struct ruleset_attributes attributes = attributes_of(version);
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, attributes_size(version), 0);
    if (ruleset < 0)
        return fail(reason, "no set of rules can be made");
    enum contain_result result = enforce(ruleset, version, reach, reason);
    close(ruleset);
    return result;
}
