/* What the daemon gives up once it is up (design 5): the right to gain privileges, capabilities,
 * files and system calls that it never needs. Each layer holds by itself and for good; which of
 * them stand, and with what, is containment's business. All are for a process with one thread.
 *
 *   contain_privileges.c    no_new_privs, capabilities
 *   contain_files.c         Landlock
 *   contain_system_calls.c  seccomp
 */
#ifndef OG_CONTAIN_H
#define OG_CONTAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* A sanitizer's runtime opens files, forks, and executes a symbolizer. */
#if defined(__SANITIZE_ADDRESS__)
#define CONTAIN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONTAIN_SANITIZED 1
#endif
#endif
#ifndef CONTAIN_SANITIZED
#define CONTAIN_SANITIZED 0
#endif

enum contain_result {
    CONTAIN_DONE,
    CONTAIN_ABSENT, /* not to be had here; why is in the reason */
    CONTAIN_FAILED, /* it was refused: the daemon must not go on */
};

/* Nothing that is executed gains anything by being setuid. Comes before the layers below. */
enum contain_result contain_privileges(struct buf *reason);

/* Whether we have a capability, by its number in linux/capability.h. */
bool contain_has_capability(int capability);

/* Drops every capability but those of `keep` that we have. */
enum contain_result contain_capabilities(const int *keep, size_t count, struct buf *reason);

/* Files and folders, with all that is below them now or later. A folder that is exchanged for
 * another one of the same name is not the one that was meant. */
struct contain_reach {
    const char *const *readable; /* those that do not exist are left out */
    size_t readable_count;
    const char *const *writable; /* files and sockets may be made and removed there, too */
    size_t writable_count;
    uint16_t connect_port; /* over TCP; 0: to none */
    uint16_t bind_port;    /* for TCP; 0: none */
};

/* Nothing else is opened, made, removed or executed, and no other process is signalled or looked
 * into: with /proc/PID/exe and /proc/PID/fd it is not for a daemon whose profiles ask for these.
 * Ports count since Linux 6.7, signals since 6.12. */
enum contain_result contain_files(const struct contain_reach *reach, struct buf *reason);

struct contain_calls {
    bool network;   /* TCP sockets may be made: not only Unix sockets */
    bool is_deadly; /* what is forbidden ends the process; else it fails with EPERM */
};

/* The system calls that the daemon makes in its life, and no others. */
enum contain_result contain_system_calls(const struct contain_calls *calls, struct buf *reason);

#endif
