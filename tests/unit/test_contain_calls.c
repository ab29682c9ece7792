/* Which system calls are left, and that no others are: also not by another table of calls. */
#include "contain.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "contain_fixture.h"

static enum contain_result calls_without_network(struct buf *why)
{
    return contain_system_calls(&(struct contain_calls){.network = false}, why);
}

static enum contain_result calls_with_network(struct buf *why)
{
    return contain_system_calls(&(struct contain_calls){.network = true}, why);
}

static enum contain_result deadly_calls(struct buf *why)
{
    return contain_system_calls(&(struct contain_calls){.is_deadly = true}, why);
}

static int try_exec(void)
{
    return outcome(execl("/bin/true", "true", NULL));
}

static int try_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return outcome(pid);
}

static int try_clone3(void)
{
    uint64_t arguments[11] = {0, 0, 0, 0, SIGCHLD};
    long pid = syscall(SYS_clone3, arguments, sizeof arguments);

    if (pid == 0)
        _exit(0);
    return outcome(pid);
}

static int try_unshare(void)
{
    return outcome(unshare(CLONE_NEWUSER));
}

static int try_ptrace(void)
{
    return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int try_read_memory(void)
{
    char byte;
    struct iovec own = {&byte, 1}, others = {reason, 1};

    return outcome(process_vm_readv(getppid(), &own, 1, &others, 1, 0));
}

static int try_kill_parent(void)
{
    return outcome(kill(getppid(), 0));
}

static int try_tgkill_parent(void)
{
    return outcome(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int try_pidfd_signal(void)
{
    int pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);

    return pidfd < 0 ? EBADF : outcome(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
}

static int try_socket(int family, int type)
{
    int fd = socket(family, type, 0);
    int result = outcome(fd);

    if (fd >= 0)
        close(fd);
    return result;
}

static int try_packet_socket(void)
{
    return try_socket(AF_PACKET, SOCK_RAW);
}

static int try_netlink_socket(void)
{
    return try_socket(AF_NETLINK, SOCK_RAW);
}

static int try_vsock(void)
{
    return try_socket(AF_VSOCK, SOCK_STREAM);
}

static int try_datagram_socket(void)
{
    return try_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
}

static int try_raw_socket(void)
{
    return try_socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK);
}

static int try_stream_socket(void)
{
    return try_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static int try_unix_datagram_socket(void)
{
    return try_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC);
}

static int try_set_limit(void)
{
    struct rlimit limit = {0, 0};

    return outcome(setrlimit(RLIMIT_CORE, &limit));
}

static int try_others_limit(void)
{
    struct rlimit limit;

    return outcome(prlimit(getppid(), RLIMIT_CORE, NULL, &limit));
}

static int try_get_limit(void)
{
    struct rlimit limit;

    return outcome(getrlimit(RLIMIT_NOFILE, &limit));
}

static int try_dumpable(void)
{
    return outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int try_setuid(void)
{
    return outcome(setuid(getuid()));
}

static int try_setgroups(void)
{
    return outcome(setgroups(0, NULL));
}

static int try_mount(void)
{
    return outcome(mount("none", "/", "tmpfs", 0, NULL));
}

static int try_chroot(void)
{
    return outcome(chroot("/"));
}

static int try_symlink(void)
{
    return outcome(symlink("a", "/nonexistent/b"));
}

static int try_mknod(void)
{
    return outcome(mknod("/nonexistent/b", S_IFIFO | 0600, 0));
}

static int try_module(void)
{
    return outcome(syscall(SYS_finit_module, -1, "", 0));
}

static int try_bpf(void)
{
    return outcome(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_io_uring(void)
{
    return outcome(syscall(SYS_io_uring_setup, 0, NULL));
}

static int try_userfaultfd(void)
{
    return outcome(syscall(SYS_userfaultfd, 0));
}

static int try_keys(void)
{
    return outcome(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int try_clock(void)
{
    struct timespec now = {0};

    return outcome(clock_settime(CLOCK_REALTIME, &now));
}

static int try_pushing_input(void)
{
    return outcome(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int try_changing_terminal(void)
{
    return outcome(ioctl(STDIN_FILENO, TIOCSCTTY, 0));
}

static int try_file(void)
{
    char byte;
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    int result = fd < 0 || read(fd, &byte, 1) != 1 ? outcome(-1) : 0;

    close(fd);
    return result;
}

static int try_folder(void)
{
    DIR *folder = opendir("/etc");
    int result = folder && readdir(folder) ? 0 : outcome(-1);

    if (folder)
        closedir(folder);
    return result;
}

/* As listener and upstream do it, with a name that the kernel chooses. */
static int try_unix_connection(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) < 0 ||
        listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&address, &len) < 0 ||
        connect(client, (struct sockaddr *)&address, len) < 0)
        return errno;
    int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0 || sendmsg(client, &message, MSG_NOSIGNAL) != 1 ||
        recvmsg(accepted, &message, MSG_CMSG_CLOEXEC) != 1 || shutdown(client, SHUT_WR) < 0)
        return errno;
    return 0;
}

static int try_event_loop(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int fds[2];

    if (loop < 0 || pipe2(fds, O_CLOEXEC) < 0 ||
        epoll_ctl(loop, EPOLL_CTL_ADD, fds[0], &event) < 0)
        return errno;
    return outcome(epoll_wait(loop, &event, 1, 1));
}

static int try_process(void)
{
    int pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);

    return outcome(pidfd);
}

static int try_interface(void)
{
    return if_nametoindex("lo") > 0 || errno == ENODEV ? 0 : errno;
}

/* A pattern that is compiled to machine code. */
static int try_machine_code(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED || mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return errno;
    return 0;
}

static int try_random(void)
{
    char bytes[32];

    return outcome(getrandom(bytes, sizeof bytes, 0));
}

static int try_much_memory(void)
{
    char *memory = malloc((size_t)64 << 20);

    if (!memory)
        return ENOMEM;
    memory[((size_t)64 << 20) - 1] = 'x';
    free(memory);
    return 0;
}

static int try_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    return outcome(sigprocmask(SIG_BLOCK, &set, NULL)) ||
           signal(SIGHUP, SIG_IGN) == SIG_ERR;
}

static int try_abort(void)
{
    abort();
}

static const struct row forbidden_calls[] = {
    FORBIDDEN(try_exec),           FORBIDDEN(try_fork),
    FORBIDDEN(try_clone3),         FORBIDDEN(try_unshare),
    FORBIDDEN(try_ptrace),         FORBIDDEN(try_read_memory),
    FORBIDDEN(try_kill_parent),    FORBIDDEN(try_tgkill_parent),
    FORBIDDEN(try_pidfd_signal),   FORBIDDEN(try_packet_socket),
    FORBIDDEN(try_netlink_socket), FORBIDDEN(try_vsock),
    FORBIDDEN(try_datagram_socket), FORBIDDEN(try_raw_socket),
    FORBIDDEN(try_set_limit),      FORBIDDEN(try_others_limit),
    FORBIDDEN(try_dumpable),       FORBIDDEN(try_setuid),
    FORBIDDEN(try_setgroups),      FORBIDDEN(try_mount),
    FORBIDDEN(try_chroot),         FORBIDDEN(try_symlink),
    FORBIDDEN(try_mknod),          FORBIDDEN(try_module),
    FORBIDDEN(try_bpf),            FORBIDDEN(try_io_uring),
    FORBIDDEN(try_userfaultfd),    FORBIDDEN(try_keys),
    FORBIDDEN(try_clock),          FORBIDDEN(try_pushing_input),
    FORBIDDEN(try_changing_terminal),
};

static const struct row allowed_calls[] = {
    WORKS(try_file),        WORKS(try_folder),       WORKS(try_unix_connection),
    WORKS(try_event_loop),  WORKS(try_names),        WORKS(try_process),
    WORKS(try_interface),   WORKS(try_machine_code), WORKS(try_random),
    WORKS(try_much_memory), WORKS(try_signals),      WORKS(try_get_limit),
    WORKS(try_unix_datagram_socket),
};

Test(system_calls, forbidden)
{
    run_rows(calls_without_network, forbidden_calls, COUNT(forbidden_calls));
    run_rows(calls_with_network, forbidden_calls, COUNT(forbidden_calls));
}

Test(system_calls, allowed)
{
    run_rows(calls_without_network, allowed_calls, COUNT(allowed_calls));
    run_rows(calls_with_network, allowed_calls, COUNT(allowed_calls));
    run_rows(deadly_calls, allowed_calls, COUNT(allowed_calls));
}

/* A socket for TCP exists only where something is reached by TCP. */
Test(system_calls, network)
{
    static const struct row without[] = {FORBIDDEN(try_stream_socket)};
    static const struct row with[] = {WORKS(try_stream_socket)};

    run_rows(calls_without_network, without, COUNT(without));
    run_rows(calls_with_network, with, COUNT(with));
}

#ifdef __x86_64__
static int try_32_bit_call(void)
{
    long result = 20; /* getpid, there */

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "cc");
    return 0;
}

static int try_x32_call(void)
{
    return outcome(syscall(0x40000000L | SYS_getpid));
}
#endif

static void expect_signal(layer *enter_layer, const char *name, step *what, int number)
{
    int status = run(enter_layer, what);

    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == number, "%s: wait status %#x", name,
              (unsigned)status);
}

/* What is required in earnest ends the process; and nothing gets past by another table of calls. */
Test(system_calls, deadly)
{
    share_reason();
    for (size_t i = 0; i < COUNT(forbidden_calls); i++)
        expect_signal(deadly_calls, forbidden_calls[i].name, forbidden_calls[i].what, SIGSYS);
    expect_signal(calls_with_network, "abort", try_abort, SIGABRT);
#ifdef __x86_64__
    expect_signal(calls_with_network, "a call of 32 bits", try_32_bit_call, SIGSYS);
    expect_signal(calls_with_network, "a call of x32", try_x32_call, SIGSYS);
#endif
}
