/* States: IDLE -> PROTOCOLINFO -> (CHALLENGE ->) AUTHENTICATE -> (LISTENERS ->) (DETACHED ->) DONE.
 *
 * SAFECOOKIE goes before COOKIE because it proves tor to us before we prove ourselves; the plain
 * cookie is sent only to a tor that offers nothing better. */
#include "torauth.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "hex.h"
#include "hmac.h"
#include "kvline.h"
#include "mem.h"
#include "quoted.h"

static const char server_key[] = "Tor safe cookie authentication server-to-controller hash";
static const char client_key[] = "Tor safe cookie authentication controller-to-server hash";

#define PASSWORD_MAX 1024

static void torauth_fail(struct torauth *auth, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void torauth_fail(struct torauth *auth, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(auth->reason, sizeof auth->reason, format, arguments);
    va_end(arguments);
    auth->state = TORAUTH_FAILED;
}

void torauth_init(struct torauth *auth, const struct torauth_secrets *secrets,
                  struct tor_facts *facts, bool asks_listeners)
{
    memset(auth, 0, sizeof *auth);
    auth->secrets = secrets;
    auth->facts = facts;
    auth->asks_listeners = asks_listeners;
}

void torauth_ask_detached(struct torauth *auth, struct onion_registry *registry)
{
    auth->registry = registry;
}

void torauth_clear(struct torauth *auth)
{
    struct onion_registry *registry = auth->registry;

    free(auth->cookie_path);
    onion_set_clear(&auth->detached);
    mem_wipe(auth->cookie, sizeof auth->cookie);
    torauth_init(auth, auth->secrets, auth->facts, auth->asks_listeners);
    torauth_ask_detached(auth, registry);
}

static void send_command(struct torauth *auth, const char *name, struct span arguments,
                         struct buf *to_tor)
{
    const struct keyword *keyword = keyword_find(span_from_string(name), false);

    if (!keyword || !command_write(to_tor, keyword, arguments, span_make(NULL, 0)))
        torauth_fail(auth, "the command %s could not be written", name);
}

void torauth_start(struct torauth *auth, struct buf *to_tor)
{
    auth->state = TORAUTH_PROTOCOLINFO;
    send_command(auth, "PROTOCOLINFO", SPAN("1"), to_tor);
}

static void send_authenticate(struct torauth *auth, struct span proof, struct buf *to_tor)
{
    auth->state = TORAUTH_AUTHENTICATE;
    send_command(auth, "AUTHENTICATE", proof, to_tor);
    /* In the same segment: a refused login closes the connection, so nothing is lost by asking. */
    if (auth->asks_listeners && auth->state != TORAUTH_FAILED)
        send_command(auth, "GETINFO", SPAN("net/listeners/control"), to_tor);
    if (!auth->registry || auth->state == TORAUTH_FAILED)
        return;
    auth->detached_mark = onion_registry_mark(auth->registry);
    onion_set_init(&auth->detached, ONION_REGISTRY_MAX);
    send_command(auth, "GETINFO", SPAN("onions/detached"), to_tor);
}

static void send_authenticate_hex(struct torauth *auth, struct span secret, struct buf *to_tor)
{
    struct buf hex;

    buf_init(&hex, 2 * PASSWORD_MAX);
    if (hex_append(&hex, (const uint8_t *)secret.data, secret.len))
        send_authenticate(auth, buf_span(&hex), to_tor);
    else
        torauth_fail(auth, "the password for tor is longer than %d bytes", PASSWORD_MAX);
    buf_wipe(&hex);
}

static void send_challenge(struct torauth *auth, struct buf *to_tor)
{
    struct buf arguments;

    auth->secrets->nonce(auth->secrets->context, auth->nonce);
    buf_init(&arguments, 128);
    buf_append_string(&arguments, "SAFECOOKIE ");
    hex_append(&arguments, auth->nonce, sizeof auth->nonce);
    auth->state = TORAUTH_CHALLENGE;
    send_command(auth, "AUTHCHALLENGE", buf_span(&arguments), to_tor);
    buf_clear(&arguments);
}

/* --- the reply to PROTOCOLINFO --- */

static void take_method(struct torauth *auth, struct span method)
{
    if (span_equals(method, SPAN("NULL")))
        auth->offers_null = true;
    else if (span_equals(method, SPAN("SAFECOOKIE")))
        auth->offers_safecookie = true;
    else if (span_equals(method, SPAN("COOKIE")))
        auth->offers_cookie = true;
    else if (span_equals(method, SPAN("HASHEDPASSWORD")))
        auth->offers_password = true;
}

static void take_methods(struct torauth *auth, struct span list)
{
    auth->has_methods = true;
    while (list.len > 0) {
        size_t end = span_find(list, ',');
        take_method(auth, span_first(list, end));
        list = span_from(list, end + 1);
    }
}

static void take_cookie_path(struct torauth *auth, const struct kv_pair *pair)
{
    struct buf path;

    buf_init(&path, 4096);
    if (pair->is_quoted && quoted_decode(pair->value, &path) && !auth->cookie_path)
        auth->cookie_path = mem_copy_string(buf_span(&path));
    buf_clear(&path);
}

static void take_auth_line(struct torauth *auth, struct span fields)
{
    struct kv_pair pair;

    while (kv_next(GRAMMAR_QUOTED, &fields, &pair) == KV_PAIR) {
        if (span_equals(pair.key, SPAN("METHODS")))
            take_methods(auth, pair.value);
        else if (span_equals(pair.key, SPAN("COOKIEFILE")))
            take_cookie_path(auth, &pair);
    }
}

static void take_version_line(struct torauth *auth, struct span fields)
{
    struct kv_pair pair;
    struct buf version;

    buf_init(&version, TOR_VERSION_MAX);
    if (kv_next(GRAMMAR_QUOTED, &fields, &pair) == KV_PAIR && pair.is_quoted &&
        span_equals(pair.key, SPAN("Tor")) && quoted_decode(pair.value, &version))
        tor_facts_set_version(auth->facts, buf_span(&version));
    buf_clear(&version);
}

/* The password, if there is one to be had; false and FAILED, with `why_not` in the reason, if not.
 */
static bool try_password(struct torauth *auth, const char *why_not, struct buf *to_tor)
{
    struct buf password;
    const char *reason = NULL;

    buf_init(&password, PASSWORD_MAX);
    bool done = auth->offers_password &&
                auth->secrets->read_password(auth->secrets->context, &password, &reason);
    if (done)
        send_authenticate_hex(auth, buf_span(&password), to_tor);
    else if (reason)
        torauth_fail(auth, "%s", reason);
    else
        torauth_fail(auth, "%s", why_not);
    buf_wipe(&password);
    return done;
}

static void choose_method(struct torauth *auth, struct buf *to_tor)
{
    const char *reason = "tor's cookie could not be read";

    if (auth->offers_null) {
        send_authenticate(auth, span_make(NULL, 0), to_tor);
    } else if (!auth->offers_safecookie && !auth->offers_cookie) {
        try_password(auth,
                     auth->offers_password
                         ? "tor asks for a password: name a file that holds it with "
                           "--control-password-file, or set CookieAuthentication 1 in torrc"
                         : "tor offers no way to log in that this program knows",
                     to_tor);
    } else if (!auth->secrets->read_cookie(auth->secrets->context,
                                           auth->cookie_path ? auth->cookie_path : "", auth->cookie,
                                           &reason)) {
        try_password(auth, reason, to_tor);
    } else if (auth->offers_safecookie) {
        send_challenge(auth, to_tor);
    } else {
        send_authenticate_hex(auth, span_make((const char *)auth->cookie, sizeof auth->cookie),
                              to_tor);
    }
}

static void feed_protocolinfo(struct torauth *auth, const struct reply_line *line,
                              struct buf *to_tor)
{
    if (line->kind == REPLY_MID && span_starts_with(line->text, SPAN("AUTH ")))
        take_auth_line(auth, span_from(line->text, 5));
    else if (line->kind == REPLY_MID && span_starts_with(line->text, SPAN("VERSION ")))
        take_version_line(auth, span_from(line->text, 8));
    if (line->kind != REPLY_END)
        return;
    if (auth->has_methods)
        choose_method(auth, to_tor);
    else
        torauth_fail(auth, "tor's answer to PROTOCOLINFO names no way to log in");
}

/* --- the reply to AUTHCHALLENGE --- */

static bool field_bytes(struct span fields, struct span name, uint8_t bytes_out[HMAC_SIZE])
{
    struct kv_pair pair;

    while (kv_next(GRAMMAR_KV, &fields, &pair) == KV_PAIR)
        if (span_equals(pair.key, name))
            return hex_decode(pair.value, bytes_out, HMAC_SIZE);
    return false;
}

static void hash_nonces(const char *key, const uint8_t cookie[TORAUTH_COOKIE_SIZE],
                        struct span client_nonce, struct span server_nonce,
                        uint8_t digest_out[HMAC_SIZE])
{
    const struct span message[] = {
        {(const char *)cookie, TORAUTH_COOKIE_SIZE},
        client_nonce,
        server_nonce,
    };

    hmac_sha256(span_from_string(key), message, 3, digest_out);
}

void torauth_hash_server(const uint8_t cookie[TORAUTH_COOKIE_SIZE], struct span client_nonce,
                         struct span server_nonce, uint8_t digest_out[HMAC_SIZE])
{
    hash_nonces(server_key, cookie, client_nonce, server_nonce, digest_out);
}

static void feed_challenge(struct torauth *auth, const struct reply_line *line, struct buf *to_tor)
{
    uint8_t server_hash[HMAC_SIZE], server_nonce[HMAC_SIZE], digest[HMAC_SIZE];
    struct span fields = span_from(line->text, strlen("AUTHCHALLENGE "));

    if (line->kind != REPLY_END || !span_starts_with(line->text, SPAN("AUTHCHALLENGE ")) ||
        !field_bytes(fields, SPAN("SERVERHASH"), server_hash) ||
        !field_bytes(fields, SPAN("SERVERNONCE"), server_nonce)) {
        torauth_fail(auth, "tor's answer to AUTHCHALLENGE does not parse");
        return;
    }
    struct span client = span_make((const char *)auth->nonce, sizeof auth->nonce);
    struct span server = span_make((const char *)server_nonce, sizeof server_nonce);
    torauth_hash_server(auth->cookie, client, server, digest);
    if (!hmac_equals(digest, server_hash)) {
        torauth_fail(auth, "tor does not know the cookie that it names: the file is not this "
                           "tor's, or something else listens in its place");
        return;
    }
    hash_nonces(client_key, auth->cookie, client, server, digest);
    send_authenticate_hex(auth, span_make((const char *)digest, sizeof digest), to_tor);
    mem_wipe(digest, sizeof digest);
    mem_wipe(auth->cookie, sizeof auth->cookie);
}

/* --- the replies to AUTHENTICATE and to the questions behind it --- */

static enum torauth_state after_listeners(const struct torauth *auth)
{
    return auth->registry ? TORAUTH_DETACHED : TORAUTH_DONE;
}

static void feed_authenticate(struct torauth *auth, const struct reply_line *line)
{
    mem_wipe(auth->cookie, sizeof auth->cookie);
    if (line->kind != REPLY_END)
        torauth_fail(auth, "tor's answer to AUTHENTICATE does not parse");
    else
        auth->state = auth->asks_listeners ? TORAUTH_LISTENERS : after_listeners(auth);
}

static void feed_listeners(struct torauth *auth, const struct reply_line *line)
{
    static const struct span prefix = {"net/listeners/control=", 22};

    if (line->kind == REPLY_END) {
        auth->state = after_listeners(auth);
    } else if (line->kind != REPLY_MID || !span_starts_with(line->text, prefix) ||
               !tor_facts_set_control(auth->facts, span_from(line->text, prefix.len))) {
        torauth_fail(auth, "tor's list of control listeners does not parse");
    }
}

static void note_detached(struct torauth *auth, struct span text)
{
    struct onion_address address;

    if (onion_address_read(text, &address) && onion_registry_lists(auth->registry, &address))
        onion_set_add(&auth->detached, &address);
    else
        auth->has_unknown = auth->has_unknown || text.len > 0;
}

/* "onions/detached=" with an address, with none, or with a data block of them. */
static void feed_detached(struct torauth *auth, const struct reply_line *line)
{
    static const struct span prefix = {"onions/detached=", 16};
    bool is_named = span_starts_with(line->text, prefix);

    auth->has_detached = auth->has_detached || is_named;
    if (line->kind == REPLY_END) {
        if (auth->has_detached)
            onion_registry_keep(auth->registry, auth->detached_mark, &auth->detached);
        if (auth->has_detached && !auth->has_unknown)
            onion_registry_settle(auth->registry, auth->detached_mark);
        auth->state = TORAUTH_DONE;
    } else if (line->kind == REPLY_MID && is_named) {
        note_detached(auth, span_from(line->text, prefix.len));
    } else if (line->kind == REPLY_DATA_LINE) {
        note_detached(auth, line->text);
    } else if (line->kind != REPLY_DATA_END && !is_named) {
        torauth_fail(auth, "tor's list of detached onion services does not parse");
    }
}

enum torauth_state torauth_feed(struct torauth *auth, const struct reply_line *line,
                                struct buf *to_tor)
{
    bool is_error = line->code / 100 == 5;

    /* A tor that cannot list its listeners is not less ours; the shell has named the one that we
     * came in by. And one that does not say what is detached has said nothing against it. */
    if (auth->state == TORAUTH_LISTENERS && is_error && line->kind == REPLY_END)
        auth->state = after_listeners(auth);
    else if (auth->state == TORAUTH_DETACHED && is_error)
        auth->state = line->kind == REPLY_END ? TORAUTH_DONE : TORAUTH_DETACHED;
    else if (line->code != 250)
        torauth_fail(auth, "tor refused the login with code %u", line->code);
    else if (auth->state == TORAUTH_PROTOCOLINFO)
        feed_protocolinfo(auth, line, to_tor);
    else if (auth->state == TORAUTH_CHALLENGE)
        feed_challenge(auth, line, to_tor);
    else if (auth->state == TORAUTH_AUTHENTICATE)
        feed_authenticate(auth, line);
    else if (auth->state == TORAUTH_LISTENERS)
        feed_listeners(auth, line);
    else if (auth->state == TORAUTH_DETACHED)
        feed_detached(auth, line);
    return auth->state;
}
