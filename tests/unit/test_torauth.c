/* Our login to tor: what is said to which offer, and that nothing is proved to an impostor. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "hmac.h"
#include "torauth.h"

/* As long as what secrets.c says of a cookie that it may not read, below a path of 128 bytes. */
#define FIFTY "12345678901234567890123456789012345678901234567890"
#define NO_COOKIE FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY " end"

static uint8_t the_cookie[TORAUTH_COOKIE_SIZE];

struct secrets {
    bool has_cookie;
    const char *password;
    char path[128]; /* of the cookie, as asked */
};

static bool read_cookie(void *context, const char *path, uint8_t cookie_out[TORAUTH_COOKIE_SIZE],
                        const char **reason_out)
{
    struct secrets *secrets = context;

    snprintf(secrets->path, sizeof secrets->path, "%s", path);
    memset(the_cookie, 0x5a, sizeof the_cookie);
    memcpy(cookie_out, the_cookie, sizeof the_cookie);
    *reason_out = NO_COOKIE;
    return secrets->has_cookie;
}

static bool read_password(void *context, struct buf *out, const char **reason_out)
{
    struct secrets *secrets = context;

    (void)reason_out;
    return secrets->password && buf_append_string(out, secrets->password);
}

static void nonce(void *context, uint8_t nonce_out[TORAUTH_NONCE_SIZE])
{
    (void)context;
    memset(nonce_out, 0x11, TORAUTH_NONCE_SIZE);
}

struct login {
    struct secrets known;
    struct torauth_secrets secrets;
    struct tor_facts facts;
    struct torauth auth;
    struct buf sent;
};

static void login_init(struct login *login, struct secrets known, bool asks_listeners)
{
    memset(login, 0, sizeof *login);
    login->known = known;
    login->secrets = (struct torauth_secrets){read_cookie, read_password, nonce, &login->known};
    tor_facts_init(&login->facts);
    torauth_init(&login->auth, &login->secrets, &login->facts, asks_listeners);
    buf_init(&login->sent, 65536);
    torauth_start(&login->auth, &login->sent);
}

static void login_clear(struct login *login)
{
    torauth_clear(&login->auth);
    tor_facts_clear(&login->facts);
    buf_clear(&login->sent);
}

/* Feeds tor's bytes, forgets what was sent before them. */
static enum torauth_state feed(struct login *login, const char *bytes)
{
    struct reply_reader reader;
    struct reply_line line;
    struct span rest = span_from_string(bytes);

    buf_reset(&login->sent);
    reply_reader_init(&reader);
    while (reply_reader_next(&reader, &rest, &line) == REPLY_LINE)
        if (torauth_feed(&login->auth, &line, &login->sent) == TORAUTH_FAILED)
            break;
    reply_reader_clear(&reader);
    return login->auth.state;
}

static bool sent(const struct login *login, const char *bytes)
{
    return span_equals(buf_span(&login->sent), span_from_string(bytes));
}

#define INFO(methods)                                                                              \
    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=" methods                                              \
    "\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"
#define COOKIE_HEX "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A"
#define NONCE_HEX "1111111111111111111111111111111111111111111111111111111111111111"

/* The end is what to do about it. */
Test(torauth, whole_reason)
{
    struct login login;

    login_init(&login, (struct secrets){false, NULL, ""}, false);
    feed(&login, INFO("COOKIE COOKIEFILE=\"/c\""));
    cr_expect_str_eq(login.auth.reason, NO_COOKIE);
    login_clear(&login);
}

Test(torauth, method_by_offer)
{
    static const struct {
        const char *info;
        bool has_cookie;
        const char *password;
        enum torauth_state state;
        const char *sent;
    } rows[] = {
        {INFO("NULL"), false, NULL, TORAUTH_AUTHENTICATE, "AUTHENTICATE\r\n"},
        {INFO("NULL,COOKIE,SAFECOOKIE COOKIEFILE=\"/c\""), true, NULL, TORAUTH_AUTHENTICATE,
         "AUTHENTICATE\r\n"},
        {INFO("COOKIE COOKIEFILE=\"/c\""), true, NULL, TORAUTH_AUTHENTICATE,
         "AUTHENTICATE " COOKIE_HEX "\r\n"},
        {INFO("COOKIE,SAFECOOKIE COOKIEFILE=\"/c\""), true, NULL, TORAUTH_CHALLENGE,
         "AUTHCHALLENGE SAFECOOKIE " NONCE_HEX "\r\n"},
        {INFO("SAFECOOKIE"), true, NULL, TORAUTH_CHALLENGE,
         "AUTHCHALLENGE SAFECOOKIE " NONCE_HEX "\r\n"},
        {INFO("HASHEDPASSWORD"), false, "a \"b\"", TORAUTH_AUTHENTICATE,
         "AUTHENTICATE 6120226222\r\n"},
        {INFO("HASHEDPASSWORD"), false, NULL, TORAUTH_FAILED, ""},
        {INFO("COOKIE,SAFECOOKIE,HASHEDPASSWORD COOKIEFILE=\"/c\""), false, "p",
         TORAUTH_AUTHENTICATE, "AUTHENTICATE 70\r\n"},
        {INFO("COOKIE,SAFECOOKIE COOKIEFILE=\"/c\""), false, "p", TORAUTH_FAILED, ""},
        {INFO("FINGERPRINT"), true, "p", TORAUTH_FAILED, ""},
        {"250-PROTOCOLINFO 1\r\n250 OK\r\n", true, "p", TORAUTH_FAILED, ""},
        {"250 OK\r\n", true, "p", TORAUTH_FAILED, ""},
        {"514 Authentication required.\r\n", true, "p", TORAUTH_FAILED, ""},
        {"650 CIRC 1 BUILT\r\n", true, "p", TORAUTH_FAILED, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct login login;
        login_init(&login, (struct secrets){rows[i].has_cookie, rows[i].password, ""}, false);
        cr_expect(sent(&login, "PROTOCOLINFO 1\r\n"), "row %zu: start", i);
        cr_expect_eq(feed(&login, rows[i].info), rows[i].state, "row %zu: state %d", i,
                     (int)login.auth.state);
        cr_expect(sent(&login, rows[i].sent), "row %zu: sent %.*s", i, (int)login.sent.len,
                  buf_span(&login.sent).data);
        cr_expect_eq(login.auth.state == TORAUTH_FAILED, login.auth.reason[0] != '\0',
                     "row %zu: a failure has a reason", i);
        login_clear(&login);
    }
}

Test(torauth, what_tor_tells)
{
    struct login login;

    login_init(&login, (struct secrets){.has_cookie = true}, false);
    feed(&login, INFO("COOKIE COOKIEFILE=\"/run/tor/a\\\"b\\303\\244\""));
    cr_expect_str_eq(login.facts.version, "0.4.9.11");
    cr_expect_str_eq(login.known.path, "/run/tor/a\"b\303\244");
    login_clear(&login);
}

/* A right server hash over the nonces that the test uses; `spoil` flips a bit of the cookie. */
static void make_challenge(char text_out[256], bool spoil)
{
    static const char key[] = "Tor safe cookie authentication server-to-controller hash";
    uint8_t cookie[32], client[32], server[32], hash[HMAC_SIZE];
    struct buf text;

    memset(cookie, 0x5a, 32);
    cookie[0] = (uint8_t)(cookie[0] ^ (spoil ? 1 : 0));
    memset(client, 0x11, 32);
    memset(server, 0x22, 32);
    const struct span parts[] = {
        {(char *)cookie, 32}, {(char *)client, 32}, {(char *)server, 32}};
    hmac_sha256(span_from_string(key), parts, 3, hash);
    buf_init(&text, 255);
    buf_append_string(&text, "250 AUTHCHALLENGE SERVERHASH=");
    hex_append(&text, hash, 32);
    buf_append_string(&text, " SERVERNONCE=");
    hex_append(&text, server, 32);
    buf_append_string(&text, "\r\n");
    memcpy(text_out, buf_span(&text).data, text.len);
    text_out[text.len] = '\0';
    buf_clear(&text);
}

Test(torauth, safecookie_answers_a_right_challenge)
{
    static const char key[] = "Tor safe cookie authentication controller-to-server hash";
    struct login login;
    char challenge[256];
    uint8_t server[32], client[32], proof[HMAC_SIZE];
    struct buf expected;

    login_init(&login, (struct secrets){.has_cookie = true}, true);
    feed(&login, INFO("COOKIE,SAFECOOKIE COOKIEFILE=\"/c\""));
    make_challenge(challenge, false);
    cr_expect_eq(feed(&login, challenge), TORAUTH_AUTHENTICATE);

    memset(client, 0x11, 32);
    memset(server, 0x22, 32);
    const struct span parts[] = {
        {(char *)the_cookie, 32}, {(char *)client, 32}, {(char *)server, 32}};
    hmac_sha256(span_from_string(key), parts, 3, proof);
    buf_init(&expected, 200);
    buf_append_string(&expected, "AUTHENTICATE ");
    hex_append(&expected, proof, 32);
    buf_append_string(&expected, "\r\nGETINFO net/listeners/control\r\n");
    cr_expect(span_equals(buf_span(&login.sent), buf_span(&expected)));
    buf_clear(&expected);

    cr_expect_eq(feed(&login, "250 OK\r\n"), TORAUTH_LISTENERS);
    cr_expect_eq(feed(&login, "250-net/listeners/control=\"127.0.0.1:9051\"\r\n250 OK\r\n"),
                 TORAUTH_DONE);
    cr_expect_eq(login.facts.control_count, 1);
    login_clear(&login);
}

Test(torauth, nothing_is_proved_to_an_impostor)
{
    static const char *const answers[] = {
        "250 AUTHCHALLENGE SERVERHASH=00 SERVERNONCE=00\r\n",
        "250 AUTHCHALLENGE\r\n",
        "250 OK\r\n",
        "250-AUTHCHALLENGE SERVERHASH=" NONCE_HEX " SERVERNONCE=" NONCE_HEX "\r\n",
        "250 AUTHCHALLENGE SERVERHASH=" NONCE_HEX " SERVERNONCE=" NONCE_HEX "\r\n",
        "250 AUTHCHALLENGE SERVERNONCE=" NONCE_HEX "\r\n",
        "513 no\r\n",
        NULL, /* a hash over another cookie */
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct login login;
        char challenge[256];
        login_init(&login, (struct secrets){.has_cookie = true, .password = "p"}, false);
        feed(&login, INFO("COOKIE,SAFECOOKIE,HASHEDPASSWORD COOKIEFILE=\"/c\""));
        make_challenge(challenge, true);
        cr_expect_eq(feed(&login, answers[i] ? answers[i] : challenge), TORAUTH_FAILED, "row %zu",
                     i);
        cr_expect_eq(login.sent.len, 0, "row %zu: something was sent", i);
        login_clear(&login);
    }
}

Test(torauth, refused)
{
    struct login login;

    login_init(&login, (struct secrets){.has_cookie = true}, true);
    feed(&login, INFO("COOKIE COOKIEFILE=\"/c\""));
    cr_expect_eq(feed(&login, "515 Authentication failed: Wrong length\r\n"), TORAUTH_FAILED);
    cr_expect(strstr(login.auth.reason, "515") != NULL);
    cr_expect(strstr(login.auth.reason, "Wrong") == NULL, "tor's text is not repeated");
    login_clear(&login);
}

Test(torauth, listeners)
{
    static const struct {
        const char *answer;
        enum torauth_state state;
        size_t count;
    } rows[] = {
        {"250-net/listeners/control=\"127.0.0.1:1\" \"unix:/c\"\r\n250 OK\r\n", TORAUTH_DONE, 2},
        {"250-net/listeners/control=\r\n250 OK\r\n", TORAUTH_DONE, 0},
        {"552 Unrecognized key \"net/listeners/control\"\r\n", TORAUTH_DONE, 0},
        {"250-net/listeners/control=garbage\r\n250 OK\r\n", TORAUTH_FAILED, 0},
        {"250-something=else\r\n250 OK\r\n", TORAUTH_FAILED, 0},
        {"250+net/listeners/control=\r\n.\r\n250 OK\r\n", TORAUTH_FAILED, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct login login;
        login_init(&login, (struct secrets){.has_cookie = true}, true);
        feed(&login, INFO("NULL"));
        cr_expect(sent(&login, "AUTHENTICATE\r\nGETINFO net/listeners/control\r\n"), "row %zu", i);
        feed(&login, "250 OK\r\n");
        cr_expect_eq(feed(&login, rows[i].answer), rows[i].state, "row %zu", i);
        cr_expect_eq(login.facts.control_count, rows[i].count, "row %zu", i);
        login_clear(&login);
    }
}
