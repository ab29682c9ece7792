/* The whole daemon over its sockets, for AFL++ (see README beside this file; tests/fuzz/afl builds
 * and runs it).
 *
 * The daemon runs as it is in the main thread. Another thread is its client and its tor and plays
 * one input after the other: records that end at 0xff, a letter (play_record) and its bytes. Both
 * are one process, so that its coverage is counted, and one input may leave the next one a daemon
 * that has lived a while. What must hold is checked where it comes out: tor gets nothing that the
 * profile does not allow, the client gets whole lines. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "session_harness.h"

#define INPUT_MAX 8192
#define RECORDS_MAX 48
#define CLIENTS 3

int onion_grater_main(int argc, char **argv);

static const char profile_text[] =
    "- name: app\n"
    "  socket: true\n"
    "  users: ['%u']\n"
    "  commands:\n"
    "    GETINFO:\n"
    "    - version\n"
    "    - 'ns/id/[0-9A-F]*'\n"
    "    - pattern: address\n"
    "      response: [{pattern: '250-address=.*', replacement: '250-address=10.0.0.1'}]\n"
    "    - {pattern: process/pid, reply: ['250-process/pid=1', '250 OK']}\n"
    "    SIGNAL: [NEWNYM]\n"
    "    DEL_ONION: ['[a-z2-7]*']\n"
    "  confs: {Nickname: ['', 'a+'], SocksPort: }\n"
    "  onions: {create: {virtual-ports: [80], targets: [8080], max-services: 2}, events: own}\n"
    "  events: {BW: , NOTICE: {suppress: true}, NS: }\n";

/* Keyword and what may follow it at tor; NULL: anything. */
static const struct {
    const char *command;
    const char *arguments;
} allowed[] = {
    {"PROTOCOLINFO", "1"}, {"AUTHENTICATE", ""}, {"GETINFO", NULL}, {"SIGNAL", "NEWNYM"},
    {"DEL_ONION", NULL},   {"GETCONF", NULL},    {"SETCONF", NULL}, {"RESETCONF", NULL},
    {"ADD_ONION", NULL},   {"SETEVENTS", NULL},
};
static const char *const never[] = {"HALT",   "ControlPort", "config", "STREAM",
                                    "NOTICE", ":22",         ",22"};

static char directory[64];
static int tor_listener;

void oracle_fail(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    abort();
}

/* --- places --- */

static char *place(const char *name, char path[108])
{
    snprintf(path, 108, "%s/%s", directory, name);
    return path;
}

/* In one step: a reload may come at any moment, and an empty file means that there is no profile. */
static void put(const char *name, const char *text)
{
    char path[108], new[108];
    FILE *file = fopen(place("new", new), "w");

    ORACLE(file && fputs(text, file) >= 0 && fclose(file) == 0, "cannot write a file");
    chmod(new, 0644);
    ORACLE(rename(new, place(name, path)) == 0, "cannot put a file in its place");
}

static struct sockaddr_un socket_address(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    place(name, address.sun_path);
    return address;
}

static void make_places(void)
{
    struct sockaddr_un address;
    char path[108], text[2048];
    const char *base = getenv("TMPDIR");

    snprintf(directory, sizeof directory, "%s/og-afl.XXXXXX", base ? base : "/tmp");
    ORACLE(mkdtemp(directory), "no folder");
    chmod(directory, 0755);
    mkdir(place("p", path), 0755);
    mkdir(place("run", path), 0755);
    put("conf.yml", "containment: 'off'\nlimits: {sessions-per-uid: 1000}\n");
    snprintf(text, sizeof text, profile_text, (unsigned)getuid());
    put("p/app.yml", text);
    address = socket_address("tor");
    tor_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ORACLE(bind(tor_listener, (struct sockaddr *)&address, sizeof address) == 0 &&
               listen(tor_listener, 64) == 0,
           "cannot listen as tor");
}

static void remove_places(void)
{
    static const char *const names[] = {"p/app.yml", "p",        "run/app.sock", "run/control.sock",
                                        "run",       "conf.yml", "tor",          "."};
    char path[108];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (unlink(place(names[i], path)) != 0)
            rmdir(path);
}

/* --- one input: its clients and its tor --- */

struct play {
    int clients[CLIENTS];
    struct frame frames[CLIENTS];
    size_t current;
    int tor;
    struct frame tor_frame;
    char line[COMMAND_MAX_LINE + 16]; /* what tor gets */
    size_t len;
    bool answers;
    bool is_silent; /* clients do not read */
    bool is_reloaded;
};

static void send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done <= 0)
            return;
        bytes += done;
        len -= (size_t)done;
    }
}

static void send_text(int fd, const char *text)
{
    send_all(fd, text, strlen(text));
}

static int connect_client(void)
{
    struct sockaddr_un address = socket_address("run/app.sock");

    for (int turn = 0; turn < 2000; turn++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        close(fd);
        usleep(1000);
    }
    return -1;
}

static void answer_keys(struct play *play, char *keys)
{
    char text[256];

    for (char *key = strtok(keys, " "); key; key = strtok(NULL, " ")) {
        if (strcmp(key, "ns/id/A") == 0)
            snprintf(text, sizeof text, "250+%.100s=\r\nr a\r\n.\r\n", key);
        else if (strcmp(key, "net/listeners/control") == 0)
            snprintf(text, sizeof text, "250-%.100s=\"unix:/run/tor/control\"\r\n", key);
        else
            snprintf(text, sizeof text, "250-%.100s=%s\r\n", key,
                     strcmp(key, "onions/detached") == 0 ? "" : "value");
        send_text(play->tor, text);
    }
    send_text(play->tor, "250 OK\r\n");
}

static void answer(struct play *play, const char *command, char *arguments)
{
    if (strcmp(command, "PROTOCOLINFO") == 0)
        send_text(play->tor, "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n"
                             "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n");
    else if (strcmp(command, "GETINFO") == 0)
        answer_keys(play, arguments);
    else if (strcmp(command, "ADD_ONION") == 0)
        send_text(play->tor, "250-ServiceID=abcdefghijklmnopqrstuvwxyz234567"
                             "abcdefghijklmnopqrstuvwx\r\n250 OK\r\n");
    else
        send_text(play->tor, "250 OK\r\n");
}

/* One line that came to tor. */
static void tor_gets(struct play *play)
{
    char *arguments = strchr(play->line, ' ');
    bool is_allowed = false;

    if (arguments)
        *arguments++ = '\0';
    else
        arguments = play->line + strlen(play->line);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        is_allowed |= strcmp(play->line, allowed[i].command) == 0 &&
                      (!allowed[i].arguments || strcmp(arguments, allowed[i].arguments) == 0);
    ORACLE(is_allowed, "tor got a command that the profile does not allow");
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ORACLE(!strstr(arguments, never[i]), "tor got arguments that the profile does not allow");
    if (play->answers)
        answer(play, play->line, arguments);
}

static void read_tor(struct play *play)
{
    char bytes[4096];
    ssize_t len = recv(play->tor, bytes, sizeof bytes, MSG_DONTWAIT);

    if (len == 0 || (len < 0 && errno != EAGAIN)) {
        close(play->tor);
        play->tor = -1;
    }
    if (len > 0)
        frame_tor(&play->tor_frame, span_make(bytes, (size_t)len));
    for (ssize_t i = 0; i < len; i++) {
        ORACLE(play->len + 1 < sizeof play->line, "tor got a line over the limit");
        if (bytes[i] == '\n') {
            play->line[play->len > 0 ? play->len - 1 : 0] = '\0';
            play->len = 0;
            tor_gets(play);
        } else {
            play->line[play->len++] = bytes[i];
        }
    }
}

static void read_client(struct play *play, size_t i)
{
    char bytes[4096];
    ssize_t len = recv(play->clients[i], bytes, sizeof bytes, MSG_DONTWAIT);

    if (len > 0)
        frame_client(&play->frames[i], span_make(bytes, (size_t)len));
    if (len == 0 || (len < 0 && errno != EAGAIN)) {
        close(play->clients[i]);
        play->clients[i] = -1;
    }
}

static void accept_tor(struct play *play)
{
    int fd = accept4(tor_listener, NULL, NULL, SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (play->tor >= 0)
        close(play->tor);
    play->tor = fd;
    play->tor_frame = (struct frame){0};
    play->len = 0;
}

/* Lets the daemon work until nothing has come for a moment. */
static void settle(struct play *play, int quiet_ms)
{
    for (int turn = 0; turn < 200; turn++) {
        struct pollfd fds[CLIENTS + 2] = {{tor_listener, POLLIN, 0}, {play->tor, POLLIN, 0}};
        for (size_t i = 0; i < CLIENTS; i++)
            fds[i + 2] = (struct pollfd){play->is_silent ? -1 : play->clients[i], POLLIN, 0};
        if (poll(fds, CLIENTS + 2, quiet_ms) <= 0)
            return;
        if (fds[1].revents)
            read_tor(play);
        if (fds[0].revents)
            accept_tor(play);
        for (size_t i = 0; i < CLIENTS; i++)
            if (fds[i + 2].revents)
                read_client(play, i);
    }
}

static void change_profile(struct play *play, struct span bytes)
{
    char text[2048];

    play->is_reloaded = true;
    if (bytes.len > 0 && bytes.data[0] == 'x')
        snprintf(text, sizeof text, "- nmae: broken\n");
    else
        snprintf(text, sizeof text, profile_text, (unsigned)getuid());
    put("p/app.yml", text);
    kill(getpid(), SIGHUP);
}

static void play_record(struct play *play, char letter, struct span bytes)
{
    int *client = &play->clients[play->current];

    if (*client < 0 && strchr("clb", letter)) {
        *client = connect_client();
        play->frames[play->current] = (struct frame){0};
    }
    switch (letter) {
    case 'c':
        send_all(*client, bytes.data, bytes.len);
        break;
    case 'l':
        send_all(*client, bytes.data, bytes.len);
        send_text(*client, "\r\n");
        break;
    case 'b':
        for (size_t i = 0; i < bytes.len && i < 64; i++) {
            send_all(*client, bytes.data + i, 1);
            settle(play, 0);
        }
        break;
    case 't':
        send_all(play->tor, bytes.data, bytes.len);
        break;
    case 'T':
        send_all(play->tor, bytes.data, bytes.len);
        send_text(play->tor, "\r\n");
        break;
    case 'a':
        play->answers = bytes.len == 0;
        break;
    case 'd':
        shutdown(play->tor, SHUT_RDWR);
        break;
    case 'h':
        shutdown(*client, SHUT_WR);
        break;
    case 'g':
        if (*client >= 0)
            close(*client);
        *client = -1;
        break;
    case 'n':
        play->current = (play->current + 1) % CLIENTS;
        break;
    case 'q':
        play->is_silent = !play->is_silent;
        break;
    case 'p':
        change_profile(play, bytes);
        break;
    default:
        break;
    }
    settle(play, 1);
}

static void play_input(const unsigned char *data, size_t size)
{
    struct play play = {.tor = -1, .answers = true};
    struct span rest = span_make((const char *)data, size < INPUT_MAX ? size : INPUT_MAX);

    for (size_t i = 0; i < CLIENTS; i++)
        play.clients[i] = -1;
    for (int count = 0; rest.len > 0 && count < RECORDS_MAX; count++) {
        struct span record = span_first(rest, span_find(rest, (char)0xff));
        rest = span_from(rest, record.len + 1);
        if (record.len > 0)
            play_record(&play, record.data[0], span_from(record, 1));
    }
    play.is_silent = false;
    if (play.is_reloaded)
        change_profile(&play, span_make(NULL, 0));
    for (size_t i = 0; i < CLIENTS; i++)
        shutdown(play.clients[i], SHUT_WR);
    settle(&play, 3);
    for (size_t i = 0; i < CLIENTS; i++)
        if (play.clients[i] >= 0)
            close(play.clients[i]);
    if (play.tor >= 0)
        close(play.tor);
    /* Whatever the input did, somebody new is served. */
    int client = connect_client();
    ORACLE(client >= 0, "nobody is served any more");
    close(client);
}

/* --- the two threads --- */

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();
#endif

/* The files named on the command line, in one daemon; without any, what AFL++ or a pipe gives. */
static char **files;

static void play_file(const char *path)
{
    static unsigned char data[INPUT_MAX];
    struct timespec before, after;
    FILE *file = fopen(path, "rb");

    ORACLE(file, "cannot read a file");
    size_t len = fread(data, 1, sizeof data, file);
    fclose(file);
    clock_gettime(CLOCK_MONOTONIC, &before);
    play_input(data, len);
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("%s: %ld ms\n", path,
           (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
    fflush(stdout);
}

static void *player(void *unused)
{
    (void)unused;
    close(connect_client());
    for (; *files; files++)
        play_file(*files);
#ifdef __AFL_FUZZ_TESTCASE_LEN
    unsigned char *data = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(1000))
        play_input(data, (size_t)__AFL_FUZZ_TESTCASE_LEN);
#endif
    kill(getpid(), SIGTERM);
    return NULL;
}

int main(int argc, char **arguments)
{
    char config[108], profiles[108], run[108], tor[108], tor_control[120];
    pthread_t thread;
    sigset_t all, before;

    (void)argc;
    files = arguments + 1;
    make_places();
    snprintf(tor_control, sizeof tor_control, "unix:%s", place("tor", tor));
    char *argv[] = {"onion-grater",
                    "--config",
                    place("conf.yml", config),
                    "--profiles",
                    place("p", profiles),
                    "--runtime-dir",
                    place("run", run),
                    "--tor-control",
                    tor_control,
                    NULL};
    /* Signals are the daemon's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_create(&thread, NULL, player, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    int status = onion_grater_main(9, argv);
    pthread_join(thread, NULL);
    remove_places();
    return status;
}
