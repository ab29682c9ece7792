/* What a table of a profile (profile_table.h) is run on: a session of the real core between the
 * client and the tor that the table scripts, so that services, events and replies are judged by
 * what has happened before. One exchange at a time. */
#ifndef OG_PROFILE_EXCHANGE_H
#define OG_PROFILE_EXCHANGE_H

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"
#include "session_rig.h"
#include "words.h"

#define TABLE_MAX_TEXT (16 * 1024 * 1024)
#define TABLE_REFUSED "510 Command filtered\r\n"
#define TABLE_ADM 4 /* the group of those who may read logs */

/* One exchange: input from one side, and what both sides must get of it. */
struct exchange {
    unsigned line;
    char kind; /* '>' the client sends, 'r' it is refused, 'e' tor sends an event, 0: none */
    bool is_withheld;
    bool has_to_tor, has_to_client;
    bool tor_gets_nothing;
    struct buf input, to_tor, from_tor, to_client;
};

struct table {
    const char *path;
    unsigned line;
    unsigned failures, refusals;

    char *profile; /* path of the profile file */
    bool allows_warnings;
    struct profile_file *file;
    struct policy *policy;
    struct policy_view view;
    struct identity client;
    char address[64];
    bool is_open;
    struct tor_facts facts;
    struct onion_registry registry;
    struct session *session;

    bool is_tor_connected;
    bool is_watching; /* tor-browser-mode: the session has asked for the streams by itself */
    struct buf tor_line, tor_got, client_got;
    char *control; /* where tor's control port listens */
    struct exchange exchange;
};

static inline void table_fail(struct table *table, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline void table_fail(struct table *table, unsigned line, const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table->failures++;
    cr_expect(false, "%s:%u: %s", table->path, line, text);
}

/* --- the two peers --- */

/* What tor answers to what the session asks on its own; NULL: this comes from the client. */
static inline const char *table_login_answer(struct table *table, struct span line)
{
    if (span_equals(line, SPAN("GETINFO net/listeners/control\r\n")))
        return table->control;
    if (!table->is_watching && policy_is_tor_browser_mode(&table->view) &&
        span_equals(line, SPAN("SETEVENTS STREAM\r\n"))) {
        table->is_watching = true;
        return "250 OK\r\n";
    }
    /* Asked by the session, as the space at its end tells; without an entry the events decide. */
    if (policy_is_tor_browser_mode(&table->view) &&
        span_equals(line, SPAN("GETINFO stream-status \r\n")))
        return "250 OK\r\n";
    return rig_login_answer(line);
}

static inline void table_take_tor_line(struct table *table)
{
    struct span line = buf_span(&table->tor_line);
    const char *answer = table_login_answer(table, line);

    if (!answer)
        buf_append(&table->tor_got, line);
    buf_reset(&table->tor_line);
    if (answer)
        session_tor_input(table->session, span_from_string(answer));
}

static inline bool table_drain(struct table *table)
{
    struct span to_tor = session_tor_output(table->session);
    bool is_busy = to_tor.len > 0;
    char *copy = mem_copy_string(to_tor);

    session_tor_sent(table->session, to_tor.len);
    for (const char *at = copy; *at; at++) {
        buf_append_char(&table->tor_line, *at);
        if (*at == '\n')
            table_take_tor_line(table);
    }
    free(copy);
    struct span to_client = session_client_output(table->session);
    is_busy = is_busy || to_client.len > 0;
    buf_append(&table->client_got, to_client);
    session_client_sent(table->session, to_client.len);
    return is_busy;
}

static inline void table_settle(struct table *table)
{
    bool is_busy = true;

    while (is_busy) {
        is_busy = table_drain(table);
        if (!table->is_tor_connected && session_wants_tor(table->session)) {
            table->is_tor_connected = true;
            session_tor_connected(table->session);
            is_busy = true;
        }
    }
}

static inline void table_expect(struct table *table, const char *who, struct buf *got,
                                struct span expected)
{
    struct buf a, b;

    if (!span_equals(buf_span(got), expected)) {
        buf_init(&a, TABLE_MAX_TEXT);
        buf_init(&b, TABLE_MAX_TEXT);
        buf_append_escaped(&a, buf_span(got), 1500);
        buf_append_escaped(&b, expected, 1500);
        buf_append_char(&a, '\0');
        buf_append_char(&b, '\0');
        table_fail(table, table->exchange.line, "%s got \"%s\", expected \"%s\"", who,
                   buf_span(&a).data, buf_span(&b).data);
        buf_clear(&a);
        buf_clear(&b);
    }
    buf_reset(got);
}

static inline void table_close(struct table *table)
{
    if (table->is_open) {
        session_free(table->session);
        tor_facts_clear(&table->facts);
        policy_view_clear(&table->view);
    }
    table->is_open = false;
    buf_reset(&table->tor_line);
    table->is_tor_connected = false;
    table->is_watching = false;
}

static inline void table_expect_going_on(struct table *table)
{
    const char *reason = session_end_reason(table->session);

    if (!reason)
        return;
    table_fail(table, table->exchange.line, "the session has ended: %s", reason);
    table_close(table);
}

/* --- one exchange --- */

static inline void table_feed_client(struct table *table, struct span bytes)
{
    while (bytes.len > 0) {
        size_t taken = session_client_input(table->session, bytes);
        bytes = span_from(bytes, taken);
        table_settle(table);
        if (taken == 0 && !session_reads_client(table->session)) {
            table_fail(table, table->exchange.line, "the session takes no more from the client");
            return;
        }
    }
}

/* What tor answers where the table does not say: a value for each key, "250 OK" else. */
static inline void table_add_reply(struct exchange *exchange, struct span command)
{
    struct span rest = span_first(command, span_find(command, '\r')), word;
    bool is_getinfo = span_starts_with(rest, SPAN("GETINFO "));

    if (exchange->from_tor.len)
        return;
    words_next(&rest, &word);
    while (is_getinfo && words_next(&rest, &word))
        buf_printf(&exchange->from_tor, "250-%.*s=x\r\n", (int)word.len, word.data);
    buf_append_string(&exchange->from_tor, "250 OK\r\n");
}

static inline void table_run_command(struct table *table)
{
    struct exchange *exchange = &table->exchange;
    struct span to_tor = exchange->tor_gets_nothing ? SPAN("")
                         : exchange->has_to_tor     ? buf_span(&exchange->to_tor)
                                                    : buf_span(&exchange->input);

    table_add_reply(exchange, to_tor);

    table_feed_client(table, buf_span(&exchange->input));
    table_expect(table, "tor", &table->tor_got, to_tor);
    if (!exchange->tor_gets_nothing) {
        if (!table->is_tor_connected) {
            table_fail(table, exchange->line, "there is no connection to tor to answer on");
            return;
        }
        session_tor_input(table->session, buf_span(&exchange->from_tor));
        table_settle(table);
    }
    table_expect(table, "the client", &table->client_got,
                 exchange->has_to_client ? buf_span(&exchange->to_client)
                                         : buf_span(&exchange->from_tor));
    table_expect(table, "tor, after its reply,", &table->tor_got, SPAN(""));
}

static inline void table_run_refusal(struct table *table)
{
    table->refusals++;
    table_feed_client(table, buf_span(&table->exchange.input));
    table_expect(table, "tor", &table->tor_got, SPAN(""));
    table_expect(table, "the client", &table->client_got, SPAN(TABLE_REFUSED));
}

static inline void table_run_event(struct table *table)
{
    struct exchange *exchange = &table->exchange;
    struct span expected = exchange->is_withheld     ? SPAN("")
                           : exchange->has_to_client ? buf_span(&exchange->to_client)
                                                     : buf_span(&exchange->input);

    if (!table->is_tor_connected) {
        table_fail(table, exchange->line, "there is no connection to tor for an event");
        return;
    }
    session_tor_input(table->session, buf_span(&exchange->input));
    table_settle(table);
    table_expect(table, "the client", &table->client_got, expected);
    table_expect(table, "tor", &table->tor_got, SPAN(""));
}

static inline void table_run_exchange(struct table *table)
{
    struct exchange *exchange = &table->exchange;

    if (exchange->kind == '>')
        table_run_command(table);
    else if (exchange->kind == 'r')
        table_run_refusal(table);
    else if (exchange->kind == 'e')
        table_run_event(table);
    if (exchange->kind)
        table_expect_going_on(table);
    exchange->kind = 0;
    exchange->is_withheld = exchange->has_to_tor = exchange->has_to_client = false;
    exchange->tor_gets_nothing = false;
    buf_reset(&exchange->input);
    buf_reset(&exchange->to_tor);
    buf_reset(&exchange->from_tor);
    buf_reset(&exchange->to_client);
}

/* --- the client --- */

static inline bool table_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    *uid_out = strcmp(name, "root") == 0 ? 0 : 1000;
    return strcmp(name, "root") == 0 || strcmp(name, "amnesia") == 0;
}

static inline bool table_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    *gid_out = TABLE_ADM;
    return strcmp(name, "adm") == 0;
}

/* The profile's own socket if that is the one that serves the client. */
static inline void table_match(struct table *table)
{
    policy_match(table->policy, &table->client, NULL, &table->view);
    for (size_t i = 0; i < table->file->count && table->view.count == 0; i++) {
        const struct profile *profile = &table->file->profiles[i];
        policy_view_clear(&table->view);
        if (profile->socket.is_wanted)
            policy_match(table->policy, &table->client, profile->name, &table->view);
    }
}

static inline void table_expect_nobody(struct table *table)
{
    if (!table->file)
        return;
    table_match(table);
    if (table->view.count > 0)
        table_fail(table, table->line, "the profile serves this client, too");
    policy_view_clear(&table->view);
}

static inline void table_open(struct table *table)
{
    static const struct session_observer observer = {.command = rig_ignore_command,
                                                     .problem = rig_ignore_problem};
    static const struct torauth_secrets secrets = {rig_no_cookie, rig_no_password, rig_nonce,
                                                   NULL};
    bool is_remote = table->client.transport == IDENTITY_TCP_REMOTE;
    const struct stream_source source = rig_source(is_remote ? table->address : NULL);
    struct session_setup setup = {
        .policy = table->policy,
        .view = &table->view,
        .facts = &table->facts,
        .registry = &table->registry,
        .stream_source = is_remote ? &source : NULL,
        .secrets = &secrets,
        .observer = &observer,
    };

    table_close(table);
    table_match(table);
    if (table->view.count == 0)
        table_fail(table, table->line, "no profile serves this client");
    setup.variables.client_address = span_from_string(table->address);
    setup.variables.client_port = is_remote ? SPAN("4711") : SPAN("0");
    setup.variables.server_address = is_remote ? SPAN("10.137.0.1") : SPAN("127.0.0.1");
    setup.variables.server_port = is_remote ? SPAN("9051") : SPAN("0");
    tor_facts_init(&table->facts);
    table->session = session_new(&setup);
    table->is_open = true;
}

static inline void table_set_control(struct table *table, const char *listeners)
{
    free(table->control);
    table->control = mem_printf("250-net/listeners/control=%s\r\n250 OK\r\n", listeners);
}

/* "local LABEL", "tcp LABEL", "remote ADDRESS". */
static inline void table_set_client(struct table *table, char *text)
{
    static gid_t groups[] = {TABLE_ADM};
    char *detail = strchr(text, ' ');

    if (detail)
        *detail++ = '\0';
    free(table->client.label);
    table->client = (struct identity){.transport = IDENTITY_UNIX, .port = 4711};
    snprintf(table->address, sizeof table->address, "127.0.0.1");
    if (strcmp(text, "remote") == 0 && detail) {
        table->client.transport = IDENTITY_TCP_REMOTE;
        snprintf(table->address, sizeof table->address, "%s", detail);
        if (inet_pton(AF_INET, detail, table->client.address) != 1)
            table_fail(table, table->line, "no IPv4 address: %s", detail);
        return;
    }
    if (strcmp(text, "tcp") == 0)
        table->client.transport = IDENTITY_TCP_LOCAL;
    else if (strcmp(text, "local") != 0 && strcmp(text, "user") != 0)
        table_fail(table, table->line, "no client: %s", text);
    table->client.has_credentials = true;
    table->client.uid = strcmp(text, "user") == 0 ? 1000 : 0;
    table->client.gid = table->client.uid;
    table->client.pid = 1;
    table->client.has_groups = true;
    table->client.groups = groups;
    table->client.group_count = strcmp(text, "user") == 0 ? 0 : 1;
    if (detail)
        identity_set_label(&table->client, detail, strlen(detail), EVIDENCE_KERNEL);
}

/* --- the profile --- */

static inline struct buf table_read(const char *path)
{
    struct buf text;
    char piece[4096];
    size_t len;

    buf_init(&text, TABLE_MAX_TEXT);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s cannot be read", path);
    while ((len = fread(piece, 1, sizeof piece, file)) > 0)
        buf_append(&text, span_make(piece, len));
    fclose(file);
    return text;
}

static inline void table_load(struct table *table, const char *path)
{
    static const struct name_resolver resolver = {table_user, table_group, NULL};
    struct diag_list diags;
    struct buf text = table_read(path), message;

    buf_init(&message, TABLE_MAX_TEXT);
    diag_list_init(&diags);
    table->profile = mem_copy_string(span_from_string(path));
    table->file = profile_load(path, buf_span(&text), &resolver, &diags);
    for (size_t i = 0; i < diags.count; i++) {
        if (diags.items[i].severity == DIAG_WARNING && table->allows_warnings)
            continue;
        buf_reset(&message);
        diag_format(&message, &diags.items[i]);
        buf_append_char(&message, '\0');
        table_fail(table, table->line, "the profile is not clean: %s", buf_span(&message).data);
    }
    if (table->file) {
        table->policy = policy_new();
        policy_add_file(table->policy, profile_file_ref(table->file));
    }
    diag_list_clear(&diags);
    buf_clear(&message);
    buf_clear(&text);
}

#endif
