/* A flood of events: each command that one connection gives tor itself (MAPADDRESS) is an event for
 * the other one, which comes by the way that is measured. How many come in a second, and how long
 * after the command each of them does; one JSON object on stdout. */
#include <poll.h>

#include "connection.h"

#define COMMAND "MAPADDRESS www.example.com=192.0.2.1\r\n"

struct flood {
    int watcher; /* gets the events */
    int source;  /* makes them: `depth` commands on the way */
    size_t depth, in_flight;
    size_t sent, seen;
    uint64_t *sent_at; /* of each command */
    uint32_t *delays;  /* of each event */
    size_t line_len;   /* of the watcher's unfinished line */
    struct scan scan;  /* of the source's replies */
};

static void flood_ask(struct flood *flood)
{
    while (flood->in_flight < flood->depth && flood->sent < MAX_SAMPLES) {
        flood->sent_at[flood->sent++] = now_ns();
        send_text(flood->source, COMMAND, strlen(COMMAND));
        flood->in_flight++;
    }
}

static void flood_read_source(struct flood *flood)
{
    ssize_t len = recv(flood->source, chunk, sizeof(chunk), MSG_DONTWAIT);

    if (len == 0 || (len < 0 && errno != EAGAIN))
        die("tor has closed the connection that makes events");
    if (len > 0)
        flood->in_flight -= scan_bytes(&flood->scan, chunk, (size_t)len);
}

/* Every line is an event. */
static void flood_read_watcher(struct flood *flood)
{
    ssize_t len = recv(flood->watcher, chunk, sizeof(chunk), MSG_DONTWAIT);
    uint64_t now = now_ns();

    if (len == 0 || (len < 0 && errno != EAGAIN))
        die("the connection ended");
    for (ssize_t i = 0; i < len; i++) {
        if (flood->line_len++ < 3 && chunk[i] != "650"[flood->line_len - 1])
            die("an event belongs here");
        if (chunk[i] != '\n')
            continue;
        flood->line_len = 0;
        if (flood->seen == flood->sent)
            die("more events than there are");
        flood->delays[flood->seen] = (uint32_t)(now - flood->sent_at[flood->seen]);
        flood->seen++;
    }
}

static void flood_turn(struct flood *flood)
{
    struct pollfd polls[2] = {{flood->watcher, POLLIN, 0}, {flood->source, POLLIN, 0}};

    if (poll(polls, 2, SILENCE_SECONDS * 1000) <= 0)
        die("no event for %d s", SILENCE_SECONDS);
    if (polls[0].revents)
        flood_read_watcher(flood);
    if (polls[1].revents)
        flood_read_source(flood);
}

static struct flood flood_begin(char **argv)
{
    struct flood flood = {.watcher = connect_now(argv[1]),
                          .source = connect_now(argv[3]),
                          .sent_at = calloc(MAX_SAMPLES, sizeof(*flood.sent_at)),
                          .delays = calloc(MAX_SAMPLES, sizeof(*flood.delays)),
                          .depth = strtoul(argv[6], NULL, 10)};

    if (!flood.sent_at || !flood.delays)
        die("no memory");
    log_in(flood.watcher, argv[2]);
    ask_string(flood.watcher, "SETEVENTS ADDRMAP\r\n");
    log_in(flood.source, argv[4]);
    return flood;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: flood SOCKET AUTH TORS-SOCKET TORS-AUTH SECONDS DEPTH\n", stderr);
        return 2;
    }
    struct flood flood = flood_begin(argv);
    double most = strtod(argv[5], NULL) * 1e9;
    uint64_t start = now_ns();

    while ((double)(now_ns() - start) < most && flood.sent < MAX_SAMPLES) {
        flood_ask(&flood);
        flood_turn(&flood);
    }
    while (flood.seen < flood.sent)
        flood_turn(&flood);
    uint64_t took = now_ns() - start;
    qsort(flood.delays, flood.seen, sizeof(*flood.delays), compare_samples);
    printf("{\"count\": %zu, \"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
           flood.seen, (double)flood.seen * 1e9 / (double)took,
           sample_us(flood.delays, flood.seen, 0.5), sample_us(flood.delays, flood.seen, 0.99));
    return 0;
}
