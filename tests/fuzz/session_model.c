/* A tor that answers every command exactly once.
 *
 * The shapes are those of control-protocol 2. A value that the client may not see by its profiles is
 * "sekrit", and one that it may see is not; an answer is marked with its command's number. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "hex.h"
#include "hmac.h"
#include "mem.h"
#include "session_harness.h"
#include "words.h"

#define SERVICE "bcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"

static const char *const model_events[] = {
    "650 BW 1 2\r\n",
    "650 STREAM 5 NEW 0 sekrit:80 SOURCE_ADDR=1.2.3.4:5\r\n",
    "650+NS\r\nr a b\r\n..s Fast\r\n.\r\n650 OK\r\n",
    "650-CONF_CHANGED\r\n650-Nickname=sekrit\r\n650 OK\r\n",
    "650 CIRC 1 BUILT sekrit\r\n",
    "650 HS_DESC REQUESTED sekrit NO_AUTH x\r\n",
    "650 HS_DESC CREATED sekrit UNKNOWN x\r\n",
    "650 NOTICE a\rsekrit\r\n",
    "650 STATUS_CLIENT NOTICE BOOTSTRAP SUMMARY=\"sekrit\"\r\n",
    "650 STREAM 7 NEW 0 own:80 SOURCE_ADDR=10.0.0.5:5 SOCKS_USERNAME=\"SOURCE_ADDR=10.0.0.6:5\"\r\n",
    "650 STREAM 7 SENTCONNECT 17 own:80\r\n",
    "650 STREAM 7 CLOSED 17 own:80\r\n",
    "650 STREAM 8 NEW 0 own:80 SOURCE_ADDR=::ffff:10.0.0.5:5\r\n",
    "650 STREAM 8 SENTCONNECT 18 own:80\r\n",
    "650 STREAM 8 NEW 0 sekrit:80 SOURCE_ADDR=10.0.0.6:5\r\n",
    "650 STREAM 9 NEW 0 sekrit:80 SOURCE_ADDR=10.0.0.6:5 SOCKS_USERNAME=\"SOURCE_ADDR=10.0.0.5:5\"\r\n",
    "650 STREAM 9 NEWRESOLVE 0 sekrit SOURCE_ADDR=10.0.0.5:5 a=:0 SOURCE_ADDR=10.0.0.6:5\r\n",
    "650 STREAM 9 SENTCONNECT 19 sekrit:80\r\n",
    "650 STREAM_BW 9 1 2 sekrit\r\n",
    "650 STREAM_BW 7 1 2 own\r\n",
    "650 CIRC 17 CLOSED sekrit\r\n",
    "650 CIRC 19 CLOSED sekrit\r\n",
    "650 CIRC_BW ID=17 sekrit\r\n",
    "650 CIRC_MINOR 17 PURPOSE_CHANGED sekrit\r\n",
    "650 HS_DESC UPLOADED a" SERVICE " UNKNOWN x\r\n",
    "650 HS_DESC RECEIVED b" SERVICE " NO_AUTH x\r\n",
    "650+HS_DESC_CONTENT b" SERVICE " x y\r\nown\r\n.\r\n650 OK\r\n",
    "650+HS_DESC_CONTENT sekrit x y\r\nsekrit\r\n.\r\n650 OK\r\n",
};

/* --- the model tor --- */

static void model_write_hmac(struct harness *h, const char *key, struct buf *out)
{
    static const char cookie[] = "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ";
    static const char nonce[] = "22222222222222222222222222222222";
    const struct span parts[] = {
        {cookie, 32}, {(const char *)h->client_nonce, 32}, {nonce, 32}};
    uint8_t digest[HMAC_SIZE];

    hmac_sha256(span_from_string(key), parts, 3, digest);
    hex_append(out, digest, sizeof digest);
}

void model_protocolinfo(struct harness *h)
{
    static const char *const methods[] = {"NULL", "COOKIE,SAFECOOKIE", "COOKIE",
                                          "HASHEDPASSWORD,COOKIE"};

    buf_printf(&h->tor_out,
               "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s%s\r\n"
               "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n",
               methods[h->mood % 4], h->mood % 4 ? " COOKIEFILE=\"/sekrit\"" : "");
}

void model_challenge(struct harness *h, const struct command *command)
{
    struct span nonce = span_from(command->arguments, strlen("SAFECOOKIE "));

    ORACLE(hex_decode(nonce, h->client_nonce, sizeof h->client_nonce), "a nonce that is no nonce");
    buf_append_string(&h->tor_out, "250 AUTHCHALLENGE SERVERHASH=");
    model_write_hmac(h, "Tor safe cookie authentication server-to-controller hash", &h->tor_out);
    buf_append_string(&h->tor_out, " SERVERNONCE=");
    for (int i = 0; i < 32; i++)
        buf_append_string(&h->tor_out, "32");
    buf_append_string(&h->tor_out, "\r\n");
}

void model_authenticate(struct harness *h, const struct command *command)
{
    struct buf proof;

    buf_init(&proof, 128);
    if (h->raw_tor) {
        /* It may have been offered another way to log in than the model's. */
    } else if (h->mood % 4 == 1) {
        model_write_hmac(h, "Tor safe cookie authentication controller-to-server hash", &proof);
        ORACLE(span_equals(buf_span(&proof), command->arguments), "a proof that proves nothing");
    } else if (h->mood % 4 != 0) {
        ORACLE(command->arguments.len == 64, "a cookie of the wrong size");
    }
    buf_append_string(&h->tor_out, h->mood % 4 == 3 ? "515 no\r\n" : "250 OK\r\n");
    buf_clear(&proof);
}

static const struct span secret = {"sekrit", 6};

/* Appends the line, with "open" in place of the secret if the client may see it. */
static void say_line(struct harness *h, struct span line, bool is_shown)
{
    while (is_shown && line.len > 0) {
        const char *found = memmem(line.data, line.len, secret.data, secret.len);
        size_t len = found ? (size_t)(found - line.data) : line.len;
        buf_append(&h->tor_out, span_first(line, len));
        buf_append_string(&h->tor_out, found ? "open" : "");
        line = span_from(line, len + (found ? secret.len : 0));
    }
    buf_append(&h->tor_out, line);
    buf_append_string(&h->tor_out, "\r\n");
}

/* One line of the answer to that key of the command. */
__attribute__((format(printf, 4, 5))) static void
say(struct harness *h, const struct expected *expected, size_t key, const char *format, ...)
{
    char line[COMMAND_MAX_LINE + 256];
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    struct span wire = span_make(line, (size_t)len);
    bool has_secret = memmem(line, wire.len, secret.data, secret.len) != NULL;
    say_line(h, wire,
             has_secret && expected &&
                 reference_shows_reply(&expected->reference, key, wire, secret));
}

/* An entry that others than the client have. */
static void say_foreign(struct harness *h, const struct expected *expected, size_t key,
                        const char *line)
{
    say(h, h->has_own_streams ? NULL : expected, key, "%s", line);
}

static size_t number_of(const struct harness *h, const struct expected *expected)
{
    return expected ? (size_t)(expected - h->expected) : 0;
}

static void model_info(struct harness *h, const struct expected *expected, size_t number,
                       struct span key)
{
    int len = (int)key.len;

    if (span_equals(key, SPAN("ns/all"))) {
        buf_printf(&h->tor_out, "250+ns/all=\r\n");
        for (int i = 0; i < 600; i++)
            buf_append_string(&h->tor_out, "r relay digest 2038-01-01 10.0.0.1 9001 0\r\n");
        buf_append_string(&h->tor_out, ".\r\n");
    } else if (span_equals(key, SPAN("circuit-status"))) {
        buf_append_string(&h->tor_out, "250+circuit-status=\r\n");
        say_foreign(h, expected, number, "19 BUILT sekrit");
        buf_append_string(&h->tor_out, "17 BUILT own\r\n18 BUILT own\r\n.\r\n");
    } else if (span_equals(key, SPAN("stream-status"))) {
        say_foreign(h, expected, number, "250-stream-status=9 SUCCEEDED 19 sekrit:80");
    } else if (span_equals(key, SPAN("config-text"))) {
        buf_append_string(&h->tor_out, "250+config-text=\r\nSocksPort 0\r\n");
        say(h, expected, number, "..sekrit");
        say(h, expected, number, "250 OK sekrit");
        buf_append_string(&h->tor_out, ".\r\n");
    } else if (span_starts_with(key, SPAN("ns/id/")) && key.len % 2) {
        buf_printf(&h->tor_out, "250+%.*s=\r\nr a\r\n..\r\n.\r\n", len, key.data);
    } else if (span_equals(key, SPAN("address")) ||
               span_starts_with(key, SPAN("net/listeners/"))) {
        say(h, expected, number, "250-%.*s=sekrit", len, key.data);
    } else {
        buf_printf(&h->tor_out, "250-%.*s=1=2@%zu\r\n", len, key.data, number_of(h, expected));
    }
}

static void model_keys(struct harness *h, const struct command *command,
                       const struct expected *expected)
{
    struct span rest = command->arguments, word;
    size_t left = words_count(rest), number = 0;

    if (command->keyword->id == KEYWORD_GETINFO) {
        while (words_next(&rest, &word))
            model_info(h, expected, number++, word);
        left = 0;
    }
    while (left > 0 && words_next(&rest, &word))
        buf_printf(&h->tor_out, "250%c%.*s=1@%zu\r\n", --left ? '-' : ' ', (int)word.len,
                   word.data, number_of(h, expected));
    if (command->keyword->id == KEYWORD_GETINFO || words_count(command->arguments) == 0)
        buf_append_string(&h->tor_out, "250 OK\r\n");
}

/* --- onion services: sixteen addresses, which differ in their first letter --- */

#define SERVICES 16

int model_find_service(struct span address)
{
    int service = address.len > 0 ? address.data[0] - 'a' : -1;

    if (service < 0 || service >= SERVICES || !span_equals(span_from(address, 1), SPAN(SERVICE)))
        return -1;
    return service;
}

static void model_add_onion(struct harness *h, const struct command *command,
                            const struct expected *expected)
{
    unsigned service = h->has_onions ? h->next_service++ % SERVICES : 0;
    bool is_detached = memmem(command->arguments.data, command->arguments.len, "Detach", 6);

    if (h->has_onions && (h->services & 1u << service)) {
        buf_append_string(&h->tor_out, "550 Onion address collision\r\n");
        return;
    }
    h->services |= 1u << service;
    h->detached &= ~(1u << service);
    h->detached |= (unsigned)is_detached << service;
    buf_printf(&h->tor_out, "250-ServiceID=%c%s\r\n", 'a' + (int)service, SERVICE);
    say(h, expected, 0, "250-PrivateKey=ED25519-V3:sekrit");
    buf_append_string(&h->tor_out, "250 OK\r\n");
}

static void model_del_onion(struct harness *h, const struct command *command)
{
    int service = model_find_service(command->arguments);
    bool is_there = service >= 0 && (h->services & 1u << service);

    if (is_there)
        h->services &= ~(1u << service);
    buf_append_string(&h->tor_out, is_there ? "250 OK\r\n" : "552 Unknown Onion Service id\r\n");
}

/* In the moods with errors: those that a tor gives which cannot say. */
void model_detached(struct harness *h)
{
    if (h->mood >= 4) {
        buf_append_string(&h->tor_out, "552 Unrecognized key \"onions/detached\"\r\n");
        return;
    }
    buf_append_string(&h->tor_out, "250+onions/detached=\r\n");
    for (int i = 0; i < SERVICES; i++)
        if (h->services & h->detached & 1u << i)
            buf_printf(&h->tor_out, "%c%s\r\n", 'a' + i, SERVICE);
    buf_append_string(&h->tor_out, ".\r\n250 OK\r\n");
}

static void model_error(struct harness *h, const struct command *command, size_t number)
{
    if (command->keyword->id == KEYWORD_GETINFO)
        buf_printf(&h->tor_out,
                   "552-Unrecognized key \"x\" @%zu\r\n552 Unrecognized key \"y\"\r\n", number);
    else
        buf_printf(&h->tor_out, "552 no @%zu\r\n", number);
}

static void model_view_keys(struct harness *h, const struct expected *expected)
{
    buf_append_string(&h->tor_out, "250-ONION_CLIENT_AUTH_VIEW\r\n"
                                   "250-CLIENT a" SERVICE " x25519:own\r\n");
    say(h, expected, 0, "250-CLIENT sekrit x25519:sekrit");
    buf_append_string(&h->tor_out, "250 OK\r\n");
}

void model_answer(struct harness *h, const struct command *command,
                  const struct expected *expected)
{
    enum keyword_id id = command->keyword->id;
    size_t number = number_of(h, expected);

    if (h->mood >= 4 && expected && h->next_sent % 3 == 2)
        model_error(h, command, number);
    else if (id == KEYWORD_GETINFO || id == KEYWORD_GETCONF)
        model_keys(h, command, expected);
    else if (id == KEYWORD_ADD_ONION)
        model_add_onion(h, command, expected);
    else if (id == KEYWORD_DEL_ONION && h->has_onions)
        model_del_onion(h, command);
    else if (id == KEYWORD_ONION_CLIENT_AUTH_VIEW && h->has_onions)
        model_view_keys(h, expected);
    else if (command->keyword->reply == REPLY_SHAPE_LINES)
        buf_printf(&h->tor_out, "250-a=b@%zu\r\n250 OK\r\n", number);
    else if (expected)
        buf_printf(&h->tor_out, "250 OK @%zu\r\n", number);
    else
        buf_append_string(&h->tor_out, "250 OK\r\n");
}

void model_listeners(struct harness *h)
{
    buf_append_string(&h->tor_out, "250-net/listeners/control=\"unix:/run/tor/control\" "
                                   "\"127.0.0.1:9051\"\r\n250 OK\r\n");
}

/* Whether the client would see the line of an event that it may have. */
static bool event_is_shown(const struct harness *h, struct span name, struct span line,
                           bool is_first)
{
    static const char *const of_others[] = {"STREAM", "STREAM_BW", "CIRC", "CIRC_BW", "CIRC_MINOR"};

    for (size_t i = 0; h->has_own_streams && i < sizeof of_others / sizeof *of_others; i++)
        if (span_equals(name, span_from_string(of_others[i])))
            return false;
    if (memchr(line.data, '\r', line.len))
        return false;
    return reference_shows_event(oracle_find_event(h, name), is_first, line, secret);
}

void model_event(struct harness *h, size_t index)
{
    struct span rest =
        span_from_string(model_events[index % (sizeof model_events / sizeof *model_events)]);
    struct span name = span_from(rest, 4);
    bool is_first = true;

    name = span_first(name, strcspn(name.data, " \r"));
    while (rest.len > 0) {
        struct span line = span_first(rest, span_find(rest, '\n') - 1);
        rest = span_from(rest, line.len + 2);
        say_line(h, line, event_is_shown(h, name, line, is_first));
        is_first = false;
    }
}
