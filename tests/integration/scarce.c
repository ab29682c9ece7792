/* Preloaded into the daemon: makes calls fail as they do where the system has no descriptor or no
 * memory (test_shortage.py builds and steers it).
 *
 * The file that SCARCE names is an array of struct scarce, one for each call in the order of the
 * enum; the test changes it while the daemon runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum call {
    ACCEPT,
    SEND,
    RECVMSG,
    READ,
    EPOLL_ADD,
    SOCKET,
    CALLS
};

struct scarce {
    int32_t error;  /* what it fails with; 0: it works */
    int32_t failed; /* how often it did */
};

static struct scarce *table;

static __attribute__((constructor)) void begin(void)
{
    const char *path = getenv("SCARCE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *map = mmap(NULL, CALLS * sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    table = map == MAP_FAILED ? NULL : map;
    close(fd);
}

static int fails(enum call call)
{
    volatile struct scarce *scarce = table ? &table[call] : NULL;
    int error = scarce ? scarce->error : 0;

    if (error) {
        scarce->failed++;
        errno = error;
    }
    return error != 0;
}

#define REAL(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    typedef int function(int, struct sockaddr *, socklen_t *, int);

    return fails(ACCEPT) ? -1 : REAL(function *, "accept4")(fd, address, len, flags);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    typedef ssize_t function(int, const void *, size_t, int);

    return fails(SEND) ? -1 : REAL(function *, "send")(fd, bytes, len, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    typedef ssize_t function(int, struct msghdr *, int);

    return fails(RECVMSG) ? -1 : REAL(function *, "recvmsg")(fd, message, flags);
}

ssize_t read(int fd, void *bytes, size_t len)
{
    typedef ssize_t function(int, void *, size_t);

    return fails(READ) ? -1 : REAL(function *, "read")(fd, bytes, len);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    typedef int function(int, int, int, struct epoll_event *);

    if (operation == EPOLL_CTL_ADD && fails(EPOLL_ADD))
        return -1;
    return REAL(function *, "epoll_ctl")(epoll, operation, fd, event);
}

int socket(int domain, int type, int protocol)
{
    typedef int function(int, int, int);

    return fails(SOCKET) ? -1 : REAL(function *, "socket")(domain, type, protocol);
}
