/* seccomp: the system calls of an event loop, of reading profiles, of asking who a client is, and
 * no others. Nothing is ever executed or traced, no process or thread started, no namespace or
 * mount made, no socket for packets or datagrams, no other process signalled.
 *
 * Memory may be made executable: patterns that are read at a reload are compiled to machine code,
 * and the look-up of a name may load a library. */
#include "contain.h"

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* By name, as not every machine has each of them. What only a library may call is of glibc and of
 * the modules that look up names (files, systemd, sss, nscd). */
static const char *const allowed[] = {
    /* files */
    "access",
    "chmod",
    "chown",
    "chown32",
    "close",
    "close_range",
    "dup",
    "faccessat",
    "faccessat2",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "fchown",
    "fchown32",
    "fchownat",
    "fcntl",
    "fcntl64",
    "flock",
    "fstat",
    "fstat64",
    "fstatat64",
    "fstatfs",
    "fstatfs64",
    "getcwd",
    "getdents64",
    "lchown",
    "lchown32",
    "lseek",
    "_llseek",
    "lstat",
    "lstat64",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pread64",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "rename",
    "renameat",
    "renameat2",
    "stat",
    "stat64",
    "statfs",
    "statfs64",
    "statx",
    "umask",
    "unlink",
    "unlinkat",
    "write",
    "writev",
    /* sockets; socket itself is below */
    "accept",
    "accept4",
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "recv",
    "recvfrom",
    "recvmsg",
    "send",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    /* waiting */
    "_newselect",
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd2",
    "gettimeofday",
    "nanosleep",
    "pipe2",
    "poll",
    "ppoll",
    "ppoll_time64",
    "pselect6",
    "pselect6_time64",
    "restart_syscall",
    "select",
    "time",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_settime64",
    /* memory */
    "brk",
    "ftruncate",
    "ftruncate64",
    "futex",
    "futex_time64",
    "madvise",
    "membarrier",
    "memfd_create",
    "mmap",
    "mmap2",
    "mprotect",
    "mremap",
    "munmap",
    "sched_getaffinity",
    "sched_yield",
    /* who we are, and who others are */
    "capget",
    "getegid",
    "getegid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getgroups",
    "getgroups32",
    "getpid",
    "getppid",
    "getrandom",
    "getrlimit",
    "getrusage",
    "gettid",
    "getuid",
    "getuid32",
    "pidfd_open",
    "sysinfo",
    "ugetrlimit",
    "uname",
    /* signals, and the end */
    "exit",
    "exit_group",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
};

/* What libraries ask of descriptors: terminals, and the index of an interface. */
static const unsigned requests[] = {FIONBIO, FIONREAD, SIOCGIFINDEX, TCGETS};

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* Linux 5.17 */
#endif

#define NUMBER UINT32_MAX
#define SOCKET_TYPE 0xf /* of socket's second argument; the rest are flags */

/* A call that this machine does not have needs no rule. */
static int allow_names(scmp_filter_ctx filter)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof allowed / sizeof *allowed; i++) {
        int number = seccomp_syscall_resolve_name(allowed[i]);
        if (number != __NR_SCMP_ERROR)
            result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        if (result == -EDOM)
            result = 0;
    }
    return result;
}

/* Numbers have 32 bits in these calls, whatever is in the rest of the register. */
static struct scmp_arg_cmp argument_is(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){
        .arg = argument,
        .op = SCMP_CMP_MASKED_EQ,
        .datum_a = mask,
        .datum_b = value,
    };
}

static int allow_sockets(scmp_filter_ctx filter, bool network)
{
    static const int families[] = {AF_INET, AF_INET6};
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  argument_is(0, NUMBER, AF_UNIX));

    for (size_t i = 0; network && result == 0 && i < sizeof families / sizeof *families; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                                  argument_is(0, NUMBER, (uint64_t)families[i]),
                                  argument_is(1, SOCKET_TYPE, SOCK_STREAM));
    return result;
}

static int allow_requests(scmp_filter_ctx filter)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof requests / sizeof *requests; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                  argument_is(1, NUMBER, requests[i]));
    return result;
}

/* abort(3) signals its own process; limits may be read, not set; a library may ask which
 * capabilities there are (libcap, when it is loaded) and name its memory (glibc). */
static int allow_own(scmp_filter_ctx filter)
{
    static const unsigned operations[] = {PR_CAPBSET_READ, PR_SET_VMA};
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                  argument_is(0, NUMBER, (uint64_t)getpid()));

    for (size_t i = 0; result == 0 && i < sizeof operations / sizeof *operations; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                  argument_is(0, NUMBER, operations[i]));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                                  argument_is(0, NUMBER, 0), argument_is(2, UINT64_MAX, 0));
    return result;
}

static int load(scmp_filter_ctx filter, const struct contain_calls *calls)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (result == 0) /* the kernel's errno, not one for all */
        result = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result == 0)
        result = allow_names(filter);
    if (result == 0)
        result = allow_sockets(filter, calls->network);
    if (result == 0)
        result = allow_requests(filter);
    if (result == 0)
        result = allow_own(filter);
    return result == 0 ? seccomp_load(filter) : result;
}

/* Where there are filters the kernel looks for the one that is missing here. */
static bool kernel_has_filters(void)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;
}

enum contain_result contain_system_calls(const struct contain_calls *calls, struct buf *reason)
{
    if (CONTAIN_SANITIZED) {
        buf_append_string(reason, "seccomp: this build has sanitizers, which need more calls");
        return CONTAIN_ABSENT;
    }
    if (!kernel_has_filters()) {
        buf_printf(reason, "seccomp: the kernel has no filters: %s", strerror(errno));
        return CONTAIN_ABSENT;
    }
    scmp_filter_ctx filter =
        seccomp_init(calls->is_deadly ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
    int result = filter ? load(filter, calls) : -ENOMEM;
    seccomp_release(filter);
    if (result == 0)
        return CONTAIN_DONE;
    buf_printf(reason, "seccomp: %s", strerror(-result));
    return CONTAIN_FAILED;
}
