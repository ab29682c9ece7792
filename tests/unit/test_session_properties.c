/* Generated sessions: what must hold for every client, every tor and every cut of their bytes.
 *
 * A table of commands with what tor gets and what the client sees is the model; a session is a
 * random sequence of its rows, with events in between. Seeds are fixed, so a failure repeats. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "session_rig.h"

#define SESSIONS 250
#define COMMANDS_MAX 150
#define HOSTILE_SESSIONS 400
#define HOSTILE_MAX 4000

static const char profile_text[] =
    "- name: app\n"
    "  apparmor-profiles: ['*']\n"
    "  users: ['*']\n"
    "  commands:\n"
    "    GETINFO:\n"
    "      - version\n"
    "      - md/all\n"
    "      - uptime\n"
    "      - pattern: status/bootstrap-phase\n"
    "        reply: ['250-status/bootstrap-phase=DONE', '250 OK']\n"
    "      - pattern: net/listeners/socks\n"
    "        response:\n"
    "          - pattern: '250-net/listeners/socks=.*'\n"
    "            replacement: '250-net/listeners/socks=\"{client-address}:9150\"'\n"
    "    SIGNAL: [NEWNYM]\n"
    "    ADD_ONION:\n"
    "      - pattern: 'NEW:BEST Port=80,(\\d+)'\n"
    "        replacement: 'NEW:BEST Flags=DiscardPK,Detach Port=80,{client-address}:{0}'\n"
    "        response:\n"
    "          - pattern: '250-PrivateKey=.*'\n"
    "            replacement: '250-PrivateKey=hidden'\n"
    "    TAKEOWNERSHIP:\n"
    "      - pattern: ''\n"
    "        reply: ['250 OK']\n"
    "    '+LOADCONF':\n"
    "      - ''\n"
    "  confs:\n"
    "    DisableNetwork: ['\"[01]\"']\n"
    "    Nickname: ['[a-z]+']\n"
    "  events:\n"
    "    BW:\n"
    "    HS_DESC:\n"
    "      response:\n"
    "        - pattern: '650 HS_DESC (\\w+) .*'\n"
    "          replacement: '650 HS_DESC {} hidden'\n"
    "    CIRC:\n"
    "      suppress: true\n";

#define REFUSED "510 Command filtered\r\n"
#define VERSION_LINE "250-version=0.4.9.11\r\n"
#define BLOCK "250+md/all=\r\n250 OK\r\n650 BW 9 9\r\n..\r\n510 Command filtered\r\n.\r\n"
#define GREETING                                                                                  \
    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n"                              \
    "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"

/* One command: what the client sends, tor gets and answers, the client sees. */
struct row {
    struct span client;
    struct span to_tor; /* empty: nothing */
    struct span from_tor;
    struct span seen;
};

#define LOCAL(client, seen) {SPAN(client), SPAN(""), SPAN(""), SPAN(seen)}
#define PASSED(client, to_tor, reply) {SPAN(client), SPAN(to_tor), SPAN(reply), SPAN(reply)}

static const struct row subscription =
    PASSED("SETEVENTS BW HS_DESC CIRC\r\n", "SETEVENTS BW HS_DESC\r\n", "250 OK\r\n");

static const struct row rows[] = {
    PASSED("GETINFO version\r\n", "GETINFO version\r\n", VERSION_LINE "250 OK\r\n"),
    PASSED("getinfo   version\n", "GETINFO version\r\n", VERSION_LINE "250 OK\r\n"),
    PASSED("GETINFO md/all\r\n", "GETINFO md/all\r\n", BLOCK "250 OK\r\n"),
    PASSED("GETINFO md/all version\r\n", "GETINFO md/all version\r\n",
           BLOCK VERSION_LINE "250 OK\r\n"),
    PASSED("GETINFO uptime\r\n", "GETINFO uptime\r\n", "551 Not now\r\n"),
    PASSED("SIGNAL NEWNYM\r\n", "SIGNAL NEWNYM\r\n", "250 OK\r\n"),
    PASSED("signal NEWNYM\r\n", "SIGNAL NEWNYM\r\n", "552 Unrecognized signal\r\n"),
    PASSED("SETCONF disablenetwork=\"0\"Nickname=abc\r\n",
           "SETCONF DisableNetwork=\"0\" Nickname=abc\r\n", "250 OK\r\n"),
    PASSED("GETCONF nickname DISABLENETWORK\r\n", "GETCONF Nickname DisableNetwork\r\n",
           "250-Nickname=abc\r\n250 DisableNetwork=1\r\n"),
    PASSED("+LOADCONF\r\nNickname abc\n..\r\n.\r\n", "+LOADCONF\r\nNickname abc\r\n..\r\n.\r\n",
           "250 OK\r\n"),
    {SPAN("GETINFO version status/bootstrap-phase net/listeners/socks\r\n"),
     SPAN("GETINFO version net/listeners/socks\r\n"),
     SPAN(VERSION_LINE "250-net/listeners/socks=\"10.1.1.1:9050\"\r\n250 OK\r\n"),
     SPAN(VERSION_LINE "250-status/bootstrap-phase=DONE\r\n"
                       "250-net/listeners/socks=\"127.0.0.1:9150\"\r\n250 OK\r\n")},
    {SPAN("ADD_ONION NEW:BEST Port=80,1234\r\n"),
     SPAN("ADD_ONION NEW:BEST Flags=DiscardPK,Detach Port=80,127.0.0.1:1234\r\n"),
     SPAN("250-ServiceID=abc\r\n250-PrivateKey=ED25519-V3:secret\r\n250 OK\r\n"),
     SPAN("250-ServiceID=abc\r\n250-PrivateKey=hidden\r\n250 OK\r\n")},
    LOCAL("AUTHENTICATE\r\n", "250 OK\r\n"),
    LOCAL("authenticate \"x\"\n", "250 OK\r\n"),
    LOCAL("PROTOCOLINFO 1\r\n", GREETING),
    LOCAL("GETINFO status/bootstrap-phase\r\n", "250-status/bootstrap-phase=DONE\r\n250 OK\r\n"),
    LOCAL("TAKEOWNERSHIP\r\n", "250 OK\r\n"),
    LOCAL("AUTHCHALLENGE SAFECOOKIE 00\r\n", REFUSED),
    LOCAL("GETINFO address\r\n", REFUSED),
    LOCAL("GETINFO version address\r\n", REFUSED),
    LOCAL("GETINFO version\x0c address\r\n", REFUSED),
    LOCAL("GETINFO version\0\r\n", REFUSED),
    LOCAL("GETINFO version\r\r\n", REFUSED),
    LOCAL(" GETINFO version\r\n", REFUSED),
    LOCAL("SIGNAL HALT\r\n", REFUSED),
    LOCAL("SIGNAL NEWNYM HALT\r\n", REFUSED),
    LOCAL("\n", REFUSED),
    LOCAL("\xc5\xbfIGNAL NEWNYM\r\n", REFUSED),
    LOCAL("ADD_ONION NEW:BEST Port=80,localhost:1\r\n", REFUSED),
    LOCAL("SETCONF DisableNetwork=\"0\"ControlPort=1\r\n", REFUSED),
    LOCAL("SETEVENTS STREAM\r\n", REFUSED),
    LOCAL("+FOO\r\nSIGNAL NEWNYM\r\n. \r\n.\r\n", REFUSED),
    LOCAL("+GETINFO version\r\nx\n.\n", REFUSED),
    LOCAL("LOADCONF\r\n", REFUSED),
};

#define ROWS (sizeof rows / sizeof rows[0])

/* An event as tor sends it and as the client sees it. */
static const struct {
    const char *sent, *seen;
} events[] = {
    {"650 BW 1 2\r\n", "650 BW 1 2\r\n"},
    {"650 HS_DESC UPLOADED secret\r\n", "650 HS_DESC UPLOADED hidden\r\n"},
    {"650 HS_DESC ? secret\r\n", "650 HS_DESC ? secret\r\n"}, /* no pattern: left as it is */
    {"650-HS_DESC UPLOADED x\r\n650 secret\r\n", ""},
    {"650 CIRC 1 BUILT\r\n", ""},
    {"650 STREAM 1 NEW\r\n", ""},
    {"650+NS\r\n250 OK\r\n650 BW 7 7\r\n.\r\n650 OK\r\n", ""},
    {"650 BW a\rb\r\n", ""},
};

#define EVENTS (sizeof events / sizeof events[0])

enum schedule {
    SCHEDULE_WHOLE, /* each side in one piece */
    SCHEDULE_BYTES,
    SCHEDULE_RANDOM, /* pieces of any size, sides in any order */
};

struct run {
    uint64_t random;
    enum schedule schedule;
    struct rig rig;
    bool is_connected;
    const struct row *script[COMMANDS_MAX + 1];
    size_t count;
    size_t answered;       /* rows that tor was asked for and has answered, or that were skipped */
    struct buf client;     /* what the client still has to send */
    struct buf from_tor;   /* what tor still has to send */
    struct buf tor_line;   /* what came to tor and is not a command yet */
    struct buf to_tor;     /* all commands that came to tor */
    struct buf seen;       /* all that the client got */
    struct buf events;     /* what the client is to get of events */
};

static size_t below(struct run *run, size_t limit)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return (size_t)(run->random % limit);
}

static size_t piece(struct run *run, size_t left)
{
    size_t size = left;

    if (run->schedule == SCHEDULE_BYTES)
        size = 1;
    else if (run->schedule == SCHEDULE_RANDOM)
        size = 1 + below(run, below(run, 8) ? 30 : 3000);
    return size < left ? size : left;
}

static struct buf *run_buf(struct run *run, size_t index)
{
    struct buf *const bufs[] = {&run->client, &run->from_tor, &run->tor_line,
                                &run->to_tor, &run->seen,     &run->events};

    return index < sizeof bufs / sizeof bufs[0] ? bufs[index] : NULL;
}

static void run_open(struct run *run, uint64_t seed, enum schedule schedule)
{
    memset(run, 0, sizeof *run);
    run->random = (seed + 1) * 0x9e3779b97f4a7c15;
    run->schedule = schedule;
    for (size_t i = 0; run_buf(run, i); i++)
        buf_init(run_buf(run, i), STUB_STREAM_MAX);
    rig_open(&run->rig, rig_load("app.yml", span_from_string(profile_text)));
}

static void run_close(struct run *run)
{
    rig_close(&run->rig);
    for (size_t i = 0; run_buf(run, i); i++)
        buf_clear(run_buf(run, i));
}

/* --- the model of tor --- */

/* Events are a function of the place in the script, so that two runs of a seed see the same. */
static void say_events(struct run *run, size_t place)
{
    uint64_t hash = (place + 3) * 0x2545f4914f6cdd1d;

    for (hash >>= 40; hash % 3 == 0; hash /= 3) {
        size_t which = (hash / 3) % EVENTS;
        buf_append_string(&run->from_tor, events[which].sent);
        buf_append_string(&run->events, events[which].seen);
    }
}

/* The next command that the model expects at tor; NULL: none. */
static const struct row *next_expected(struct run *run)
{
    while (run->answered < run->count && run->script[run->answered]->to_tor.len == 0)
        run->answered++;
    return run->answered < run->count ? run->script[run->answered] : NULL;
}

static void take_command(struct run *run, struct span command)
{
    const char *login = rig_login_answer(command);
    const struct row *row = login ? NULL : next_expected(run);

    if (login) {
        buf_append_string(&run->from_tor, login);
        return;
    }
    buf_append(&run->to_tor, command);
    if (!row) /* the caller compares to_tor and says what was too much */
        return;
    buf_append(&run->from_tor, row->from_tor);
    run->answered++;
    say_events(run, run->answered);
}

static void take_byte_at_tor(struct run *run, char byte)
{
    buf_append_char(&run->tor_line, byte);
    struct span line = buf_span(&run->tor_line);
    bool is_block = line.data[0] == '+';

    if (is_block ? !rig_ends_with(line, SPAN("\r\n.\r\n")) : byte != '\n')
        return;
    take_command(run, line);
    buf_reset(&run->tor_line);
}

/* --- carrying bytes --- */

static bool carry_from_client(struct run *run)
{
    struct span bytes = buf_span(&run->client);
    size_t size = bytes.len ? piece(run, bytes.len) : 0, taken;

    if (!size || !session_reads_client(run->rig.session))
        return false;
    taken = session_client_input(run->rig.session, span_first(bytes, size));
    buf_consume(&run->client, taken);
    return taken > 0;
}

static bool carry_to_client(struct run *run)
{
    struct span ready = session_client_output(run->rig.session);
    size_t size = ready.len ? piece(run, ready.len) : 0;

    cr_assert(buf_append(&run->seen, span_first(ready, size)));
    session_client_sent(run->rig.session, size);
    return size > 0;
}

static bool carry_to_tor(struct run *run)
{
    struct span ready = session_tor_output(run->rig.session);
    size_t size = ready.len ? piece(run, ready.len) : 0;

    for (size_t i = 0; i < size; i++)
        take_byte_at_tor(run, ready.data[i]);
    session_tor_sent(run->rig.session, size);
    return size > 0;
}

static bool carry_from_tor(struct run *run)
{
    struct span bytes = buf_span(&run->from_tor);
    size_t size = bytes.len ? piece(run, bytes.len) : 0;

    if (!size || !run->is_connected || !session_reads_tor(run->rig.session))
        return false;
    session_tor_input(run->rig.session, span_first(bytes, size));
    buf_consume(&run->from_tor, size);
    return true;
}

static bool carry_connection(struct run *run)
{
    if (run->is_connected && session_drops_tor(run->rig.session)) {
        run->is_connected = false;
        buf_reset(&run->from_tor);
        buf_reset(&run->tor_line);
        session_tor_lost(run->rig.session, "dropped");
        return true;
    }
    if (run->is_connected || !session_wants_tor(run->rig.session))
        return false;
    run->is_connected = true;
    session_tor_connected(run->rig.session);
    return true;
}

/* Until nobody has anything to say; in SCHEDULE_RANDOM each turn may be anybody's. */
static void run_to_rest(struct run *run)
{
    static bool (*const carriers[])(struct run *) = {
        carry_from_client, carry_connection, carry_to_tor, carry_from_tor, carry_to_client,
    };
    size_t idle = 0;

    while (idle < 5) {
        bool is_busy = false;
        if (run->schedule == SCHEDULE_RANDOM && below(run, 4) != 0) {
            carriers[below(run, 5)](run);
            continue;
        }
        for (size_t i = 0; i < 5; i++)
            is_busy = carriers[i](run) || is_busy;
        idle = is_busy ? 0 : idle + 1;
    }
}

/* --- what the client got --- */

/* Splits what the client saw into replies and events; what is left over is returned. */
static size_t split_seen(const struct run *run, struct buf *replies, struct buf *seen_events,
                         size_t *count_out, bool *is_malformed)
{
    struct span text = buf_span(&run->seen);

    *count_out = 0;
    *is_malformed = false;
    for (;;) {
        size_t size = rig_message_length(text, is_malformed);
        if (!size)
            return text.len;
        bool is_event = span_starts_with(text, SPAN("650"));
        buf_append(is_event ? seen_events : replies, span_first(text, size));
        *count_out += !is_event;
        text = span_from(text, size);
    }
}

static void expect_equal(const char *what, uint64_t seed, enum schedule schedule,
                         const struct buf *got, const struct buf *expected)
{
    struct span a = buf_span(got), b = buf_span(expected);
    size_t same = 0;

    if (span_equals(a, b))
        return;
    while (same < a.len && same < b.len && a.data[same] == b.data[same])
        same++;
    size_t from = same > 60 ? same - 60 : 0;
    struct buf left, right;
    buf_init(&left, STUB_STREAM_MAX);
    buf_init(&right, STUB_STREAM_MAX);
    buf_append_escaped(&left, span_from(a, from), 160);
    buf_append_escaped(&right, span_from(b, from), 160);
    buf_append_char(&left, '\0');
    buf_append_char(&right, '\0');
    cr_expect(false, "seed %zu, schedule %d: %s differ at byte %zu: \"%s\" instead of \"%s\"",
              (size_t)seed, (int)schedule, what, same, left.data, right.data);
    buf_clear(&left);
    buf_clear(&right);
}

/* --- the properties --- */

static void write_script(struct run *run, uint64_t seed)
{
    run->random = (seed + 1) * 0xd1342543de82ef95;
    run->count = 1 + below(run, below(run, 3) ? 20 : COMMANDS_MAX);
    run->script[0] = &subscription;
    for (size_t i = 1; i <= run->count; i++)
        run->script[i] = &rows[below(run, ROWS)];
    run->count++;
    for (size_t i = 0; i < run->count; i++)
        buf_append(&run->client, run->script[i]->client);
}

static void expect_properties(const struct run *run, uint64_t seed)
{
    struct buf replies, seen_events, expected_replies, expected_to_tor;
    struct buf *const bufs[] = {&replies, &seen_events, &expected_replies, &expected_to_tor};
    bool is_malformed;
    size_t count, left;

    for (size_t i = 0; i < 4; i++)
        buf_init(bufs[i], STUB_STREAM_MAX);
    for (size_t i = 0; i < run->count; i++) {
        buf_append(&expected_replies, run->script[i]->seen);
        buf_append(&expected_to_tor, run->script[i]->to_tor);
    }
    left = split_seen(run, &replies, &seen_events, &count, &is_malformed);
    cr_expect(!is_malformed && left == 0, "seed %zu: the client got what is no message",
              (size_t)seed);
    cr_expect(count == run->count, "seed %zu, schedule %d: %zu replies to %zu commands",
              (size_t)seed, (int)run->schedule, count, run->count);
    expect_equal("replies", seed, run->schedule, &replies, &expected_replies);
    expect_equal("commands at tor", seed, run->schedule, &run->to_tor, &expected_to_tor);
    expect_equal("events", seed, run->schedule, &seen_events, &run->events);
    for (size_t i = 0; i < 4; i++)
        buf_clear(bufs[i]);
}

static void check_schedule(uint64_t seed, enum schedule schedule)
{
    struct run run;

    run_open(&run, seed, schedule);
    write_script(&run, seed);
    run_to_rest(&run);
    expect_properties(&run, seed);
    cr_expect(session_end_reason(run.rig.session) == NULL, "seed %zu, schedule %d: it ended: %s",
              (size_t)seed, (int)schedule, session_end_reason(run.rig.session));
    session_client_eof(run.rig.session);
    cr_expect(session_end_reason(run.rig.session) != NULL,
              "seed %zu: it goes on after the client's last reply", (size_t)seed);
    run_close(&run);
}

Test(session_properties, whole)
{
    for (uint64_t seed = 0; seed < SESSIONS; seed++)
        check_schedule(seed, SCHEDULE_WHOLE);
}

Test(session_properties, byte_by_byte)
{
    for (uint64_t seed = 0; seed < SESSIONS; seed++)
        check_schedule(seed, SCHEDULE_BYTES);
}

Test(session_properties, random_cuts)
{
    for (uint64_t seed = 0; seed < SESSIONS; seed++)
        check_schedule(seed, SCHEDULE_RANDOM);
}

/* --- hostile peers --- */

/* Rows with some bytes changed, lost or doubled. */
static void write_mutated(struct run *run, struct buf *out, bool is_tor)
{
    static const char bytes[] = "\0\r\n\t\x0b\x0c \"'+=.,:5026\xff\xa0";

    for (size_t n = 0; out->len < HOSTILE_MAX && n < 40; n++) {
        const struct row *row = &rows[below(run, ROWS)];
        struct span text = is_tor ? row->from_tor : row->client;
        for (size_t i = 0; i < text.len; i++) {
            size_t what = below(run, 150);
            if (what == 0)
                buf_append_char(out, bytes[below(run, sizeof bytes - 1)]);
            if (what == 1)
                continue;
            buf_append_char(out, what == 2 ? (char)below(run, 256) : text.data[i]);
        }
    }
}

/* Whether tor may get this command: it is one of the rows', byte by byte, but for GETINFO with
 * approved keys in any number, and numbers that a pattern leaves open. */
static bool is_approved(struct span command)
{
    static const char *const starts[] = {
        "ADD_ONION NEW:BEST Flags=DiscardPK,Detach Port=80,127.0.0.1:",
        "SETCONF DisableNetwork=\"",
        "SETCONF Nickname=",
        "GETINFO ",
        "GETCONF ",
        "RESETCONF DisableNetwork=\"",
        "RESETCONF Nickname=",
        "+LOADCONF\r\n",
        "SETEVENTS",
        "SIGNAL NEWNYM\r\n",
    };

    for (size_t i = 0; i < command.len; i++)
        if (command.data[i] != '\r' && command.data[i] != '\n' &&
            (command.data[i] < 0x20 || command.data[i] > 0x7e))
            return false;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (span_starts_with(command, span_from_string(starts[i])))
            return true;
    return false;
}

static void expect_approved(const struct run *run, uint64_t seed)
{
    struct span rest = buf_span(&run->to_tor);

    while (rest.len > 0) {
        size_t size = span_find(rest, '\n') + 1;
        struct span command = span_first(rest, size);
        cr_expect(is_approved(command), "seed %zu: tor got \"%.*s\"", (size_t)seed,
                  (int)command.len, command.data);
        while (command.data[0] == '+' && !rig_ends_with(span_first(rest, size), SPAN("\n.\r\n"))) {
            size_t more = span_find(span_from(rest, size), '\n') + 1;
            cr_assert(size + more <= rest.len, "seed %zu: a block without an end", (size_t)seed);
            size += more;
        }
        rest = span_from(rest, size);
    }
}

/* What the client got are messages; how much is left of an unfinished one. */
static size_t expect_messages(const struct run *run, uint64_t seed)
{
    struct buf replies, seen_events;
    bool is_malformed;
    size_t count;

    buf_init(&replies, STUB_STREAM_MAX);
    buf_init(&seen_events, STUB_STREAM_MAX);
    size_t left = split_seen(run, &replies, &seen_events, &count, &is_malformed);
    cr_expect(!is_malformed, "seed %zu: the client got what is no message", (size_t)seed);
    buf_clear(&replies);
    buf_clear(&seen_events);
    return left;
}

Test(session_properties, hostile_client)
{
    for (uint64_t seed = 0; seed < HOSTILE_SESSIONS; seed++) {
        struct run run;

        run_open(&run, seed, SCHEDULE_RANDOM);
        write_mutated(&run, &run.client, false);
        run_to_rest(&run);
        expect_approved(&run, seed);
        expect_messages(&run, seed);
        run_close(&run);
    }
}

Test(session_properties, hostile_tor)
{
    for (uint64_t seed = 0; seed < HOSTILE_SESSIONS; seed++) {
        struct run run;

        run_open(&run, seed, SCHEDULE_RANDOM);
        buf_append(&run.client, subscription.client);
        run.script[0] = &subscription;
        run.count = 1;
        run_to_rest(&run);
        for (size_t i = 0; i < 30; i++)
            buf_append(&run.client, rows[below(&run, ROWS)].client);
        write_mutated(&run, &run.from_tor, true);
        run_to_rest(&run);
        cr_expect(expect_messages(&run, seed) == 0, "seed %zu: the client got half a message",
                  (size_t)seed);
        run_close(&run);
    }
}
