/* A whole session between a hostile client and a tor that is well-behaved, or not.
 *
 * Input: a character for the profiles (session_profiles.c: with 'P' the first record is a profile
 * file, with 'M' changes of a built-in one), one for tor's mood and our own settings, then records
 * that end at 0xff: one letter (do_operation) and its bytes. Whatever the order of things,
 * session_oracle.c says what must hold.
 * At the end everything is answered and taken, and a QUIT ends what has not ended. */
#include <stdio.h>
#include <stdlib.h>

#include "session_harness.h"
#include "tor_facts.h"

const struct template_variables harness_variables = {
    {"127.0.0.1", 9}, {"0", 1}, {"127.0.0.1", 9}, {"0", 1}};

/* --- the session's surroundings --- */

static bool read_cookie(void *context, const char *path, uint8_t cookie[TORAUTH_COOKIE_SIZE],
                        const char **reason_out)
{
    const struct harness *harness = context;

    (void)path;
    memset(cookie, 0x5a, TORAUTH_COOKIE_SIZE);
    *reason_out = "no cookie";
    return harness->mood != 7;
}

static bool read_password(void *context, struct buf *out, const char **reason_out)
{
    (void)context;
    (void)out;
    *reason_out = NULL;
    return false;
}

static void make_nonce(void *context, uint8_t nonce[TORAUTH_NONCE_SIZE])
{
    (void)context;
    memset(nonce, 0x11, TORAUTH_NONCE_SIZE);
}

static void see_command(void *context, const struct session_report *report)
{
    struct harness *harness = context;

    harness->reports++;
    ORACLE(report->command, "a report without a command");
    ORACLE(report->verdict != VERDICT_REFUSE || report->reason, "a refusal without a reason");
}

static void see_problem(void *context, const char *text)
{
    (void)context;
    ORACLE(!strstr(text, "sekrit"), "a secret in a message");
}

/* --- operations --- */

static void tor_reset(struct harness *h)
{
    command_reader_clear(&h->tor_reader);
    command_reader_init(&h->tor_reader);
    buf_reset(&h->tor_raw);
    buf_reset(&h->tor_out);
    h->tor_frame = (struct frame){0};
    h->login = 0;
    h->login_done = h->first_after_login = false;
}

static void do_connect(struct harness *h)
{
    if (!session_wants_tor(h->session))
        return;
    tor_reset(h);
    h->is_connected = true;
    session_tor_connected(h->session);
}

static void do_lose(struct harness *h)
{
    if (!h->is_connected && !session_wants_tor(h->session))
        return;
    h->is_connected = false;
    h->was_lost = true;
    h->services &= h->detached;
    session_tor_lost(h->session, "Connection refused");
    /* What was asked before is answered by that, and never sent later. */
    h->next_sent = h->expected_count;
    tor_reset(h);
}

/* What is allowed and waits for tor is bounded. */
static void check_waiting(const struct harness *h)
{
    size_t first = h->next_sent > h->replied ? h->next_sent : h->replied, waiting = 0;

    for (size_t i = first; i < h->expected_count; i++)
        if (h->expected[i].arguments)
            waiting += strlen(h->expected[i].arguments) + strlen(h->expected[i].data);
    ORACLE(waiting <= h->waiting_max + session_tor_output(h->session).len,
           "more waits for tor than the limit");
}

/* Offers the client's bytes, and keeps what is not taken. */
static void do_client(struct harness *h, struct span bytes)
{
    if (h->client_eof || h->backlog.len + bytes.len > BACKLOG_MAX)
        return;
    buf_append(&h->backlog, bytes);
    while (h->backlog.len > 0 && session_reads_client(h->session)) {
        struct span offered = span_first(buf_span(&h->backlog), FEED_MAX);
        size_t taken = session_client_input(h->session, offered);
        ORACLE(taken <= offered.len, "more taken than offered");
        oracle_judge(h, span_first(offered, taken));
        buf_consume(&h->backlog, taken);
        check_waiting(h);
        if (taken == 0)
            break;
    }
}

static void do_tor_raw(struct harness *h, struct span bytes)
{
    if (!h->is_connected || !session_reads_tor(h->session))
        return;
    h->raw_tor = true;
    session_tor_input(h->session, bytes);
}

/* What the model has to say goes to the session, in pieces of `cut` bytes. */
static bool feed_model(struct harness *h, size_t cut)
{
    bool moved = false;

    while (h->is_connected && h->tor_out.len > 0 && session_reads_tor(h->session)) {
        struct span piece = span_first(buf_span(&h->tor_out), cut);
        session_tor_input(h->session, piece);
        buf_consume(&h->tor_out, piece.len);
        moved = true;
    }
    return moved;
}

static void do_model(struct harness *h, struct span bytes)
{
    size_t cut = bytes.len > 0 ? (unsigned char)bytes.data[0] : FEED_MAX;
    bool moved = true;

    for (int turn = 0; moved && turn < 64; turn++) {
        do_connect(h);
        oracle_take_tor(h, SIZE_MAX);
        moved = feed_model(h, cut ? cut : 1);
        if (session_drops_tor(h->session)) {
            do_lose(h);
            moved = false;
        }
        do_client(h, span_make(NULL, 0));
    }
}

static void do_event(struct harness *h, struct span bytes)
{
    if (h->login_done && !h->first_after_login)
        model_event(h, bytes.len > 0 ? (uint8_t)(bytes.data[0] - '0') : 0);
}

static size_t amount(struct span bytes)
{
    return bytes.len > 0 ? (unsigned char)bytes.data[0] : SIZE_MAX;
}

static void do_lines(struct harness *h, struct span bytes)
{
    size_t times = amount(bytes);
    struct buf lines;

    if (bytes.len < 2)
        return;
    buf_init(&lines, BACKLOG_MAX);
    for (size_t i = 0; i < times; i++) {
        buf_append(&lines, span_from(bytes, 1));
        buf_append_string(&lines, "\r\n");
    }
    do_client(h, buf_span(&lines));
    buf_clear(&lines);
}

static void do_operation(struct harness *h, char letter, struct span bytes)
{
    switch (letter) {
    case 'c':
        do_client(h, bytes);
        break;
    case 'l':
        do_client(h, bytes);
        do_client(h, SPAN("\r\n"));
        break;
    case 'x':
        do_lines(h, bytes);
        break;
    case 'b':
        for (size_t i = 0; i < bytes.len; i++)
            do_client(h, span_make(bytes.data + i, 1));
        break;
    case 't':
        do_tor_raw(h, bytes);
        break;
    case 'T':
        do_tor_raw(h, bytes);
        do_tor_raw(h, SPAN("\r\n"));
        break;
    case 'm':
        do_model(h, bytes);
        break;
    case 'e':
        do_event(h, bytes);
        break;
    case 'o':
        do_connect(h);
        break;
    case 'd':
        do_lose(h);
        break;
    case 'r':
        oracle_take_client(h, amount(bytes));
        break;
    case 'w':
        oracle_take_tor(h, amount(bytes));
        break;
    case 'h':
        h->client_eof = true;
        session_client_eof(h->session);
        break;
    case 'g':
        h->client_eof = h->client_gone = true;
        session_client_gone(h->session);
        break;
    case 's':
        if (session_awaits_tor(h->session))
            session_tor_silent(h->session);
        break;
    case 'E':
        session_end(h->session, "end");
        break;
    default:
        break;
    }
    if (session_drops_tor(h->session))
        do_lose(h);
}

/* --- one input --- */

/* Everything that was asked is answered and taken. */
static void settle(struct harness *h)
{
    for (int turn = 0; turn < 1000 && !session_end_reason(h->session); turn++) {
        do_model(h, span_make(NULL, 0));
        if (!oracle_take_client(h, SIZE_MAX) && h->backlog.len == 0)
            break;
    }
}

static void check_end(struct harness *h)
{
    const char *reason = session_end_reason(h->session);
    bool has_quit = reason && strcmp(reason, "client quit") == 0;

    while (oracle_take_client(h, SIZE_MAX))
        continue;
    ORACLE(h->reports <= h->expected_count, "a command that is reported twice");
    if (!reason || h->client_gone)
        return;
    session_client_input(h->session, SPAN("GETINFO version\r\n"));
    session_tor_input(h->session, SPAN("650 BW 1 2\r\n250 OK\r\n"));
    ORACLE(session_client_output(h->session).len == 0, "output after the end");
    ORACLE(!session_wants_tor(h->session) && !session_reads_tor(h->session),
           "active after the end");
    if (has_quit) {
        ORACLE(!h->client_reader.in_message && !h->client_frame.in_message,
               "a message without its end before QUIT's answer");
        ORACLE(h->replied == h->expected_count, "not one reply for each command");
        ORACLE(h->reports == h->expected_count, "not one report for each command");
    }
}

/* What the profiles have that the oracle and the model must know of. */
static void note_profiles(struct harness *h)
{
    static const char *const names[] = {"STREAM", "STREAM_BW", "CIRC"};
    bool shows_streams = h->view.complain != NULL;

    for (size_t i = 0; i < h->view.count; i++) {
        const struct profile *profile = h->view.profiles[i];
        h->has_own_streams |= profile->tor_browser_mode;
        h->has_onions |= profile->onions.create_count > 0;
        for (size_t j = 0; j < profile->command_count; j++)
            shows_streams |= profile->commands[j].keyword->id == KEYWORD_GETINFO;
        for (size_t j = 0; j < profile->event_count; j++)
            for (size_t k = 0; k < sizeof names / sizeof *names; k++)
                shows_streams |= strcmp(profile->events[j].name, names[k]) == 0;
    }
    h->follows_streams = h->has_own_streams && shows_streams;
}

/* Bits of the second character: three of tor's mood, complain mode, a cookie, low limits. */
static void harness_open(struct harness *h, unsigned settings)
{
    static struct session_observer observer = {.command = see_command, .problem = see_problem};
    static struct torauth_secrets secrets = {read_cookie, read_password, make_nonce, NULL};
    static const struct session_cookie cookie = {"/run/og/cookie",
                                                 "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"};
    static const struct session_limits low = {.reply_buffer = 128 * 1024,
                                              .command_buffer = 16 * 1024,
                                              .commands = 20,
                                              .line = 512,
                                              .block = 1024,
                                              .keys = 4};
    const struct stream_source client = {.is_known = true, .address = {10, 0, 0, 5}};
    const struct target own = {.kind = TARGET_UNIX, .path = {"/run/og", 7}};

    secrets.context = h;
    observer.context = h;
    h->mood = settings % 8;
    h->view.complain = settings & 8 ? h->policy->complain->profiles : NULL;
    h->has_cookie = settings & 16;
    h->waiting_max = (settings & 32 ? low.command_buffer + low.line + low.block
                                    : SESSION_COMMAND_BUFFER + COMMAND_MAX_LINE + COMMAND_MAX_DATA);
    note_profiles(h);
    tor_facts_init(&h->facts);
    tor_facts_set_own(&h->facts, &own, 1);
    onion_registry_init(&h->registry);
    lines_init(&h->judge, settings & 32 ? low.line : COMMAND_MAX_LINE,
               settings & 32 ? low.block : COMMAND_MAX_DATA);
    command_reader_init(&h->tor_reader);
    reply_reader_init(&h->client_reader);
    buf_init(&h->backlog, BACKLOG_MAX);
    buf_init(&h->tor_raw, TO_TOR_MAX);
    buf_init(&h->tor_out, 256 * 1024 * 1024);
    h->session = session_new(&(struct session_setup){
        .policy = h->policy,
        .view = &h->view,
        .variables = harness_variables,
        .facts = &h->facts,
        .registry = &h->registry,
        .cookie = h->has_cookie ? &cookie : NULL,
        .secrets = &secrets,
        .observer = &observer,
        .limits = settings & 32 ? &low : NULL,
        .stream_source = h->has_own_streams ? &client : NULL,
    });
}

static void harness_close(struct harness *h)
{
    session_free(h->session);
    tor_facts_clear(&h->facts);
    onion_registry_clear(&h->registry);
    lines_clear(&h->judge);
    command_reader_clear(&h->tor_reader);
    reply_reader_clear(&h->client_reader);
    buf_clear(&h->backlog);
    buf_clear(&h->tor_raw);
    buf_clear(&h->tor_out);
    for (size_t i = 0; i < h->expected_count; i++) {
        free(h->expected[i].arguments);
        free(h->expected[i].data);
        reference_clear(&h->expected[i].reference);
    }
    free(h->expected);
    profiles_close(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct harness h = {0};
    struct span rest = {(const char *)data + 2, size - 2};

    if (size < 2 || !profiles_open(&h, (char)data[0], &rest))
        return 0;
    h.names_secret = memmem(data, size, "sekrit", 6) != NULL;
    h.names_tag = memchr(data, '@', size) != NULL;
    harness_open(&h, (uint8_t)(data[1] - '0'));
    while (rest.len > 0 && !session_end_reason(h.session)) {
        struct span record = span_first(rest, span_find(rest, (char)0xff));
        rest = span_from(rest, record.len + 1);
        if (record.len > 0)
            do_operation(&h, record.data[0], span_from(record, 1));
    }
    settle(&h);
    if (!h.client_eof && !session_end_reason(h.session)) {
        do_client(&h, SPAN("\r\n.\r\nQUIT\r\n"));
        settle(&h);
        if (h.raw_tor)
            session_end(h.session, "tor is silent");
        ORACLE(session_end_reason(h.session), "QUIT does not end the session");
    }
    check_end(&h);
    harness_close(&h);
    return 0;
}
