/* The session's rules of order and failure, one dialogue each. Recorded dialogues in all cuts are in
 * test_conversations.c; here stands what needs a hand on the connection itself. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "profile_load.h"
#include "session.h"

static const char profile_text[] = "- name: test\n"
                                   "  socket: true\n"
                                   "  users: ['*']\n"
                                   "  commands:\n"
                                   "    GETINFO: [version, 'ns/all', 'info/names']\n"
                                   "    ADD_ONION: ['NEW:\\S+ .*']\n"
                                   "    DEL_ONION: ['.*']\n"
                                   "    TAKEOWNERSHIP: ['']\n"
                                   "    DROPOWNERSHIP: ['']\n"
                                   "    SIGNAL: [NEWNYM]\n"
                                   "    '+HSPOST': ['.*']\n"
                                   "  events:\n"
                                   "    HS_DESC:\n"
                                   "    NS:\n"
                                   "    SIGNAL: {suppress: true}\n";

static bool no_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context, (void)name, (void)uid_out;
    return false;
}

static bool no_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context, (void)name, (void)gid_out;
    return false;
}

static bool no_cookie(void *context, const char *path, uint8_t cookie[TORAUTH_COOKIE_SIZE],
                      const char **reason_out)
{
    (void)context, (void)path, (void)cookie;
    *reason_out = "no cookie";
    return false;
}

static bool no_password(void *context, struct buf *out, const char **reason_out)
{
    (void)context, (void)out, (void)reason_out;
    return false;
}

static void zero_nonce(void *context, uint8_t nonce_out[TORAUTH_NONCE_SIZE])
{
    (void)context;
    memset(nonce_out, 0, TORAUTH_NONCE_SIZE);
}

struct fixture {
    struct policy *policy;
    struct policy_view view;
    const struct profile *served[1];
    struct tor_facts facts;
    struct onion_registry registry;
    struct torauth_secrets secrets;
    struct session_observer observer;
    struct session *session;
    unsigned refused;
    unsigned problems;
    struct buf client; /* taken from session_client_output */
    struct buf tor;    /* taken from session_tor_output */
};

static void count_command(void *context, const struct session_report *report)
{
    struct fixture *f = context;

    if (report->verdict == VERDICT_REFUSE)
        f->refused++;
}

static void count_problem(void *context, const char *text)
{
    struct fixture *f = context;

    cr_expect(text[0] != '\0');
    f->problems++;
}

static void fixture_init(struct fixture *f, bool is_served)
{
    static const struct name_resolver resolver = {no_user, no_group, NULL};
    struct diag_list diags;

    memset(f, 0, sizeof *f);
    diag_list_init(&diags);
    struct profile_file *file =
        profile_load("test.yml", span_from_string(profile_text), &resolver, &diags);
    cr_assert(file, "%s", diags.count ? diags.items[0].text : "?");
    diag_list_clear(&diags);
    f->policy = policy_new();
    policy_add_file(f->policy, file);
    f->served[0] = &file->profiles[0];
    f->view = (struct policy_view){.profiles = f->served, .count = is_served ? 1 : 0};
    tor_facts_init(&f->facts);
    onion_registry_init(&f->registry);
    f->secrets = (struct torauth_secrets){no_cookie, no_password, zero_nonce, NULL};
    f->observer =
        (struct session_observer){.command = count_command, .problem = count_problem, .context = f};
    buf_init(&f->client, 1 << 26);
    buf_init(&f->tor, 1 << 26);
    struct session_setup setup = {
        .policy = f->policy,
        .view = &f->view,
        .variables = {SPAN("127.0.0.1"), SPAN("0"), SPAN("127.0.0.1"), SPAN("0")},
        .facts = &f->facts,
        .registry = &f->registry,
        .secrets = &f->secrets,
        .observer = &f->observer,
    };
    f->session = session_new(&setup);
}

static void fixture_clear(struct fixture *f)
{
    session_free(f->session);
    policy_unref(f->policy);
    tor_facts_clear(&f->facts);
    onion_registry_clear(&f->registry);
    buf_clear(&f->client);
    buf_clear(&f->tor);
}

static void drain(struct fixture *f)
{
    struct span out = session_client_output(f->session);
    buf_append(&f->client, out);
    session_client_sent(f->session, out.len);
    out = session_tor_output(f->session);
    buf_append(&f->tor, out);
    session_tor_sent(f->session, out.len);
}

static void client_says(struct fixture *f, const char *text)
{
    session_client_input(f->session, span_from_string(text));
    drain(f);
}

static void tor_says(struct fixture *f, const char *text)
{
    session_tor_input(f->session, span_from_string(text));
    drain(f);
}

/* Compares what came since the last look, and forgets it. */
static void expect_bytes(struct buf *buf, const char *text, const char *what)
{
    struct span got = buf_span(buf);

    cr_expect(span_equals(got, span_from_string(text)), "%s: got \"%.*s\", want \"%s\"", what,
              (int)got.len, got.data, text);
    buf_reset(buf);
}

#define LOGIN_INFO                                                                                 \
    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"

static void log_in(struct fixture *f)
{
    session_tor_connected(f->session);
    drain(f);
    expect_bytes(&f->tor, "PROTOCOLINFO 1\r\n", "login");
    tor_says(f, LOGIN_INFO);
    expect_bytes(&f->tor, "AUTHENTICATE\r\nGETINFO net/listeners/control\r\n", "login");
    tor_says(f, "250 OK\r\n250-net/listeners/control=\"127.0.0.1:9051\"\r\n250 OK\r\n");
}

Test(session, tor_is_asked_for_only_when_needed)
{
    struct fixture f;

    fixture_init(&f, true);
    cr_expect_not(session_wants_tor(f.session));
    client_says(&f, "AUTHENTICATE\r\nSETEVENTS SIGNAL\r\nSETEVENTS\r\nFOO\r\n");
    expect_bytes(&f.client, "250 OK\r\n250 OK\r\n250 OK\r\n510 Command filtered\r\n", "local");
    cr_expect_not(session_wants_tor(f.session));
    client_says(&f, "GETINFO version\r\n");
    cr_expect(session_wants_tor_now(f.session));
    log_in(&f);
    expect_bytes(&f.tor, "GETINFO version\r\n", "forwarded");
    cr_expect(session_awaits_tor(f.session));
    tor_says(&f, "250-version=0.4.9.11\r\n250 OK\r\n");
    expect_bytes(&f.client, "250-version=0.4.9.11\r\n250 OK\r\n", "reply");
    cr_expect_not(session_awaits_tor(f.session));
    cr_expect_eq(f.refused, 1);
    fixture_clear(&f);
}

Test(session, greeting_waits_for_the_version)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "PROTOCOLINFO 1\r\nAUTHENTICATE\r\n");
    expect_bytes(&f.client, "", "before login");
    log_in(&f);
    drain(&f);
    expect_bytes(&f.client,
                 "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n"
                 "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n250 OK\r\n",
                 "after login");
    fixture_clear(&f);
}

Test(session, nobody_gets_the_greeting_without_tor)
{
    struct fixture f;

    fixture_init(&f, false);
    client_says(&f, "PROTOCOLINFO\r\nAUTHENTICATE \"x\"\r\nGETINFO version\r\nQUIT\r\nGETINFO x\r\n");
    expect_bytes(&f.client,
                 "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n"
                 "250-VERSION Tor=\"" TOR_VERSION_FALLBACK "\"\r\n250 OK\r\n250 OK\r\n"
                 "510 Command filtered\r\n250 closing connection\r\n",
                 "answers");
    cr_expect_not(session_wants_tor(f.session));
    cr_expect(session_end_reason(f.session));
    fixture_clear(&f);
}

Test(session, absent_tor_costs_the_command_only)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "PROTOCOLINFO 1\r\nGETINFO version\r\nFOO\r\nSIGNAL NEWNYM\r\n");
    session_tor_lost(f.session, "Connection refused");
    drain(&f);
    expect_bytes(&f.client,
                 "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n"
                 "250-VERSION Tor=\"" TOR_VERSION_FALLBACK "\"\r\n250 OK\r\n"
                 "551 tor is not reachable: Connection refused\r\n510 Command filtered\r\n"
                 "551 tor is not reachable: Connection refused\r\n",
                 "answers");
    cr_expect_not(session_wants_tor(f.session));
    cr_expect_null(session_end_reason(f.session));
    client_says(&f, "SIGNAL NEWNYM\r\n");
    log_in(&f);
    expect_bytes(&f.tor, "SIGNAL NEWNYM\r\n", "sent once tor is there");
    fixture_clear(&f);
}

Test(session, loss_answers_what_was_on_its_way_and_sends_nothing_twice)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "SETEVENTS HS_DESC\r\n");
    log_in(&f);
    expect_bytes(&f.tor, "SETEVENTS HS_DESC\r\n", "subscription");
    tor_says(&f, "250 OK\r\n");
    client_says(&f, "GETINFO version\r\nSIGNAL NEWNYM\r\nFOO\r\n");
    tor_says(&f, "250-version=0.4");
    expect_bytes(&f.client, "250 OK\r\n", "so far");
    buf_reset(&f.tor);
    session_tor_lost(f.session, "closed");
    drain(&f);
    expect_bytes(&f.client,
                 "551 tor connection lost\r\n551 tor connection lost\r\n510 Command filtered\r\n",
                 "loss");
    cr_expect_null(session_end_reason(f.session));
    cr_expect(session_wants_tor(f.session), "events are wanted again");
    cr_expect_not(session_wants_tor_now(f.session), "but no command waits");
    log_in(&f);
    expect_bytes(&f.tor, "SETEVENTS HS_DESC\r\n", "subscribed again");
    tor_says(&f, "250 OK\r\n650 HS_DESC CREATED a b c d\r\n");
    expect_bytes(&f.client, "650 HS_DESC CREATED a b c d\r\n", "event");
    fixture_clear(&f);
}

Test(session, what_is_tied_to_the_lost_connection_ends_the_session)
{
    static const struct {
        const char *commands; /* each answered with `reply` */
        const char *reply;
        bool ends;
    } rows[] = {
        {"ADD_ONION NEW:BEST Port=80,8080\r\n", "250-ServiceID=abc\r\n250 OK\r\n", true},
        {"ADD_ONION NEW:BEST Port=80,8080\r\n", "512 no\r\n", false},
        {"ADD_ONION NEW:BEST Flags=Detach Port=80,8080\r\n", "250-ServiceID=abc\r\n250 OK\r\n",
         false},
        {"ADD_ONION NEW:BEST flags=DiscardPK,detach Port=80,8080\r\n",
         "250-ServiceID=abc\r\n250 OK\r\n", false},
        {"ADD_ONION NEW:BEST Port=80,8080\r\nDEL_ONION abc\r\n",
         "250-ServiceID=abc\r\n250 OK\r\n250 OK\r\n", false},
        {"ADD_ONION NEW:BEST Port=80,8080\r\nDEL_ONION other\r\n",
         "250-ServiceID=abc\r\n250 OK\r\n250 OK\r\n", true},
        {"ADD_ONION NEW:BEST Port=80,8080\r\nDEL_ONION abc\r\n",
         "250-ServiceID=abc\r\n250 OK\r\n552 no\r\n", true},
        {"TAKEOWNERSHIP\r\n", "250 OK\r\n", true},
        {"TAKEOWNERSHIP\r\nDROPOWNERSHIP\r\n", "250 OK\r\n250 OK\r\n", false},
        {"SIGNAL NEWNYM\r\n", "250 OK\r\n", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        fixture_init(&f, true);
        client_says(&f, rows[i].commands);
        log_in(&f);
        tor_says(&f, rows[i].reply);
        cr_expect_null(session_end_reason(f.session), "row %zu: ended too early", i);
        session_tor_lost(f.session, "closed");
        cr_expect_eq(session_end_reason(f.session) != NULL, rows[i].ends, "row %zu", i);
        fixture_clear(&f);
    }
}

Test(session, targets_are_judged_by_what_tor_says_at_login)
{
    struct fixture f;

    fixture_init(&f, true);
    /* Judged before tor named its listeners: caught when it would be sent. */
    client_says(&f, "ADD_ONION NEW:BEST Port=80,127.0.0.1:9051\r\n");
    log_in(&f);
    expect_bytes(&f.tor, "", "nothing sent");
    expect_bytes(&f.client, "510 Command filtered\r\n", "refused late");
    client_says(&f, "ADD_ONION NEW:BEST Port=80,9051\r\nADD_ONION NEW:BEST Port=80,9052\r\n");
    expect_bytes(&f.client, "510 Command filtered\r\n", "refused at once");
    expect_bytes(&f.tor, "ADD_ONION NEW:BEST Port=80,127.0.0.1:9052\r\n", "another port");
    fixture_clear(&f);
}

Test(session, misfits_end_the_session_and_answer_what_waits)
{
    static const char *const nonsense[] = {
        "garbage\r\n",
        "250-other=1\r\n250 OK\r\n",
        "250 OK\r\n",
        "650-CONF_CHANGED\r\n250 OK\r\n",
        "250-version=1\r\n650 HS_DESC x\r\n",
        "250+version=\r\n.\r\n250-version=1\r\n250 OK\r\n",
        "250-version=1\r\n250-version=1\r\n250 OK\r\n",
        "999 x\r\n",
        "\r\n",
    };

    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        struct fixture f;
        fixture_init(&f, true);
        client_says(&f, "GETINFO version\r\nSIGNAL NEWNYM\r\n");
        log_in(&f);
        tor_says(&f, nonsense[i]);
        expect_bytes(&f.client, "551 tor connection failed\r\n551 tor connection failed\r\n",
                     nonsense[i]);
        cr_expect(session_end_reason(f.session), "row %zu", i);
        cr_expect_eq(f.problems, 1, "row %zu", i);
        cr_expect_not(session_awaits_tor(f.session), "row %zu", i);
        fixture_clear(&f);
    }
}

Test(session, unsolicited_reply)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "SIGNAL NEWNYM\r\n");
    log_in(&f);
    tor_says(&f, "250 OK\r\n250 OK\r\n");
    expect_bytes(&f.client, "250 OK\r\n", "the one that was due");
    cr_expect(session_end_reason(f.session));
    fixture_clear(&f);
}

Test(session, silence_is_answered)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "GETINFO version\r\n");
    log_in(&f);
    session_tor_silent(f.session);
    drain(&f);
    expect_bytes(&f.client, "551 tor connection failed\r\n", "time-out");
    cr_expect(session_end_reason(f.session));
    fixture_clear(&f);
}

Test(session, long_replies_pass_in_pieces_and_cannot_be_taken_back)
{
    struct fixture f;
    struct buf block;

    fixture_init(&f, true);
    client_says(&f, "GETINFO ns/all\r\n");
    log_in(&f);
    buf_init(&block, 1 << 20);
    buf_append_string(&block, "250+ns/all=\r\n");
    while (block.len < 2 * SESSION_REPLY_HOLD)
        buf_append_string(&block, "r nickname identity digest\r\n");
    session_tor_input(f.session, buf_span(&block));
    cr_expect_gt(session_client_output(f.session).len, SESSION_REPLY_HOLD);
    session_tor_lost(f.session, "closed");
    cr_expect(session_end_reason(f.session), "half a reply cannot become a 551");
    buf_clear(&block);
    fixture_clear(&f);
}

Test(session, a_client_that_does_not_read_stops_both_sides)
{
    struct fixture f;
    size_t taken = 0, fed = 0;

    fixture_init(&f, true);
    while (session_reads_client(f.session) && fed < 10000000) {
        taken = session_client_input(f.session, SPAN("\n\n\n\n\n\n\n\n"));
        fed += taken;
    }
    cr_expect_not(session_reads_client(f.session), "answers pile up without end");
    cr_expect_leq(session_client_output(f.session).len, SESSION_REPLY_BUFFER + 1024);
    drain(&f);
    cr_expect(session_reads_client(f.session));
    fixture_clear(&f);
}

Test(session, unanswered_commands_are_bounded)
{
    struct fixture f;
    size_t taken = 0;

    fixture_init(&f, true);
    for (int i = 0; i < 100; i++)
        taken += session_client_input(f.session, SPAN("SIGNAL NEWNYM\r\n"));
    cr_expect_eq(taken, SESSION_MAX_PENDING * strlen("SIGNAL NEWNYM\r\n"));
    cr_expect_not(session_reads_client(f.session));
    log_in(&f);
    tor_says(&f, "250 OK\r\n");
    cr_expect(session_reads_client(f.session));
    fixture_clear(&f);
}

Test(session, a_turn_takes_a_few_commands)
{
    struct fixture f;
    char lines[100];

    fixture_init(&f, true);
    memset(lines, '\n', sizeof lines);
    cr_expect_eq(session_client_input(f.session, span_make(lines, sizeof lines)),
                 SESSION_COMMANDS_A_TURN);
    cr_expect(session_reads_client(f.session), "the rest is wanted, in the next turn");
    fixture_clear(&f);
}

static size_t count_lines(const struct buf *buf)
{
    size_t lines = 0;

    for (size_t i = 0; i < buf->len; i++)
        lines += buf_span(buf).data[i] == '\n';
    return lines;
}

Test(session, tor_is_not_asked_for_everything_at_once)
{
    struct fixture f;

    fixture_init(&f, true);
    for (int i = 0; i < SESSION_MAX_PENDING; i++)
        session_client_input(f.session, SPAN("GETINFO version info/names\r\n"));
    log_in(&f);
    cr_expect_eq(count_lines(&f.tor), SESSION_TOR_WINDOW / 2, "%zu commands of two keys",
                 count_lines(&f.tor));
    buf_reset(&f.tor);
    for (int i = 1; i <= SESSION_MAX_PENDING; i++) {
        tor_says(&f, "250-version=1\r\n250-info/names=x\r\n250 OK\r\n");
        cr_expect_null(session_end_reason(f.session), "reply %d", i);
    }
    cr_expect_eq(count_lines(&f.tor), SESSION_MAX_PENDING - SESSION_TOR_WINDOW / 2);
    cr_expect_eq(count_lines(&f.client), 3 * SESSION_MAX_PENDING);
    cr_expect_not(session_awaits_tor(f.session));
    fixture_clear(&f);
}

/* After large replies tor works on one command of the client's at a time; after small ones on more
 * again. */
Test(session, large_replies_make_the_window_small)
{
    static const char small[] = "250-version=1\r\n250 OK\r\n";
    struct fixture f;
    struct buf large;

    fixture_init(&f, true);
    buf_init(&large, 2 * SESSION_TOR_BYTES);
    buf_append_string(&large, "250+ns/all=\r\n");
    while (large.len < SESSION_TOR_BYTES)
        buf_append_string(&large, "r nickname identity digest 2038-01-01 00:00:00 127.0.0.1\r\n");
    buf_append(&large, span_make(".\r\n250 OK\r\n", 12));
    client_says(&f, "GETINFO ns/all\r\n");
    log_in(&f);
    tor_says(&f, buf_span(&large).data);
    buf_reset(&f.tor);
    for (int i = 0; i < SESSION_MAX_PENDING; i++)
        session_client_input(f.session, SPAN("GETINFO version\r\n"));
    tor_says(&f, "");
    expect_bytes(&f.tor, "GETINFO version\r\n", "one, though the window has room");
    for (int i = 0; i < 10; i++)
        tor_says(&f, small);
    buf_reset(&f.tor);
    tor_says(&f, small);
    cr_expect_eq(count_lines(&f.tor), 1, "as many as are answered");
    for (int i = 11; i < SESSION_MAX_PENDING - SESSION_TOR_WINDOW; i++)
        tor_says(&f, small);
    buf_reset(&f.tor);
    for (int i = 0; i < SESSION_TOR_WINDOW; i++)
        tor_says(&f, small);
    cr_expect_eq(count_lines(&f.tor), 0, "the window was full");
    cr_expect_not(session_awaits_tor(f.session));
    buf_clear(&large);
    fixture_clear(&f);
}

Test(session, a_command_over_the_window_goes_alone)
{
    struct fixture f;
    struct buf command;

    fixture_init(&f, true);
    buf_init(&command, 4096);
    buf_append_string(&command, "GETINFO");
    for (int i = 0; i < 2 * SESSION_TOR_WINDOW; i++)
        buf_append_string(&command, " version");
    buf_append_string(&command, "\r\n");
    client_says(&f, "SIGNAL NEWNYM\r\n");
    session_client_input(f.session, buf_span(&command));
    buf_append_char(&command, '\0'); /* expect_bytes takes a string */
    log_in(&f);
    expect_bytes(&f.tor, "SIGNAL NEWNYM\r\n", "the first");
    tor_says(&f, "250 OK\r\n");
    expect_bytes(&f.tor, buf_span(&command).data, "the second, when nothing else is owed");
    buf_clear(&command);
    fixture_clear(&f);
}

Test(session, a_client_that_does_not_read_stops_the_next_command)
{
    struct fixture f;
    struct buf block;

    fixture_init(&f, true);
    client_says(&f, "GETINFO ns/all\r\nSIGNAL NEWNYM\r\n");
    log_in(&f);
    expect_bytes(&f.tor, "GETINFO ns/all\r\nSIGNAL NEWNYM\r\n", "both");
    buf_init(&block, 1 << 20);
    buf_append_string(&block, "250+ns/all=\r\n");
    while (block.len < 2 * SESSION_REPLY_HOLD)
        buf_append_string(&block, "r nickname identity digest\r\n");
    session_tor_input(f.session, buf_span(&block));
    session_client_input(f.session, SPAN("GETINFO version\r\n"));
    cr_expect_eq(session_tor_output(f.session).len, 0, "it would only make tor buffer more");
    drain(&f);
    expect_bytes(&f.tor, "GETINFO version\r\n", "once the client has read");
    buf_clear(&block);
    fixture_clear(&f);
}

Test(session, bytes_that_wait_for_tor_are_bounded)
{
    struct fixture f;
    struct buf block;
    size_t taken = 0;

    fixture_init(&f, true);
    buf_init(&block, 1 << 20);
    buf_append_string(&block, "+HSPOST HSADDRESS=x\r\n");
    while (block.len < 100 * 1024)
        buf_append_string(&block, "0123456789012345678901234567890123456789012345678901234567\r\n");
    buf_append_string(&block, ".\r\n");
    for (int i = 0; i < 20; i++)
        taken += session_client_input(f.session, buf_span(&block));
    cr_expect_leq(taken, 4 * block.len, "%zu bytes taken", taken);
    buf_clear(&block);
    fixture_clear(&f);
}

Test(session, eof_waits_for_the_last_reply)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "SIGNAL NEWNYM\r\nGETINFO ver");
    session_client_eof(f.session);
    cr_expect_null(session_end_reason(f.session));
    log_in(&f);
    expect_bytes(&f.tor, "SIGNAL NEWNYM\r\n", "carried out, the unfinished line is not");
    tor_says(&f, "250 OK\r\n");
    expect_bytes(&f.client, "250 OK\r\n", "reply");
    cr_expect(session_end_reason(f.session));
    fixture_clear(&f);
}

Test(session, a_client_that_is_gone_still_gets_its_command_done)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "SIGNAL NEWNYM\r\n");
    session_client_gone(f.session);
    log_in(&f);
    expect_bytes(&f.tor, "SIGNAL NEWNYM\r\n", "carried out");
    tor_says(&f, "250 OK\r\n");
    expect_bytes(&f.client, "", "nothing to write");
    cr_expect(session_end_reason(f.session));
    fixture_clear(&f);
}

Test(session, events_pass_between_messages_and_only_those_asked_for)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "SETEVENTS HS_DESC\r\n");
    log_in(&f);
    tor_says(&f, "650 HS_DESC EARLY a\r\n250 OK\r\n");
    expect_bytes(&f.client, "250 OK\r\n", "not subscribed before the answer");
    tor_says(&f, "650 CIRC 1 BUILT\r\n650-NS\r\n650 OK\r\n650 SIGNAL NEWNYM\r\n650 HS_DESC A b\r\n");
    expect_bytes(&f.client, "650 HS_DESC A b\r\n", "only its own");
    client_says(&f, "GETINFO version\r\nFOO\r\n");
    tor_says(&f, "650 HS_DESC B c\r\n250-version=1\r\n250 OK\r\n650 HS_DESC C d\r\n");
    expect_bytes(&f.client,
                 "650 HS_DESC B c\r\n250-version=1\r\n250 OK\r\n510 Command filtered\r\n"
                 "650 HS_DESC C d\r\n",
                 "order");
    fixture_clear(&f);
}

Test(session, our_answers_do_not_stand_inside_an_event)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "SETEVENTS NS\r\n");
    log_in(&f);
    tor_says(&f, "250 OK\r\n");
    buf_reset(&f.client);
    tor_says(&f, "650+NS\r\nr a\r\n");
    client_says(&f, "FOO\r\n");
    expect_bytes(&f.client, "", "held");
    tor_says(&f, ".\r\n650 OK\r\n");
    expect_bytes(&f.client, "650+NS\r\nr a\r\n.\r\n650 OK\r\n510 Command filtered\r\n", "whole");
    fixture_clear(&f);
}

Test(session, control_characters_withhold_an_event)
{
    struct fixture f;

    fixture_init(&f, true);
    client_says(&f, "SETEVENTS HS_DESC\r\n");
    log_in(&f);
    tor_says(&f, "250 OK\r\n650 HS_DESC a\r250 OK\r\n650 HS_DESC b\r\n");
    expect_bytes(&f.client, "250 OK\r\n650 HS_DESC b\r\n", "the second only");
    cr_expect_eq(f.problems, 1);
    fixture_clear(&f);
}

Test(session, line_too_long)
{
    struct fixture f;
    char *line = mem_zalloc(COMMAND_MAX_LINE + 10, 1);

    memset(line, 'A', COMMAND_MAX_LINE + 5);
    fixture_init(&f, true);
    client_says(&f, "FOO\r\n");
    client_says(&f, line);
    client_says(&f, "GETINFO version\r\n");
    expect_bytes(&f.client, "510 Command filtered\r\n500 line too long\r\n", "answers");
    cr_expect(session_end_reason(f.session));
    cr_expect_not(session_wants_tor(f.session));
    free(line);
    fixture_clear(&f);
}
