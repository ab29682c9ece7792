/* Which streams and circuits are the client's own, told by events; and what it may see of these. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "own_streams.h"

#define MINE " SOURCE_ADDR=10.0.0.5:4000 PURPOSE=USER"
#define OTHER " SOURCE_ADDR=10.0.0.9:4000 PURPOSE=USER"

static struct own_streams *own_new(const char *source)
{
    struct stream_source client;

    cr_assert(stream_source_parse(span_from_string(source), &client));
    return own_streams_new(&client);
}

/* What the client may have of one line, NULL: nothing; borrowed until the next call. */
static const char *see(struct own_streams *own, const char *wire)
{
    static char seen[4096];
    struct span text = span_from_string(wire);
    struct reply_line line = {REPLY_END, 650, text, span_from(text, 4)};

    if (strlen(wire) > 3 && wire[3] != ' ')
        line.kind = wire[3] == '+' ? REPLY_DATA : REPLY_MID;
    if (!own_streams_admit(own, &line))
        return NULL;
    cr_expect(span_equals(span_from(line.wire, 4), line.text), "%s", wire);
    snprintf(seen, sizeof seen, "%.*s", (int)line.wire.len, line.wire.data);
    return seen;
}

static bool has(const struct own_streams *own, char kind, unsigned long id)
{
    return kind == 's' ? own_streams_has_stream(own, id) : own_streams_has_circuit(own, id);
}

/* One dialogue: events in order, each with what the client sees of it: "=" all of it, NULL nothing,
 * else that text. "?s5" and "?c5" say that stream 5 is, or that circuit 5 has, a live stream of the
 * client's; "!s5" and "!c5" that not. */
struct step {
    const char *event;
    const char *seen;
};

#define SAME "="

static void play(const char *source, const struct step *steps, size_t count)
{
    struct own_streams *own = own_new(source);

    for (size_t i = 0; i < count; i++) {
        const char *event = steps[i].event;
        if (event[0] == '?' || event[0] == '!') {
            cr_expect_eq(has(own, event[1], strtoul(event + 2, NULL, 10)), event[0] == '?',
                         "row %zu: %s", i, event);
            continue;
        }
        if (strcmp(event, "reset") == 0) {
            own_streams_reset(own);
            continue;
        }
        const char *seen = see(own, event), *wanted = steps[i].seen;
        if (wanted && strcmp(wanted, SAME) == 0)
            wanted = event;
        cr_expect_eq(seen != NULL, wanted != NULL, "row %zu: %s", i, event);
        if (seen && wanted)
            cr_expect_str_eq(seen, wanted, "row %zu", i);
    }
    own_streams_free(own);
}

#define PLAY(source, steps) play(source, steps, sizeof(steps) / sizeof(*(steps)))

Test(own_streams, life_of_a_stream)
{
    static const struct step steps[] = {
        {"!s5", NULL},
        {"650 STREAM 5 NEW 0 x:1" MINE, SAME},
        {"?s5", NULL},
        {"!c7", NULL},
        {"650 STREAM 5 SENTCONNECT 7 x:1", SAME},
        {"?c7", NULL},
        {"650 STREAM 5 SUCCEEDED 7 x:1 SOCKS_USERNAME=\"SOURCE_ADDR=10.0.0.9:1\"", SAME},
        {"650 STREAM_BW 5 10 20 2026-11-21T05:53:31.403374", SAME},
        {"650 STREAM 5 CLOSED 7 x:1 REASON=DONE", SAME},
        {"!s5", NULL},
        {"!c7", NULL},
        {"650 STREAM 5 CLOSED 7 x:1 REASON=DONE", NULL},
        {"650 STREAM_BW 5 10 20 2026-11-21T05:53:31.403374", NULL},
        {"650 CIRC 7 CLOSED $F~a,$F~b PURPOSE=GENERAL SOCKS_USERNAME=\"me\" REASON=FINISHED",
         "650 CIRC 7 CLOSED"},
        {"650 CIRC 7 CLOSED REASON=FINISHED", NULL},
        {"650 STREAM 6 NEWRESOLVE 0 x:0" MINE, SAME},
        {"650 STREAM 6 FAILED 8 x:0 REASON=TIMEOUT", SAME},
        {"!s6", NULL},
        {"650 CIRC 8 CLOSED", SAME},
    };

    PLAY("10.0.0.5:1", steps);
}

Test(own_streams, others_streams)
{
    static const struct step steps[] = {
        {"650 STREAM 5 NEW 0 x:1" OTHER, NULL},
        {"650 STREAM 5 SENTCONNECT 7 x:1", NULL},
        {"650 STREAM 5 SUCCEEDED 7 x:1" MINE, NULL}, /* only its first event says whose it is */
        {"!s5", NULL},
        {"!c7", NULL},
        {"650 STREAM_BW 5 10 20", NULL},
        {"650 STREAM 5 CLOSED 7 x:1", NULL},
        {"650 CIRC 7 CLOSED", NULL},
        {"650 CIRC 7 BUILT $F~a", NULL},
        /* open before we looked: never guessed */
        {"650 STREAM 9 SUCCEEDED 7 x:1", NULL},
        {"650 STREAM 9 CLOSED 7 x:1", NULL},
        {"650 STREAM 10 NEW 0 x:1", NULL},
        {"650 STREAM 11 NEW 0 x:1 SOURCE_ADDR=/run/tor/socks:0", NULL},
        {"650 STREAM 12 NEW 0 x:1 SOURCE_ADDR=10.0.0.50:1", NULL},
        {"650 STREAM 13 NEW 0 x:1 SOURCE_ADDR=::10.0.0.5:1", NULL},
        {"650 STREAM 14 NEW 0 x:1 SOURCE_ADDR=::ffff:10.0.0.5:1", SAME},
        {"650 STREAM 15 NEW 0 x:1 SOCKS_USERNAME=\"a SOURCE_ADDR=10.0.0.5:1 x\"", NULL},
        {"650 STREAM 16 NEW 0 x SOURCE_ADDR=10.0.0.5:1 a=.test:0 SOURCE_ADDR=10.0.0.9:2", NULL},
        {"!s15", NULL},
        {"!s16", NULL},
    };

    PLAY("10.0.0.5:1", steps);
}

Test(own_streams, ids_that_change_hands)
{
    static const struct step steps[] = {
        {"650 STREAM 5 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 5 SENTCONNECT 7 x:1", SAME},
        {"650 STREAM 5 NEW 0 y:1" OTHER, NULL},
        {"!s5", NULL},
        {"!c7", NULL},
        {"650 STREAM 5 SENTCONNECT 8 y:1", NULL},
        {"650 STREAM 5 CLOSED 8 y:1", NULL},
        {"650 CIRC 8 CLOSED", NULL},
        {"650 CIRC 7 CLOSED", SAME},
        /* without a source, and a line that cannot be read */
        {"650 STREAM 6 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 6 NEW 0 y:1", NULL},
        {"!s6", NULL},
        {"650 STREAM 7 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 7 NEW 0 y:1" MINE " SOURCE_ADDR=10.0.0.5:4000", NULL},
        {"!s7", NULL},
        {"650 STREAM 8 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 8 SUCCEEDED 7 x:1 A=\"", NULL},
        {"!s8", NULL},
        {"650 STREAM 9 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 9 SUCCEEDED 7 x\r:1", NULL},
        {"!s9", NULL},
        /* tor gives no id twice: what was another's, or was closed, is not the client's again */
        {"650 STREAM 5 NEW 0 x:1" MINE, NULL},
        {"650 STREAM 6 NEW 0 x:1" MINE, NULL},
        {"650 STREAM 8 NEW 0 x:1" MINE, NULL},
        {"650 STREAM 11 NEW 0 y:1" OTHER, NULL},
        {"650 STREAM 11 CLOSED 0 y:1", NULL},
        {"650 STREAM 11 NEW 0 x:1" MINE, NULL},
        {"650 STREAM 12 SUCCEEDED 20 y:1", NULL},
        {"650 STREAM 12 NEW 0 x:1" MINE, NULL},
        {"650 STREAM 13 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 13 CLOSED 0 x:1", SAME},
        {"650 STREAM 13 NEW 0 x:1" MINE, NULL},
        {"650 STREAM 14 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 14 NEW 0 x:1" MINE, SAME},
        {"?s14", NULL},
        {"!s5", NULL},
        /* another tor */
        {"650 STREAM 14 SENTCONNECT 20 x:1", SAME},
        {"reset", NULL},
        {"!s14", NULL},
        {"!c20", NULL},
        {"650 STREAM 14 SUCCEEDED 20 y:1", NULL},
        {"650 CIRC 20 CLOSED", NULL},
        {"650 STREAM 1 NEW 0 x:1" MINE, SAME},
    };

    PLAY("10.0.0.5:1", steps);
}

Test(own_streams, circuits)
{
    static const struct step steps[] = {
        {"650 STREAM 1 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 2 NEW 0 x:1" MINE, SAME},
        {"!c0", NULL},
        {"650 STREAM 1 SENTCONNECT 7 x:1", SAME},
        {"650 STREAM 2 SENTCONNECT 7 x:1", SAME},
        {"650 STREAM 1 DETACHED 7 x:1 REASON=TIMEOUT", SAME},
        {"650 STREAM 1 SENTCONNECT 8 x:1", SAME},
        {"?c7", NULL},
        {"?c8", NULL},
        {"650 STREAM 2 CLOSED 7 x:1", SAME},
        {"!c7", NULL},
        {"650 STREAM 1 CONTROLLER_WAIT 0 x:1", SAME},
        {"!c8", NULL},
        {"!c0", NULL},
        {"650 STREAM 1 SENTCONNECT 9 x:1", SAME},
        /* closed under a stream: told once, and forgotten with the stream */
        {"650 CIRC 9 CLOSED $F~a", "650 CIRC 9 CLOSED"},
        {"650 CIRC 9 CLOSED $F~a", NULL},
        {"650 STREAM 1 CLOSED 9 x:1", SAME},
        {"650 CIRC 9 CLOSED", NULL},
        {"650 CIRC 7 CLOSED", SAME},
        {"650 CIRC 8 FAILED $F~a REASON=TIMEOUT", NULL},
        {"650 CIRC 8 CLOSED", NULL},
        {"650 STREAM 3 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 3 CLOSED 10 x:1", SAME},
        {"650 CIRC 010 CLOSED $F~a", "650 CIRC 10 CLOSED"},
    };

    PLAY("10.0.0.5:1", steps);
}

Test(own_streams, other_events)
{
    static const struct step steps[] = {
        {"650 STREAM 1 NEW 0 x:1" MINE, SAME},
        {"650 STREAM 1 SENTCONNECT 7 x:1", SAME},
        {"650 CIRC 7 LAUNCHED", NULL},
        {"650 CIRC 7 EXTENDED $F~a", NULL},
        {"650 CIRC 7 BUILT $F~a", NULL},
        {"650 CIRC 7 GUARD_WAIT $F~a", NULL},
        {"650 CIRC 7 CLOSED2", NULL},
        {"650 CIRC 7  CLOSED", NULL},
        {"650 CIRC seven CLOSED", NULL},
        {"650 CIRC 7", NULL},
        {"650 CIRC", NULL},
        {"650 circ 7 BUILT $F~a", NULL},
        {"650-CIRC 7 CLOSED", NULL},
        {"650+CIRC 7 CLOSED", NULL},
        {"650 CIRC_MINOR 7 PURPOSE_CHANGED $F~a", NULL},
        {"650 circ_minor 7 PURPOSE_CHANGED $F~a", NULL},
        {"650 CIRC_BW ID=7 READ=1 WRITTEN=2", NULL},
        {"650 STREAM_BW 2 1 2", NULL},
        {"650 STREAM_BW 1", SAME},
        {"650 STREAM_BW one 1 2", NULL},
        {"650 STREAM_BW 1 1\t2", NULL},
        {"650-STREAM_BW 1 1 2", NULL},
        {"650 stream_bw 2 1 2", NULL},
        {"650 stream 1 SUCCEEDED 7 x:1", SAME},
        {"650 stream 2 NEW 0 x:1" OTHER, NULL},
        {"650-STREAM 1 SUCCEEDED 7 x:1", NULL},
        {"650+STREAM 1 SUCCEEDED 7 x:1", NULL},
        {"650 STREAM", NULL},
        {"650 BW 1 2", SAME},
        {"650-CONF_CHANGED", SAME},
        {"650 HS_DESC REQUESTED a", SAME},
        {"650 ", SAME},
    };

    PLAY("10.0.0.5:1", steps);
}

Test(own_streams, ipv6_client)
{
    static const struct step steps[] = {
        {"650 STREAM 1 NEW 0 x:1 SOURCE_ADDR=2001:db8::5:4000", SAME},
        {"650 STREAM 2 NEW 0 x:1 SOURCE_ADDR=2001:db8::6:4000", NULL},
        {"650 STREAM 3 NEW 0 x:1 SOURCE_ADDR=2001:db8::5:4:4000", NULL},
        {"650 STREAM 4 NEW 0 x:1 SOURCE_ADDR=2001:0DB8:0::5:4000", SAME},
        {"650 STREAM 5 NEW 0 x:1 SOURCE_ADDR=[2001:db8::5]:4000", NULL},
        {"650 STREAM 6 NEW 0 x:1 SOURCE_ADDR=32.1.13.184:4000", NULL},
    };

    PLAY("2001:db8::5:1", steps);
}

/* A client whose address is nobody's own has no streams, also those without a source. */
Test(own_streams, unknown_client)
{
    const struct stream_source client = {0};
    struct own_streams *own = own_streams_new(&client);

    cr_expect_null(see(own, "650 STREAM 1 NEW 0 x:1 SOURCE_ADDR=0.0.0.0:0"));
    cr_expect_null(see(own, "650 STREAM 2 NEW 0 x:1"));
    cr_expect_null(see(own, "650 STREAM 1 SUCCEEDED 7 x:1"));
    own_streams_free(own);
    own_streams_free(NULL);
}

#define SAY(own, is_seen, ...)                             \
    do {                                                   \
        char *text = mem_printf(__VA_ARGS__);              \
        cr_expect_eq(see(own, text) != NULL, is_seen, "%s", text); \
        free(text);                                        \
    } while (0)

Test(own_streams, limits)
{
    struct own_streams *own = own_new("10.0.0.5:1");
    const unsigned long max = OWN_STREAMS_MAX;

    /* from high to low, so that nothing is in tor's order */
    for (unsigned long id = max; id > 0; id--)
        SAY(own, true, "650 STREAM %lu NEW 0 x:1" MINE, id);
    SAY(own, false, "650 STREAM %lu NEW 0 x:1" MINE, max + 1);
    SAY(own, false, "650 STREAM %lu SUCCEEDED 5 x:1", max + 1);
    for (unsigned long id = 1; id <= max; id++)
        SAY(own, true, "650 STREAM %lu SENTCONNECT %lu x:1", id, id);
    /* one stream goes round many circuits: those that live streams are on are not forgotten */
    for (unsigned long circuit = max + 1; circuit <= 8 * max; circuit++)
        SAY(own, true, "650 STREAM 1 SENTCONNECT %lu x:1", circuit);
    for (unsigned long id = 2; id <= max; id++)
        cr_expect(own_streams_has_circuit(own, id), "circuit %lu", id);
    cr_expect(own_streams_has_circuit(own, 8 * max));
    cr_expect_not(own_streams_has_circuit(own, 8 * max - 1));
    cr_expect_not(own_streams_has_circuit(own, 1));
    SAY(own, false, "650 CIRC 1 CLOSED"); /* forgotten, as the oldest */
    SAY(own, true, "650 CIRC %lu CLOSED", 8 * max - 1);
    SAY(own, true, "650 STREAM 1 CLOSED %lu x:1", 8 * max);
    SAY(own, false, "650 STREAM %lu NEW 0 x:1" MINE, max + 1);
    SAY(own, true, "650 STREAM %lu NEW 0 x:1" MINE, max + 2);
    own_streams_free(own);
}

/* However many ids of others there were, none of them becomes the client's. */
Test(own_streams, limit_of_foreign_ids)
{
    struct own_streams *own = own_new("10.0.0.5:1");
    const unsigned long max = 3 * OWN_STREAMS_FOREIGN_MAX;

    for (unsigned long id = 2; id <= max; id += 2)
        SAY(own, false, "650 STREAM %lu NEW 0 y:1" OTHER, id);
    for (unsigned long id = 2; id <= max; id += 2)
        SAY(own, false, "650 STREAM %lu NEW 0 x:1" MINE, id);
    SAY(own, false, "650 STREAM 1 NEW 0 x:1" MINE); /* too long ago */
    SAY(own, true, "650 STREAM %lu NEW 0 x:1" MINE, max - 1);
    SAY(own, true, "650 STREAM %lu NEW 0 x:1" MINE, max + 1);
    /* ids that tor has not come to yet do not push out those that it gives now */
    for (unsigned long id = 1; id <= max; id++)
        SAY(own, false, "650 STREAM %lu NEW 0 y:1" OTHER, 1000000 + id);
    SAY(own, true, "650 STREAM %lu SUCCEEDED 1 x:1", max + 1);
    own_streams_reset(own);
    SAY(own, true, "650 STREAM 2 NEW 0 x:1" MINE);
    own_streams_free(own);
}

static bool status(struct own_streams *own, const char *wire, enum reply_line_kind kind,
                   bool is_first)
{
    struct span text = span_from_string(wire);
    struct reply_line line = {kind, 250, text, text};

    if (kind == REPLY_MID || kind == REPLY_DATA || kind == REPLY_END)
        line.text = span_from(text, 4);
    return own_streams_take_status(own, &line, is_first);
}

Test(own_streams, stream_status)
{
    struct own_streams *own = own_new("10.0.0.5:1");

    /* what is there at the login is nobody's */
    cr_expect(status(own, "250+stream-status=", REPLY_DATA, true));
    cr_expect(status(own, "4 SUCCEEDED 14 y:1", REPLY_DATA_LINE, true));
    cr_expect(status(own, "", REPLY_DATA_LINE, true));
    cr_expect(status(own, "5 NEW 0 y:1", REPLY_DATA_LINE, true));
    cr_expect(status(own, ".", REPLY_DATA_END, true));
    SAY(own, false, "650 STREAM 4 NEW 0 x:1" MINE);
    SAY(own, false, "650 STREAM 5 NEW 0 x:1" MINE);
    SAY(own, true, "650 STREAM 6 NEW 0 x:1" MINE);
    SAY(own, true, "650 STREAM 7 NEW 0 x:1" MINE);
    /* where its streams are is what tor says, not what events say */
    SAY(own, true, "650 STREAM 6 SENTCONNECT 14 x:1");
    cr_expect_not(own_streams_has_circuit(own, 14));
    cr_expect(status(own, "250+stream-status=", REPLY_DATA, false));
    cr_expect(status(own, "6 SUCCEEDED 16 x:1", REPLY_DATA_LINE, false));
    cr_expect(status(own, "7 SUCCEEDED 16 x:1 A=17", REPLY_DATA_LINE, false));
    cr_expect(status(own, "8 SUCCEEDED 18 x:1", REPLY_DATA_LINE, false));
    cr_expect(status(own, "7 NEW 0 x:1", REPLY_DATA_LINE, false));
    cr_expect(status(own, "7  19", REPLY_DATA_LINE, false));
    cr_expect(own_streams_has_circuit(own, 16));
    for (unsigned long id = 0; id < 30; id++)
        cr_expect_eq(own_streams_has_circuit(own, id), id == 16 || id == 19, "%lu", id);
    cr_expect(status(own, "250-stream-status=7 SUCCEEDED 17 x:1", REPLY_MID, false));
    cr_expect(own_streams_has_circuit(own, 17));
    cr_expect_not(own_streams_has_circuit(own, 16));
    cr_expect(status(own, "250-stream-status=", REPLY_MID, false));
    cr_expect_not(own_streams_has_circuit(own, 17));
    /* a stream whose event is still under way is not disowned by a later question */
    SAY(own, true, "650 STREAM 8 NEW 0 x:1" MINE);
    cr_expect_not(status(own, "250-circuit-status=1 BUILT", REPLY_MID, false));
    cr_expect_not(status(own, "250 OK", REPLY_END, false));
    own_streams_free(own);
}

/* Against a model without any order: an array by id. */
Test(own_streams, chance)
{
    enum { IDS = 40 /* 0 is none */, CIRCUITS = 12, STEPS = 60000 };
    struct own_streams *own = own_new("10.0.0.5:1");
    unsigned circuit_of[IDS] = {0};
    bool is_open[IDS] = {false}, is_foreign[IDS] = {false};
    uint64_t random = 88172645463325252ull;

    for (unsigned step = 0; step < STEPS; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        unsigned id = 1 + (unsigned)(random >> 8) % (IDS - 1), circuit = (unsigned)(random >> 20) % CIRCUITS;
        switch ((random >> 32) % 5) {
        case 0: {
            bool is_mine = (random >> 40) & 1;
            is_open[id] = is_mine && !is_foreign[id];
            circuit_of[id] = 0;
            SAY(own, is_open[id], "650 STREAM %u NEW 0 x:1%s", id, is_mine ? MINE : OTHER);
            break;
        }
        case 1:
            SAY(own, is_open[id], "650 STREAM %u CLOSED %u x:1", id, circuit);
            is_open[id] = false;
            break;
        default:
            SAY(own, is_open[id], "650 STREAM %u SENTCONNECT %u x:1", id, circuit);
            circuit_of[id] = circuit;
            break;
        }
        is_foreign[id] = !is_open[id];
        if (step % 100 == 99) {
            own_streams_reset(own);
            memset(is_open, 0, sizeof is_open);
            memset(is_foreign, 0, sizeof is_foreign);
            circuit = 0;
        }
        bool is_used = false;
        for (unsigned i = 0; i < IDS; i++)
            is_used |= circuit && is_open[i] && circuit_of[i] == circuit;
        cr_assert_eq(own_streams_has_circuit(own, circuit), is_used, "step %u", step);
        cr_assert_eq(own_streams_has_stream(own, id), is_open[id], "step %u", step);
    }
    own_streams_free(own);
}
