/* What one client may make us store: each limit at its edge, and what is held in all. */
#include <criterion/criterion.h>
#include <malloc.h>
#include <string.h>

#include "mem.h"
#include "session_rig.h"

#define BLOCK_HEAD                                             \
    "+HSPOST HSADDRESS="                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "\r\n"

static const char profile_text[] = "- name: limits\n"
                                   "  apparmor-profiles: ['*']\n"
                                   "  users: ['*']\n"
                                   "  commands:\n"
                                   "    GETINFO: ['version', 'ns/.*']\n"
                                   "    SIGNAL: [NEWNYM]\n"
                                   "    '+HSPOST': ['.*']\n"
                                   "  confs: {Nickname: ['.*']}\n"
                                   "  events: {BW: }\n";

struct fixture {
    struct rig rig;
    struct session *session;
    unsigned passed[SESSION_LIMIT_COUNT];
    struct buf client;
};

static void count_limit(void *context, enum session_limit limit)
{
    ((struct fixture *)context)->passed[limit]++;
}

/* As rig_open makes one, but with limits. */
static void fixture_init(struct fixture *f, const struct session_limits *limits)
{
    static struct session_observer observer;
    static const struct torauth_secrets secrets = {rig_no_cookie, rig_no_password, rig_nonce, NULL};
    struct session_setup setup = {
        .variables = {SPAN("127.0.0.1"), SPAN("0"), SPAN("127.0.0.1"), SPAN("0")},
        .secrets = &secrets,
        .observer = &observer,
        .limits = limits,
    };

    memset(f, 0, sizeof *f);
    observer = (struct session_observer){.command = rig_ignore_command,
                                         .problem = rig_ignore_problem,
                                         .limit = count_limit,
                                         .context = f};
    rig_open(&f->rig, rig_load("limits.yml", span_from_string(profile_text)));
    cr_assert_eq(f->rig.view.count, 1);
    setup.policy = f->rig.policy;
    setup.view = &f->rig.view;
    setup.facts = &f->rig.facts;
    setup.registry = &f->rig.registry;
    f->session = session_new(&setup);
    buf_init(&f->client, STUB_STREAM_MAX);
}

static void fixture_clear(struct fixture *f)
{
    session_free(f->session);
    rig_close(&f->rig);
    buf_clear(&f->client);
}

static void log_in(struct fixture *f)
{
    session_tor_connected(f->session);
    while (!session_is_logged_in(f->session)) {
        struct span out = session_tor_output(f->session);
        struct span line = span_first(out, span_find(out, '\n') + 1);
        const char *answer = rig_login_answer(line);
        cr_assert(answer, "%.*s", (int)line.len, line.data);
        session_tor_sent(f->session, line.len);
        session_tor_input(f->session, span_from_string(answer));
    }
}

static void drain(struct fixture *f)
{
    struct span out = session_client_output(f->session);

    buf_append(&f->client, out);
    session_client_sent(f->session, out.len);
    out = session_tor_output(f->session);
    session_tor_sent(f->session, out.len);
}

/* Lets the client say so much, as far as it is taken; then its answers. */
static void says(struct fixture *f, struct span text)
{
    size_t taken;

    buf_reset(&f->client);
    do {
        taken = session_client_input(f->session, text);
        text = span_from(text, taken);
        drain(f);
    } while (taken > 0 && text.len > 0);
}

/* `head`, then `body` so often, then `tail`. */
static void build(struct buf *out, const char *head, const char *body, size_t times,
                  const char *tail)
{
    buf_init(out, STUB_STREAM_MAX);
    buf_append_string(out, head);
    for (size_t i = 0; i < times; i++)
        buf_append_string(out, body);
    buf_append_string(out, tail);
}

Test(session_limits, at_the_edge)
{
    static const struct session_limits low = {
        .reply_buffer = 131072,
        .command_buffer = 16384,
        .commands = 3,
        .line = 600,
        .block = 1024,
        .keys = 4,
    };
    static const struct {
        const char *head;
        const char *body;
        size_t times; /* of the body: what fits; with one more it does not */
        const char *tail;
        enum session_limit limit;
        const char *answer; /* to one more */
        bool ends;
    } rows[] = {
        {"FOO ", "x", 594, "\r\n", SESSION_LIMIT_LINE, "500 line too long\r\n", true},
        {"FOO ", "x", 595, "\n", SESSION_LIMIT_LINE, "500 line too long\r\n", true},
        {"FOO ", "x", 595, "\n", SESSION_LIMIT_LINE, "500 line too long\r\n", true},
        {"+FOO ", "x", 593, "\r\n.\r\n", SESSION_LIMIT_LINE, "500 line too long\r\n", true},
        {"+FOO\r\n", "01234567890123456789012345678901234567890123456789012345678901\r\n", 16,
         ".\r\n", SESSION_LIMIT_BLOCK, "500 line too long\r\n", true},
        {"+FOO\n", "01234567890123456789012345678901234567890123456789012345678901\n", 16, ".\n",
         SESSION_LIMIT_BLOCK, "500 line too long\r\n", true},
        {"+FOO\n", "\n", 512, ".\n", SESSION_LIMIT_BLOCK, "500 line too long\r\n", true},
        {"GETINFO", " version", 4, "\r\n", SESSION_LIMIT_KEYS, "510 Command filtered\r\n", false},
        {"getinfo", "   secret", 4, "  \r\n", SESSION_LIMIT_KEYS, "510 Command filtered\r\n",
         false},
        {"GETCONF", " Nickname", 4, "\r\n", SESSION_LIMIT_KEYS, "510 Command filtered\r\n", false},
        {"RESETCONF", " Nickname=x", 4, "\r\n", SESSION_LIMIT_KEYS, "510 Command filtered\r\n",
         false},
        {"SETCONF", " Nickname=\"a b c\"", 4, "\r\n", SESSION_LIMIT_KEYS,
         "510 Command filtered\r\n", false},
        {"SETCONF ", "Nickname=\"a b c\"", 4, "\r\n", SESSION_LIMIT_KEYS,
         "510 Command filtered\r\n", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t more = 0; more < 2; more++) {
            struct fixture f;
            struct buf text;
            fixture_init(&f, &low);
            build(&text, rows[i].head, rows[i].body, rows[i].times + more, rows[i].tail);
            says(&f, buf_span(&text));
            cr_expect_eq(f.passed[rows[i].limit], more, "row %zu with %zu more", i, more);
            cr_expect_eq(session_end_reason(f.session) != NULL, rows[i].ends && more > 0,
                         "row %zu with %zu more", i, more);
            if (more > 0)
                cr_expect(span_equals(buf_span(&f.client), span_from_string(rows[i].answer)),
                          "row %zu: %.*s", i, (int)f.client.len, buf_span(&f.client).data);
            buf_clear(&text);
            fixture_clear(&f);
        }
    }
}

Test(session_limits, without_limits_there_are_the_defaults)
{
    static const struct session_limits same = SESSION_LIMITS_DEFAULT;
    const struct session_limits *const setups[] = {NULL, &same};

    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        struct buf text;
        size_t taken = 0;
        fixture_init(&f, setups[i]);
        for (int j = 0; j < 200; j++)
            taken += session_client_input(f.session, SPAN("SIGNAL NEWNYM\r\n"));
        cr_expect_eq(taken, SESSION_MAX_PENDING * strlen("SIGNAL NEWNYM\r\n"), "row %zu", i);
        fixture_clear(&f);
        fixture_init(&f, setups[i]);
        build(&text, "FOO ", "x", COMMAND_MAX_LINE - 6, "\r\n");
        says(&f, buf_span(&text));
        cr_expect_null(session_end_reason(f.session), "row %zu", i);
        buf_clear(&text);
        fixture_clear(&f);
    }
}

/* Each of the limits that make us wait says so, and only it. */
Test(session_limits, waiting)
{
    static const struct session_limits low = {.reply_buffer = 131072,
                                              .command_buffer = 16384,
                                              .commands = 8,
                                              .line = 16384,
                                              .block = 131072,
                                              .keys = 128};
    static const struct {
        const char *head;
        const char *body;
        size_t times;
        const char *tail;
        int count;
        enum session_limit limit;
    } rows[] = {
        {"SIGNAL NEWNYM\r\n", "", 0, "", 8, SESSION_LIMIT_COMMANDS},
        {BLOCK_HEAD, "01234567890123456789012345678901234567890123456789012345678901\r\n", 300,
         ".\r\n", 1, SESSION_LIMIT_COMMAND_BUFFER},
        {"GETINFO ns/", "x", 3000, "\r\n", 6, SESSION_LIMIT_COMMAND_BUFFER},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        struct buf text;
        fixture_init(&f, &low);
        build(&text, rows[i].head, rows[i].body, rows[i].times, rows[i].tail);
        for (int j = 0; j < rows[i].count; j++) {
            cr_expect(session_reads_client(f.session), "row %zu: command %d", i, j);
            session_client_input(f.session, buf_span(&text));
        }
        cr_expect_not(session_reads_client(f.session), "row %zu", i);
        cr_expect(session_has_pending(f.session), "row %zu", i);
        for (unsigned limit = 0; limit < SESSION_LIMIT_COUNT; limit++)
            cr_expect_eq(session_is_at_limit(f.session, (enum session_limit)limit),
                         limit == rows[i].limit, "row %zu: limit %u", i, limit);
        cr_expect_eq(session_client_input(f.session, SPAN("SIGNAL NEWNYM\r\n")), 0, "row %zu", i);
        buf_clear(&text);
        fixture_clear(&f);
    }
}

/* However much tor sends and the client asks for: what is held stays near the limits. */
Test(session_limits, what_is_held)
{
    static const unsigned buffers[] = {131072, 1024 * 1024, 8 * 1024 * 1024};
    static const char *const pieces[] = {
        "r nickname identity digest 2038-01-01 00:00:00 127.0.0.1 9001 0\r\n",
        "x\r\n",
        "\r\n",
    };

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
            struct session_limits limits = SESSION_LIMITS_DEFAULT;
            struct fixture f;
            struct buf read;
            limits.reply_buffer = buffers[i];
            fixture_init(&f, &limits);
            says(&f, SPAN("GETINFO ns/all\r\n"));
            log_in(&f);
            session_tor_input(f.session, SPAN("250+ns/all=\r\n"));
            build(&read, "", pieces[j], 65536 / strlen(pieces[j]), "");
            size_t reads = 0;
            for (; session_reads_tor(f.session) && reads < 1000; reads++)
                session_tor_input(f.session, buf_span(&read));
            cr_expect(reads < 1000, "buffer %zu, piece %zu: there is no limit", i, j);
            cr_expect(session_is_at_limit(f.session, SESSION_LIMIT_REPLY_BUFFER));
            cr_expect_geq(session_held(f.session), buffers[i]);
            cr_expect_leq(session_held(f.session), 2 * (buffers[i] + read.len + 4096),
                          "buffer %zu, piece %zu: %zu bytes", i, j, session_held(f.session));
            drain(&f);
            cr_expect_leq(session_held(f.session), 8 * SESSION_REPLY_HOLD,
                          "and is given back: %zu bytes", session_held(f.session));
            buf_clear(&read);
            fixture_clear(&f);
        }
    }
}

/* Whatever a client makes us store is counted: what the allocator gave for it, at most a sixth
 * more. (A sanitizer's allocator says nothing here.) */
Test(session_limits, all_that_is_stored_is_counted)
{
    static const struct {
        const char *head;
        const char *body;
        size_t times;
        size_t commands;
    } rows[] = {
        {"FOO", "", 0, 64},
        {"SIGNAL NEWNYM", "", 0, 64},
        {"GETINFO", " ns/", 128, 64},
        {"GETINFO version", " version", 127, 64},
        {"GETINFO", " ns/0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",
         128, 64},
        {"GETCONF", " Nickname", 128, 64},
        {"RESETCONF", " Nickname=x", 128, 64},
        {"SETCONF", " Nickname=x", 128, 64},
        {"SETEVENTS", " BW", 100, 64},
        {"PROTOCOLINFO", " 1", 1000, 64},
        {BLOCK_HEAD, "01234567890123456789012345678901234567890123456789012345678901\r\n", 1000, 1},
        {"FOO ", "x", 15000, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        struct buf text;
        fixture_init(&f, NULL);
        build(&text, rows[i].head, rows[i].body, rows[i].times, "\r\n");
        size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
        for (size_t j = 0; j < rows[i].commands; j++)
            session_client_input(f.session, buf_span(&text));
        size_t taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
        size_t held = session_held(f.session);
        cr_expect_leq(taken, held + held / 6 + 4096, "row %zu: %zu bytes are taken, %zu counted", i,
                      taken, held);
        buf_clear(&text);
        fixture_clear(&f);
    }
}
