/* Load generator for a control port. One mode a run, one JSON object on stdout. */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "connection.h"

#define MAX_CLIENTS 64
#define MAX_DEPTH 64
#define START_SECONDS 20

struct options {
    const char *mode;
    const char *socket;
    const char *auth;    /* what follows AUTHENTICATE; "" is nothing */
    const char *command; /* without CRLF */
    double seconds;
    long count;
    int clients;
    int depth;
    char **program; /* start: what to run */
};

struct client {
    int fd;
    struct scan scan;
    char *burst; /* `depth` commands in a row */
    size_t unsent; /* commands that wait to be written */
    size_t offset; /* bytes of the first of them that are written */
};

/* ---- latency: one command after the other ---- */

static void run_latency(const struct options *options)
{
    uint32_t *samples = calloc(MAX_SAMPLES, sizeof(*samples));
    int fd = connect_now(options->socket);
    char line[MAX_LINE];
    size_t len = (size_t)snprintf(line, sizeof(line), "%s\r\n", options->command);
    size_t count = 0;
    uint64_t start;
    uint64_t end;

    if (!samples)
        die("no memory");
    log_in(fd, options->auth);
    for (int i = 0; i < 50; i++)
        ask(fd, line, len);
    start = now_ns();
    end = start + (uint64_t)(options->seconds * 1e9);
    while (count < MAX_SAMPLES && start < end) {
        ask(fd, line, len);
        samples[count] = (uint32_t)(now_ns() - start);
        start += samples[count++];
    }
    qsort(samples, count, sizeof(*samples), compare_samples);
    printf("{\"count\": %zu, \"p50_us\": %.2f, \"p99_us\": %.2f}\n", count,
           sample_us(samples, count, 0.5), sample_us(samples, count, 0.99));
    close(fd);
    free(samples);
}

/* ---- rate: `depth` commands on the way, for each of `clients` ---- */

static void client_open(struct client *client, const struct options *options, size_t line_len)
{
    client->fd = connect_now(options->socket);
    log_in(client->fd, options->auth);
    client->burst = malloc(line_len * (size_t)options->depth + 1);
    if (!client->burst)
        die("no memory");
    for (int i = 0; i < options->depth; i++)
        sprintf(client->burst + line_len * (size_t)i, "%s\r\n", options->command);
    client->unsent = (size_t)options->depth;
    client->offset = 0;
}

static void client_write(struct client *client, size_t line_len)
{
    size_t len = client->unsent * line_len - client->offset;
    ssize_t sent = send(client->fd, client->burst + client->offset, len,
                        MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno == EAGAIN)
        return;
    if (sent < 0)
        die("send: %s", strerror(errno));
    client->offset += (size_t)sent;
    client->unsent -= client->offset / line_len;
    client->offset %= line_len;
}

/* Takes what there is, and owes a new command for each reply. Bytes are added to *bytes. */
static size_t client_read(struct client *client, uint64_t *bytes)
{
    ssize_t len = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    size_t replies;

    if (len < 0 && errno == EAGAIN)
        return 0;
    if (len <= 0)
        die("the connection ended: %s", len < 0 ? strerror(errno) : "closed");
    *bytes += (uint64_t)len;
    replies = scan_bytes(&client->scan, chunk, (size_t)len);
    client->unsent += replies;
    return replies;
}

static size_t clients_turn(struct client *clients, struct pollfd *polls, int count,
                           size_t line_len, uint64_t *bytes)
{
    size_t replies = 0;

    for (int i = 0; i < count; i++) {
        polls[i].fd = clients[i].fd;
        polls[i].events = clients[i].unsent ? POLLIN | POLLOUT : POLLIN;
    }
    if (poll(polls, (nfds_t)count, SILENCE_SECONDS * 1000) <= 0)
        die("no reply for %d s", SILENCE_SECONDS);
    for (int i = 0; i < count; i++) {
        if (polls[i].revents & (POLLIN | POLLHUP | POLLERR))
            replies += client_read(&clients[i], bytes);
        if (clients[i].unsent)
            client_write(&clients[i], line_len);
    }
    return replies;
}

static void run_rate(const struct options *options)
{
    static struct client clients[MAX_CLIENTS];
    static struct pollfd polls[MAX_CLIENTS];
    size_t line_len = strlen(options->command) + 2;
    size_t replies = 0;
    uint64_t bytes = 0;
    uint64_t start;
    uint64_t took;

    for (int i = 0; i < options->clients; i++)
        client_open(&clients[i], options, line_len);
    start = now_ns();
    do {
        replies += clients_turn(clients, polls, options->clients, line_len, &bytes);
        took = now_ns() - start;
    } while ((double)took < options->seconds * 1e9);
    printf("{\"count\": %zu, \"per_second\": %.1f, \"bytes_per_second\": %.0f}\n", replies,
           (double)replies * 1e9 / (double)took, (double)bytes * 1e9 / (double)took);
}

/* ---- sessions: a whole short conversation, one after the other ---- */

static void run_sessions(const struct options *options)
{
    uint64_t start = now_ns();
    uint64_t took;
    size_t count = 0;

    do {
        int fd = connect_now(options->socket);

        ask_string(fd, "PROTOCOLINFO 1\r\n");
        log_in(fd, options->auth);
        if (options->command[0]) {
            send_text(fd, options->command, strlen(options->command));
            ask_string(fd, "\r\n");
        }
        ask_string(fd, "QUIT\r\n");
        if (recv(fd, chunk, 1, 0) != 0)
            die("the connection is still open after QUIT");
        close(fd);
        count++;
        took = now_ns() - start;
    } while ((double)took < options->seconds * 1e9);
    printf("{\"count\": %zu, \"per_second\": %.1f}\n", count,
           (double)count * 1e9 / (double)took);
}

/* ---- idle: `count` sessions that have logged in and asked once, until stdin ends ---- */

static void run_idle(const struct options *options)
{
    for (long i = 0; i < options->count; i++) {
        int fd = connect_now(options->socket);

        log_in(fd, options->auth);
        ask_string(fd, "GETINFO version\r\n");
    }
    printf("{\"sessions\": %ld}\n", options->count);
    fflush(stdout);
    while (read(STDIN_FILENO, chunk, sizeof(chunk)) > 0)
        continue;
}

/* ---- start: from exec to the first answer ---- */

static int first_connection(const struct options *options, pid_t child, uint64_t start)
{
    struct timespec pause = {.tv_nsec = 100000};
    int fd;

    while ((fd = try_connect(options->socket)) < 0) {
        if (waitpid(child, NULL, WNOHANG) != 0)
            die("%s ended before it listened", options->program[0]);
        if (now_ns() - start > START_SECONDS * 1000000000ull) {
            kill(child, SIGKILL);
            die("%s does not listen after %d s", options->program[0], START_SECONDS);
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

static void run_start(const struct options *options)
{
    uint64_t start = now_ns();
    pid_t child = fork();
    double took;
    int fd;

    if (child < 0)
        die("fork: %s", strerror(errno));
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(options->program[0], options->program);
        _exit(127);
    }
    fd = first_connection(options, child, start);
    send_text(fd, "PROTOCOLINFO 1\r\n", 16);
    if (read_reply(fd) == 0)
        fprintf(stderr, "load: closed without an answer\n");
    took = (double)(now_ns() - start) / 1e6;
    close(fd);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    printf("{\"start_ms\": %.3f}\n", took);
}

/* ---- options ---- */

static const char usage[] =
    "usage: load MODE --socket PATH|tcp:PORT [options] [-- PROGRAM ARGUMENT...]\n"
    "  latency   --command TEXT --seconds S         one command after the other\n"
    "  rate      the same, --clients N --depth N    N commands on the way for each client\n"
    "  sessions  --seconds S [--command TEXT]       connect, log in, QUIT\n"
    "  idle      --count N                          hold N sessions until stdin ends\n"
    "  start     -- PROGRAM ...                     run it, wait for its first answer, end it\n"
    "  --auth TEXT   what follows AUTHENTICATE (default: nothing)\n";

static void read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"socket", required_argument, NULL, 's'},  {"auth", required_argument, NULL, 'a'},
        {"command", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 't'},
        {"clients", required_argument, NULL, 'n'}, {"depth", required_argument, NULL, 'd'},
        {"count", required_argument, NULL, 'k'},   {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (letter) {
        case 's': options->socket = optarg; break;
        case 'a': options->auth = optarg; break;
        case 'c': options->command = optarg; break;
        case 't': options->seconds = strtod(optarg, NULL); break;
        case 'n': options->clients = (int)strtol(optarg, NULL, 10); break;
        case 'd': options->depth = (int)strtol(optarg, NULL, 10); break;
        case 'k': options->count = strtol(optarg, NULL, 10); break;
        default: options->socket = NULL; return;
        }
    }
    options->program = argv + optind;
}

static bool options_are_usable(const struct options *options)
{
    return options->socket && options->clients >= 1 && options->clients <= MAX_CLIENTS &&
           options->depth >= 1 && options->depth <= MAX_DEPTH &&
           strlen(options->command) < MAX_LINE - 3 && strlen(options->auth) < MAX_LINE / 2;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const struct options *options);
    } modes[] = {{"latency", run_latency}, {"rate", run_rate},   {"sessions", run_sessions},
                 {"idle", run_idle},       {"start", run_start}};
    struct options options = {.auth = "", .command = "", .seconds = 1, .clients = 1, .depth = 1};

    if (argc > 1) {
        options.mode = argv[1];
        read_options(argc - 1, argv + 1, &options);
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (options.mode && strcmp(options.mode, modes[i].name) == 0 &&
            options_are_usable(&options) && (i != 4 || options.program[0])) {
            modes[i].run(&options);
            return 0;
        }
    }
    fputs(usage, stderr);
    return 2;
}
