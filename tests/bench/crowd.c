/* A crowded machine: crowd PROCESSES SOCKETS UID. As that user, makes that many sleeping processes
 * and connected TCP sockets on the loopback, says "ready", and ends all of it when its standard
 * input ends. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void make_process(void)
{
    pid_t parent = getpid();

    switch (fork()) {
    case -1:
        fail("fork");
        break;
    case 0:
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent)
            pause();
        _exit(0);
    default:
        break;
    }
}

/* Two sockets: a connection to ourselves. */
static void make_pair(int listener, const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ||
        accept(listener, NULL, NULL) < 0)
        fail("connection");
}

static void make_sockets(long count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 16) < 0 || getsockname(listener, (struct sockaddr *)&address, &len) < 0)
        fail("listener");
    for (long i = 0; i < count / 2; i++)
        make_pair(listener, &address);
}

/* The limit is raised while that is allowed. */
static void become(uid_t uid, long sockets)
{
    struct rlimit files = {(rlim_t)sockets + 64, (rlim_t)sockets + 64};

    if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setresgid(uid, uid, uid) < 0 ||
        setresuid(uid, uid, uid) < 0)
        fail("limits and user");
}

int main(int argc, char **argv)
{
    char byte;

    if (argc != 4) {
        fputs("usage: crowd PROCESSES SOCKETS UID\n", stderr);
        return 2;
    }
    long sockets = strtol(argv[2], NULL, 10);
    become((uid_t)strtoul(argv[3], NULL, 10), sockets);
    for (long i = strtol(argv[1], NULL, 10); i > 0; i--)
        make_process();
    make_sockets(sockets);
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    return 0;
}
