/* What the tests of the session need around it: a policy from text, a client that it serves,
 * secrets that are none, and a tor that lets everybody in. */
#ifndef OG_SESSION_RIG_H
#define OG_SESSION_RIG_H

#include <criterion/criterion.h>
#include <string.h>

#include "policy.h"
#include "profile_load.h"
#include "reply.h"
#include "session.h"

#define STUB_STREAM_MAX (16 * 1024 * 1024)

static inline void rig_ignore_command(void *context, const struct session_report *report)
{
    (void)context;
    (void)report;
}

static inline void rig_ignore_problem(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static inline bool rig_no_cookie(void *context, const char *path,
                                  uint8_t cookie[TORAUTH_COOKIE_SIZE], const char **reason_out)
{
    (void)context;
    (void)path;
    (void)cookie;
    *reason_out = "there is no cookie here";
    return false;
}

static inline bool rig_no_password(void *context, struct buf *out, const char **reason_out)
{
    (void)context;
    (void)out;
    *reason_out = NULL;
    return false;
}

static inline void rig_nonce(void *context, uint8_t nonce[TORAUTH_NONCE_SIZE])
{
    (void)context;
    memset(nonce, 7, TORAUTH_NONCE_SIZE);
}

static inline bool rig_no_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    (void)name;
    (void)uid_out;
    return false;
}

static inline bool rig_no_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    (void)name;
    (void)gid_out;
    return false;
}

/* The address of a client in another machine; NULL: there is none. */
static inline struct stream_source rig_source(const char *address)
{
    struct stream_source source = {0};
    struct buf text;

    buf_init(&text, 100);
    if (address) {
        buf_printf(&text, "%s:0", address);
        cr_assert(stream_source_parse(buf_span(&text), &source), "%s is no address", address);
    }
    buf_clear(&text);
    return source;
}

/* The session and what it stands on. */
struct rig {
    struct policy *policy;
    struct policy_view view;
    struct tor_facts facts;
    struct onion_registry registry;
    struct session *session;
};

/* Loads the profiles of one file; a text that does not load fails the test. */
static inline struct profile_file *rig_load(const char *path, struct span text)
{
    static const struct name_resolver resolver = {rig_no_user, rig_no_group, NULL};
    struct diag_list diags;
    struct buf messages;

    buf_init(&messages, STUB_STREAM_MAX);
    diag_list_init(&diags);
    struct profile_file *file = profile_load(path, text, &resolver, &diags);
    for (size_t i = 0; i < diags.count; i++) {
        diag_format(&messages, &diags.items[i]);
        buf_append_char(&messages, '\n');
    }
    buf_append_char(&messages, '\0');
    cr_assert(file != NULL, "%s: its profile is not accepted: %s", path, messages.data);
    diag_list_clear(&diags);
    buf_clear(&messages);
    return file;
}

/* A session of a client that comes in by the shared socket, or, with `address`, from another
 * machine. */
static inline void rig_open_from(struct rig *rig, struct profile_file *file, const char *address)
{
    static const struct session_observer observer = {.command = rig_ignore_command,
                                                   .problem = rig_ignore_problem};
    static const struct torauth_secrets secrets = {rig_no_cookie, rig_no_password, rig_nonce,
                                                   NULL};
    const struct stream_source source = rig_source(address);
    struct identity client = {.transport = IDENTITY_UNIX,
                              .has_credentials = true,
                              .uid = 4711,
                              .gid = 4711,
                              .pid = 1,
                              .has_groups = true};
    struct session_setup setup = {
        .variables = {SPAN("127.0.0.1"), SPAN("0"), SPAN("127.0.0.1"), SPAN("0")},
        .secrets = &secrets,
        .observer = &observer,
    };

    if (address) {
        client = (struct identity){.transport = IDENTITY_TCP_REMOTE, .is_ipv6 = source.is_ipv6};
        memcpy(client.address, source.address, sizeof client.address);
        setup.variables.client_address = span_from_string(address);
        setup.stream_source = &source;
    }
    rig->policy = policy_new();
    policy_add_file(rig->policy, file);
    policy_match(rig->policy, &client, NULL, &rig->view);
    tor_facts_init(&rig->facts);
    onion_registry_init(&rig->registry);
    setup.policy = rig->policy;
    setup.view = &rig->view;
    setup.facts = &rig->facts;
    setup.registry = &rig->registry;
    rig->session = session_new(&setup);
}

static inline void rig_open(struct rig *rig, struct profile_file *file)
{
    rig_open_from(rig, file, NULL);
}

static inline void rig_close(struct rig *rig)
{
    session_free(rig->session);
    tor_facts_clear(&rig->facts);
    onion_registry_clear(&rig->registry);
    policy_view_clear(&rig->view);
    policy_unref(rig->policy);
}

/* What a tor without authentication answers to onion-grater's own login; NULL: it is not part of
 * it. `line` comes with its end. */
static inline const char *rig_login_answer(struct span line)
{
    if (span_starts_with(line, SPAN("PROTOCOLINFO")))
        return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n"
               "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n";
    if (span_starts_with(line, SPAN("AUTHENTICATE")))
        return "250 OK\r\n";
    if (span_equals(line, SPAN("GETINFO net/listeners/control\r\n")))
        return "250-net/listeners/control=\"unix:/run/tor/control\"\r\n250 OK\r\n";
    if (span_equals(line, SPAN("GETINFO onions/detached\r\n")))
        return "250-onions/detached=\r\n250 OK\r\n";
    return NULL;
}

static inline bool rig_ends_with(struct span text, struct span end)
{
    return text.len >= end.len && span_equals(span_from(text, text.len - end.len), end);
}

/* Cuts one message off the front; its length, or 0 if it is not whole or not well-formed. */
static inline size_t rig_message_length(struct span text, bool *is_malformed)
{
    bool in_data = false;
    size_t at = 0;

    while (at < text.len) {
        struct span rest = span_from(text, at);
        size_t end = span_find(rest, '\n');
        if (end == rest.len)
            return 0;
        struct span line = span_first(rest, end + 1);
        at += line.len;
        if (in_data) {
            in_data = !span_equals(line, SPAN(".\r\n"));
            *is_malformed |= !rig_ends_with(line, SPAN("\r\n"));
            continue;
        }
        struct reply_line parsed;
        *is_malformed |= !rig_ends_with(line, SPAN("\r\n")) ||
                         !reply_parse_line(span_first(line, line.len - 2), &parsed);
        if (*is_malformed)
            return 0;
        in_data = parsed.kind == REPLY_DATA;
        if (parsed.kind == REPLY_END)
            return at;
    }
    return 0;
}

#endif
