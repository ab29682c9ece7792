/* A client for the proof in the guests: does what its arguments say, one after the other.
 *
 * The connection is descriptor 3, also across exec; 4 is a way to be given one. What follows a step
 * that forks, starts a thread or a program is done by whom the step names; the others wait for it.
 * Each reply is one line on the standard output.
 *
 *   connect NAME   to /run/onion-grater/NAME.sock, with the socket of `socket` if there was one
 *   tcp PORT       the same over TCP
 *   socket         only makes the socket
 *   ask            `GETINFO version` and its reply
 *   half, rest     the same in two pieces
 *   enter LABEL    changes the AppArmor profile of this thread
 *   stack LABEL    adds a profile to it
 *   onexec LABEL   the profile for the next `exec`
 *   exec PROGRAM   becomes /run/t/PROGRAM, which goes on
 *   child          a child goes on, this process keeps the connection open
 *   orphan         a child goes on once this process has ended and is reaped
 *   zombie NAME    a child connects and ends, is not reaped, and leaves a child that goes on
 *   swap PROGRAM   a child goes on, this process becomes /run/t/PROGRAM and does `idle`
 *   pass PROGRAM   a new process of /run/t/PROGRAM is given the connection and goes on
 *   take           waits for a connection that `pass` gives
 *   catch          waits for a connection that `throw` gives, at /run/t/sync/hand
 *   throw          gives the connection to whoever waits there
 *   thread         another thread goes on
 *   rise           root by the set-user-id bit becomes root altogether
 *   ready, wait    creates /run/t/sync/ready; waits for /run/t/sync/go
 *   settle         a second of sleep, in which the daemon has looked
 *   idle           `ready`, then waits for its children
 *   hold           sleeps until it is ended */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECTION 3
#define HANDOVER 4
#define PROGRAMS "/run/t/"
#define WAIT_MS 20000

static void fail(const char *what)
{
    printf("failed: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* Polls until `is_done` says so. */
static void wait_for(bool (*is_done)(const void *), const void *context, const char *what)
{
    for (int i = 0; i < WAIT_MS / 10; i++) {
        if (is_done(context))
            return;
        sleep_ms(10);
    }
    errno = ETIMEDOUT;
    fail(what);
}

static void wait_for_children(void)
{
    while (wait(NULL) > 0)
        ;
}

/* --- the connection --- */

static void move_to(int fd, int number)
{
    if (fd == number)
        return;
    if (dup2(fd, number) < 0)
        fail("dup2");
    close(fd);
}

static void do_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0)
        fail("socket");
    move_to(fd, CONNECTION);
}

static void do_connect(const char *name, char **rest)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)rest;
    if (fcntl(CONNECTION, F_GETFD) < 0)
        do_socket();
    snprintf(address.sun_path, sizeof address.sun_path, "/run/onion-grater/%s.sock", name);
    if (connect(CONNECTION, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
}

static void do_tcp(const char *port, char **rest)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)rest;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect over TCP");
    move_to(fd, CONNECTION);
}

static void do_send(const char *text)
{
    /* A connection that is closed already shows in the reply. */
    if (send(CONNECTION, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EPIPE &&
        errno != ECONNRESET)
        fail("send");
}

/* The code of the reply's last line, or "closed". */
static void do_reply(void)
{
    char line[1024];
    size_t len = 0;

    for (;;) {
        struct pollfd wanted = {.fd = CONNECTION, .events = POLLIN};
        if (poll(&wanted, 1, WAIT_MS) <= 0) {
            puts("reply: none");
            return;
        }
        if (len == sizeof line || recv(CONNECTION, line + len, 1, 0) != 1) {
            puts("reply: closed");
            return;
        }
        if (line[len++] != '\n')
            continue;
        if (len > 4 && line[3] == ' ') {
            printf("reply: %.3s\n", line);
            return;
        }
        len = 0;
    }
}

static void do_half(void)
{
    do_send("GETINFO ver");
}

static void do_rest(void)
{
    do_send("sion\r\n");
    do_reply();
}

static void do_ask(void)
{
    do_send("GETINFO version\r\n");
    do_reply();
}

/* --- AppArmor --- */

static void write_attribute(const char *file, const char *verb, const char *label)
{
    char text[512];
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    int len = snprintf(text, sizeof text, "%s %s", verb, label);

    if (fd < 0 || write(fd, text, (size_t)len) != len)
        fail(text);
    close(fd);
}

static void do_enter(const char *label, char **rest)
{
    (void)rest;
    write_attribute("/proc/thread-self/attr/current", "changeprofile", label);
}

static void do_stack(const char *label, char **rest)
{
    (void)rest;
    write_attribute("/proc/thread-self/attr/current", "stack", label);
}

static void do_onexec(const char *label, char **rest)
{
    (void)rest;
    write_attribute("/proc/thread-self/attr/exec", "exec", label);
}

/* --- other processes --- */

static pid_t do_fork(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    return pid;
}

static bool is_reaped(const void *context)
{
    return kill(*(const pid_t *)context, 0) < 0 && errno == ESRCH;
}

static bool is_orphan(const void *context)
{
    return getppid() != *(const pid_t *)context;
}

static bool is_there(const void *context)
{
    return access(context, F_OK) == 0;
}

static void do_exec(const char *program, char **steps)
{
    char path[256], *arguments[64] = {path};
    size_t count = 1;

    snprintf(path, sizeof path, PROGRAMS "%s", program);
    for (; *steps && count < 63; steps++)
        arguments[count++] = *steps;
    fflush(stdout);
    execv(path, arguments);
    fail("exec");
}

static void do_child(void)
{
    if (do_fork() == 0)
        return;
    wait_for_children();
    _exit(0);
}

static void do_orphan(void)
{
    pid_t connector = getpid();

    if (do_fork() > 0)
        _exit(0);
    wait_for(is_orphan, &connector, "the end of the connector");
    wait_for(is_reaped, &connector, "the connector being reaped");
}

/* The connector is a child, which its parent reaps only behind the grandchild's end. */
static void do_zombie(const char *name, char **rest)
{
    int ends[2];
    char byte;

    if (pipe(ends) < 0)
        fail("pipe");
    if (do_fork() > 0) {
        close(ends[1]);
        while (read(ends[0], &byte, 1) > 0)
            ;
        wait_for_children();
        _exit(0);
    }
    close(ends[0]);
    do_connect(name, rest);
    pid_t connector = getpid();
    if (do_fork() > 0)
        _exit(0);
    wait_for(is_orphan, &connector, "the end of the connector");
}

static void do_swap(const char *program, char **rest)
{
    char *steps[] = {(char[]){"idle"}, NULL};

    (void)rest;
    if (do_fork() > 0)
        do_exec(program, steps);
}

/* Sends the connection through the socket `fd`. */
static void give(int fd)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {0};
    char byte = 'c';
    struct iovec data = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    const int given = CONNECTION;

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof given);
    memcpy(CMSG_DATA(header), &given, sizeof given);
    if (sendmsg(fd, &message, 0) < 0)
        fail("sendmsg");
}

/* Gets the connection out of the socket `fd`. */
static void get(int fd)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {0};
    char byte;
    struct iovec data = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int given;

    if (recvmsg(fd, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
        fail("recvmsg");
    memcpy(&given, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof given);
    move_to(given, CONNECTION);
}

static void do_pass(const char *program, char **steps)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        fail("socketpair");
    if (do_fork() == 0) {
        close(CONNECTION);
        /* dup2 to itself would keep the flag. */
        move_to(fcntl(ends[1], F_DUPFD, 10), HANDOVER);
        do_exec(program, steps);
    }
    give(ends[0]);
    wait_for_children();
    _exit(0);
}

static void do_take(void)
{
    get(HANDOVER);
}

static const struct sockaddr_un hand = {.sun_family = AF_UNIX, .sun_path = PROGRAMS "sync/hand"};

static void do_catch(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&hand, sizeof hand) < 0 || listen(fd, 1) < 0)
        fail("bind");
    int other = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (other < 0)
        fail("accept");
    get(other);
}

static void do_throw(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&hand, sizeof hand) < 0)
        fail("connect to the other program");
    give(fd);
}

/* --- the rest --- */

static void do_ready(void)
{
    close(open(PROGRAMS "sync/ready", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static void do_wait(void)
{
    wait_for(is_there, PROGRAMS "sync/go", "the word to go");
}

static void do_rise(void)
{
    if (setresuid(0, 0, 0) < 0)
        fail("setresuid");
}

static void do_settle(void)
{
    sleep_ms(1000);
}

static void do_hold(void)
{
    sleep_ms(WAIT_MS);
}

static void do_idle(void)
{
    do_ready();
    wait_for_children();
}

/* --- the steps --- */

static const struct step {
    const char *name;
    void (*alone)(void);
    void (*with_word)(const char *word, char **rest);
} all_steps[] = {
    {"ask", do_ask, NULL},         {"catch", do_catch, NULL},   {"child", do_child, NULL},
    {"connect", NULL, do_connect}, {"enter", NULL, do_enter},   {"exec", NULL, do_exec},
    {"half", do_half, NULL},       {"hold", do_hold, NULL},     {"idle", do_idle, NULL},
    {"onexec", NULL, do_onexec},   {"orphan", do_orphan, NULL}, {"pass", NULL, do_pass},
    {"ready", do_ready, NULL},     {"rest", do_rest, NULL},     {"rise", do_rise, NULL},
    {"settle", do_settle, NULL},   {"socket", do_socket, NULL}, {"stack", NULL, do_stack},
    {"swap", NULL, do_swap},       {"take", do_take, NULL},     {"tcp", NULL, do_tcp},
    {"throw", do_throw, NULL},     {"wait", do_wait, NULL},     {"zombie", NULL, do_zombie},
};

static const struct step *find_step(const char *name)
{
    for (size_t i = 0; i < sizeof all_steps / sizeof all_steps[0]; i++)
        if (strcmp(all_steps[i].name, name) == 0)
            return &all_steps[i];
    errno = EINVAL;
    fail(name);
    return NULL;
}

static void do_steps(char **words);

static void *do_steps_in_thread(void *words)
{
    do_steps(words);
    return NULL;
}

static void do_thread(char **words)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, do_steps_in_thread, words) != 0)
        fail("pthread_create");
    pthread_join(thread, NULL);
    fflush(stdout);
    _exit(0);
}

static void do_steps(char **words)
{
    while (*words) {
        if (strcmp(*words, "thread") == 0)
            do_thread(words + 1);
        const struct step *step = find_step(*words++);
        if (step->alone) {
            step->alone();
            continue;
        }
        if (!*words)
            fail("a step lacks its word");
        const char *word = *words++;
        step->with_word(word, words);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    do_steps(argv + 1);
    fflush(stdout);
    return 0;
}
