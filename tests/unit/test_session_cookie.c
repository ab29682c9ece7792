/* How clients log in to us: what PROTOCOLINFO names, and who knows the cookie. */
#include <criterion/criterion.h>

#include "hex.h"
#include "hmac.h"
#include "session_world.h"

static const char text[] = "- name: app\n"
                           "  socket: true\n"
                           "  users: ['*']\n"
                           "  auth: {cookie: true}\n";

static struct session_cookie the_cookie = {
    .path = "/run/a \"b\"\\c/app.cookie",
    .bytes = {1, 2, 3, 0, 255, 128, 7},
};

static void open_world(struct world *world, bool has_cookie)
{
    world_init(world, text);
    world->cookie = has_cookie ? &the_cookie : NULL;
    tor_facts_set_version(&world->facts, SPAN("0.4.9.11"));
    world_open(world, 0, 0, 1);
}

/* "250 AUTHCHALLENGE SERVERHASH=... SERVERNONCE=..." as RFC and tor have it, for rig_nonce. */
static char *expected_answer(struct span client_nonce)
{
    static const char key[] = "Tor safe cookie authentication server-to-controller hash";
    uint8_t nonce[TORAUTH_NONCE_SIZE], digest[HMAC_SIZE];
    struct buf out;

    rig_nonce(NULL, nonce);
    const struct span parts[] = {
        {(const char *)the_cookie.bytes, sizeof the_cookie.bytes},
        client_nonce,
        {(const char *)nonce, sizeof nonce},
    };
    hmac_sha256(span_from_string(key), parts, 3, digest);
    buf_init(&out, 1024);
    buf_append_string(&out, "250 AUTHCHALLENGE SERVERHASH=");
    hex_append(&out, digest, sizeof digest);
    buf_append_string(&out, " SERVERNONCE=");
    hex_append(&out, nonce, sizeof nonce);
    buf_append_string(&out, "\r\n");
    char *answer = mem_copy_string(buf_span(&out));
    buf_clear(&out);
    return answer;
}

Test(session_cookie, greeting)
{
    struct world w;

    open_world(&w, true);
    world_client_says(&w, 0, "PROTOCOLINFO 1\r\nPROTOCOLINFO\r\n");
    static const char greeting[] =
        "250-PROTOCOLINFO 1\r\n"
        "250-AUTH METHODS=NULL,HASHEDPASSWORD,COOKIE,SAFECOOKIE "
        "COOKIEFILE=\"/run/a \\\"b\\\"\\\\c/app.cookie\"\r\n"
        "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n";
    char *twice = mem_printf("%s%s", greeting, greeting);
    world_expect(&w.clients[0].got, twice, "greeting");
    free(twice);
    world_clear(&w);
}

Test(session_cookie, without_one_nothing_is_said_of_cookies)
{
    struct world w;

    open_world(&w, false);
    world_client_says(&w, 0, "PROTOCOLINFO 1\r\nAUTHCHALLENGE SAFECOOKIE 00\r\n");
    world_expect(&w.clients[0].got,
                 "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n"
                 "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n" FILTERED,
                 "answers");
    world_clear(&w);
}

Test(session_cookie, challenges)
{
    static const struct {
        const char *arguments;
        struct span nonce; /* data NULL: refused with `code` */
        const char *code;
    } rows[] = {
        {"SAFECOOKIE 00ff7E", SPAN("\0\xff~"), NULL},
        {"SafeCookie  00Ff7e  ", SPAN("\0\xff~"), NULL},
        {"SAFECOOKIE \"\"", SPAN(""), NULL},
        {"SAFECOOKIE \"abc\"", SPAN("abc"), NULL},
        {"SAFECOOKIE \"a b=c\"", SPAN("a b=c"), NULL},
        {"SAFECOOKIE \"a\\\"b\\\\c\\n\"", SPAN("a\"b\\cn"), NULL},
        {"", {NULL, 0}, "512 "},
        {"SAFECOOKIE", {NULL, 0}, "512 "},
        {"SAFECOOKIE 00 11", {NULL, 0}, "512 "},
        {"SAFECOOKIE a=00", {NULL, 0}, "512 "},
        {"SAFECOOKIE \"abc", {NULL, 0}, "512 "},
        {"SAFECOOKIE \"abc\\\"", {NULL, 0}, "512 "},
        {"SAFECOOKIE \"abc\\", {NULL, 0}, "512 "},
        {"SAFECOOKIE \"abc\"x", {NULL, 0}, "512 "},
        {"SAFECOOKIE \"abc\" \"x\"", {NULL, 0}, "512 "},
        {"COOKIE 00", {NULL, 0}, "513 "},
        {"SAFECOOKIEX 00", {NULL, 0}, "513 "},
        {"SAFECOOKIE 000", {NULL, 0}, "513 "},
        {"SAFECOOKIE 0g", {NULL, 0}, "513 "},
        {"SAFECOOKIE 00\"11\"", {NULL, 0}, "513 "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        open_world(&w, true);
        char *says = mem_printf("AUTHCHALLENGE %s\r\n", rows[i].arguments);
        world_client_says(&w, 0, says);
        struct span got = buf_span(&w.clients[0].got);
        if (rows[i].nonce.data) {
            char *expected = expected_answer(rows[i].nonce);
            cr_expect(span_equals(got, span_from_string(expected)), "row %zu: got %.*s", i,
                      (int)got.len, got.data);
            free(expected);
        } else {
            cr_expect(span_starts_with(got, span_from_string(rows[i].code)) &&
                          rig_ends_with(got, SPAN("\r\n")) &&
                          span_find(got, '\n') == got.len - 1,
                      "row %zu: got %.*s", i, (int)got.len, got.data);
        }
        cr_expect_null(session_end_reason(w.clients[0].session), "row %zu", i);
        free(says);
        world_clear(&w);
    }
}

Test(session_cookie, a_long_nonce)
{
    struct world w;
    struct buf says, nonce;

    open_world(&w, true);
    buf_init(&says, COMMAND_MAX_LINE);
    buf_init(&nonce, COMMAND_MAX_LINE);
    buf_append_string(&says, "AUTHCHALLENGE SAFECOOKIE ");
    for (unsigned i = 0; i < 8000; i++) {
        buf_append_string(&says, "4a");
        buf_append_char(&nonce, 'J');
    }
    buf_append_string(&says, "\r\n");
    buf_append_char(&says, '\0');
    world_client_says(&w, 0, says.data);
    char *expected = expected_answer(buf_span(&nonce));
    world_expect(&w.clients[0].got, expected, "answer");
    free(expected);
    buf_clear(&says);
    buf_clear(&nonce);
    world_clear(&w);
}

Test(session_cookie, every_login_succeeds)
{
    static const char *const logins[] = {
        "AUTHENTICATE\r\n", "AUTHENTICATE 00\r\n", "AUTHENTICATE \"\"\r\n",
        "AUTHCHALLENGE SAFECOOKIE 00\r\nAUTHENTICATE 00\r\n",
    };

    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
        struct world w;
        open_world(&w, true);
        world_client_says(&w, 0, logins[i]);
        cr_expect(rig_ends_with(buf_span(&w.clients[0].got), SPAN("250 OK\r\n")), "row %zu", i);
        cr_expect_null(memmem(w.clients[0].reports.data, w.clients[0].reports.len, "refused", 7),
                       "row %zu", i);
        world_clear(&w);
    }
}

Test(session_cookie, it_is_the_sessions_own_copy)
{
    struct world w;
    struct session_cookie lent = the_cookie;
    char path[] = "/run/lent";

    lent.path = path;
    world_init(&w, text);
    w.cookie = &lent;
    tor_facts_set_version(&w.facts, SPAN("0.4.9.11"));
    world_open(&w, 0, 0, 1);
    memset(&lent, 0, sizeof lent);
    memset(path, 'x', sizeof path - 1);
    world_client_says(&w, 0, "PROTOCOLINFO\r\n");
    cr_expect(memmem(w.clients[0].got.data, w.clients[0].got.len, "\"/run/lent\"", 11) != NULL);
    buf_reset(&w.clients[0].got);
    world_client_says(&w, 0, "AUTHCHALLENGE SAFECOOKIE \"n\"\r\n");
    char *expected = expected_answer(SPAN("n"));
    world_expect(&w.clients[0].got, expected, "answer");
    free(expected);
    world_clear(&w);
}
