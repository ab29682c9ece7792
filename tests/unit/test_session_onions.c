/* What of tor's is whose, across sessions: services that were detached, keys, limits, a lost tor.
 * Dialogues of one session are in tests/conversations (onions-*.txt). */
#include <criterion/criterion.h>

#include "complain.h"
#include "session_world.h"

#define A55 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ADDRESS(letter) A55 letter
#define X ADDRESS("d")
#define Y "b" ADDRESS("")
#define KEY "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NONE "250-onions/detached=\r\n250 OK\r\n"
#define ADD "ADD_ONION NEW:BEST Port=80,8080\r\n"
#define ADD_DETACHED "ADD_ONION NEW:BEST Flags=Detach Port=80,8080\r\n"
#define SENT_ADD "ADD_ONION NEW:BEST Port=80,127.0.0.1:8080\r\n"
#define SENT_DETACHED "ADD_ONION NEW:BEST Flags=Detach Port=80,127.0.0.1:8080\r\n"
#define MADE(address) "250-ServiceID=" address "\r\n250 OK\r\n"
#define CREATED(address) "650 HS_DESC CREATED " address " UNKNOWN UNKNOWN d\r\n"

#define COMMON                                                                                     \
    "  socket: true\n"                                                                             \
    "  users: ['*']\n"                                                                             \
    "  commands:\n"                                                                                \
    "    GETINFO: [version]\n"                                                                     \
    "  onions:\n"                                                                                  \
    "    create:\n"                                                                                \
    "      virtual-ports: [80]\n"                                                                  \
    "      targets: [8080]\n"                                                                      \
    "      flags: [Detach]\n"                                                                      \
    "      max-services: 3\n"                                                                      \
    "    delete: own\n"                                                                            \
    "    events: own\n"                                                                            \
    "    client-auth-keys: own\n"

static const char text[] = "- name: one\n" COMMON "- name: two\n" COMMON
                           /* Patterns for ADD_ONION, `onions` for the rest. */
                           "- name: old\n"
                           "  socket: true\n"
                           "  users: ['*']\n"
                           "  commands:\n"
                           "    ADD_ONION: ['.*']\n"
                           "  onions: {delete: own}\n"
                           /* No limit but the session's own. */
                           "- name: free\n"
                           "  socket: true\n"
                           "  users: ['*']\n"
                           "  onions:\n"
                           "    create: {virtual-ports: [80], targets: [8080]}\n"
                           "    delete: own\n"
                           "- name: any-key\n"
                           "  socket: true\n"
                           "  users: ['*']\n"
                           "  commands:\n"
                           "    ONION_CLIENT_AUTH_ADD: ['.*']\n"
                           "  onions: {delete: own}\n";

enum { ONE, TWO, OLD, FREE, ANY_KEY };

static struct onion_address address_of(const char *name)
{
    struct onion_address address;

    cr_assert(onion_address_read(span_from_string(name), &address));
    return address;
}

static bool has_service(const struct world *world, const char *profile, const char *name)
{
    struct onion_address address = address_of(name);

    return onion_registry_has(&world->registry, profile, &address);
}

/* A logged-in session of that profile. */
static void open_session(struct world *world, size_t client, size_t profile)
{
    world_open(world, client, profile, 1);
    world_client_says(world, client, "GETINFO nothing\r\nHSFETCH x\r\n");
    world_expect(&world->clients[client].got, FILTERED FILTERED, "refused");
    session_tor_connected(world->clients[client].session);
    world_drain(&world->clients[client]);
    buf_reset(&world->clients[client].tor);
    world_tor_says(world, client, WORLD_LOGIN "250 OK\r\n" WORLD_LISTENERS);
    world_tor_says(world, client, "552 Unrecognized key\r\n");
    cr_assert(session_is_logged_in(world->clients[client].session));
    buf_reset(&world->clients[client].tor);
    buf_reset(&world->clients[client].reports);
}

/* The same where the session may do anything, as in complain mode. */
static void open_session_of(struct world *world, size_t client, size_t profile)
{
    world_open(world, client, profile, 1);
    session_tor_connected(world->clients[client].session);
    world_drain(&world->clients[client]);
    world_tor_says(world, client, WORLD_LOGIN "250 OK\r\n");
    for (int i = 0; i < 2 && !session_is_logged_in(world->clients[client].session); i++)
        world_tor_says(world, client, "552 Unrecognized key\r\n");
    cr_assert(session_is_logged_in(world->clients[client].session));
    buf_reset(&world->clients[client].tor);
}

/* The client says it, tor gets `sent` and answers, the client gets `got`. */
static void exchange(struct world *world, size_t client, const char *says, const char *sent,
                     const char *answer, const char *got)
{
    struct world_client *c = &world->clients[client];

    world_client_says(world, client, says);
    world_expect(&c->tor, sent, says);
    world_tor_says(world, client, answer);
    world_expect(&c->got, got ? got : answer, says);
}

static void detach(struct world *world, size_t client, const char *address)
{
    char *answer = mem_printf("250-ServiceID=%s\r\n250 OK\r\n", address);

    exchange(world, client, ADD_DETACHED, SENT_DETACHED, answer, NULL);
    free(answer);
}

Test(session_onions, a_detached_service_belongs_to_the_profile)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    detach(&w, 0, X);
    world_close(&w, 0);
    cr_expect(has_service(&w, "one", X), "it outlives its session");
    open_session(&w, 1, TWO);
    exchange(&w, 1, "DEL_ONION " X "\r\n", "", "", FILTERED);
    open_session(&w, 2, ONE);
    exchange(&w, 2, "DEL_ONION " X "\r\n", "DEL_ONION " X "\r\n", "552 Unknown\r\n", NULL);
    cr_expect(has_service(&w, "one", X), "a failed command changes nothing");
    exchange(&w, 2, "DEL_ONION " X "\r\n", "DEL_ONION " X "\r\n", "250 OK\r\n", NULL);
    exchange(&w, 2, "DEL_ONION " X "\r\n", "", "", FILTERED);
    cr_expect_not(has_service(&w, "one", X));
    world_clear(&w);
}

Test(session_onions, another_session_of_the_profile_has_no_service_of_a_connection)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    open_session(&w, 1, ONE);
    exchange(&w, 0, ADD, SENT_ADD, MADE(X), NULL);
    exchange(&w, 1, "DEL_ONION " X "\r\n", "", "", FILTERED);
    world_close(&w, 0);
    exchange(&w, 1, "DEL_ONION " X "\r\n", "", "", FILTERED);
    world_clear(&w);
}

Test(session_onions, an_address_goes_with_who_has_it_now)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    open_session(&w, 1, TWO);
    detach(&w, 0, X);
    /* tor says that it exists: still the first one's. */
    exchange(&w, 1, ADD_DETACHED, SENT_DETACHED, "550 Onion address collision\r\n", NULL);
    cr_expect(has_service(&w, "one", X) && !has_service(&w, "two", X));
    /* It was gone without our knowing. */
    detach(&w, 1, X);
    cr_expect(!has_service(&w, "one", X) && has_service(&w, "two", X));
    exchange(&w, 0, "DEL_ONION " X "\r\n", "", "", FILTERED);
    exchange(&w, 0, ADD, SENT_ADD, MADE(X), NULL);
    cr_expect_not(has_service(&w, "two", X), "no detached one any more");
    exchange(&w, 1, "DEL_ONION " X "\r\n", "", "", FILTERED);
    world_clear(&w);
}

Test(session_onions, patterns_make_services_that_are_known_too)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, OLD);
    detach(&w, 0, X);
    cr_expect(has_service(&w, "old", X));
    exchange(&w, 0, ADD, SENT_ADD, MADE(Y), NULL);
    exchange(&w, 0, "DEL_ONION " Y "\r\n", "DEL_ONION " Y "\r\n", "250 OK\r\n", NULL);
    world_close(&w, 0);
    open_session(&w, 1, OLD);
    exchange(&w, 1, "DEL_ONION " Y "\r\n", "", "", FILTERED);
    exchange(&w, 1, "DEL_ONION " X "\r\n", "DEL_ONION " X "\r\n", "250 OK\r\n", NULL);
    world_clear(&w);
}

Test(session_onions, events_of_detached_services_are_the_profiles)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    open_session(&w, 1, ONE);
    open_session(&w, 2, TWO);
    for (size_t i = 0; i < 3; i++)
        exchange(&w, i, "SETEVENTS HS_DESC\r\n", "SETEVENTS HS_DESC\r\n", "250 OK\r\n", NULL);
    exchange(&w, 0, ADD, SENT_ADD, MADE(Y), NULL);
    detach(&w, 0, X);
    for (size_t i = 0; i < 3; i++)
        world_tor_says(&w, i, CREATED(X) CREATED(Y) "650 HS_DESC REQUESTED " X " NO_AUTH x d\r\n");
    world_expect(&w.clients[0].got, CREATED(X) CREATED(Y), "its own");
    world_expect(&w.clients[1].got, CREATED(X), "the profile's");
    world_expect(&w.clients[2].got, "", "another's");
    world_clear(&w);
}

/* What is known to be detached, and what tor says of it at the next login. */
/* A failed visit of somebody on this machine is none of the service's business. */
Test(session_onions, visits_to_an_own_service_are_not_shown)
{
    static const struct {
        const char *event;
        bool is_shown;
    } rows[] = {
        {"650 HS_DESC FAILED " X " NO_AUTH $F d REASON=UPLOAD_REJECTED\r\n", true},
        {"650 HS_DESC FAILED " X " UNKNOWN $F REASON=UNEXPECTED\r\n", true},
        {"650 HS_DESC FAILED " X " NO_AUTH $F d REASON=NOT_FOUND\r\n", false},
        {"650 HS_DESC FAILED " X " NO_AUTH $F d REASON=BAD_DESC\r\n", false},
        {"650 HS_DESC FAILED " X " NO_AUTH $F d REASON=QUERY_REJECTED\r\n", false},
        {"650 HS_DESC FAILED " X " NO_AUTH UNKNOWN d REASON=QUERY_NO_HSDIR\r\n", false},
        {"650 HS_DESC FAILED " X " NO_AUTH UNKNOWN d REASON=QUERY_RATE_LIMITED\r\n", false},
        {"650 HS_DESC FAILED " X " NO_AUTH $F d\r\n", false},
        {"650 HS_DESC FAILED " X " REASON=UPLOAD_REJECTED NO_AUTH $F d REASON=NOT_FOUND\r\n", false},
        {"650 HS_DESC REQUESTED " X " NO_AUTH $F d\r\n", false},
        {"650 HS_DESC RECEIVED " X " NO_AUTH $F d\r\n", false},
    };
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    exchange(&w, 0, "SETEVENTS HS_DESC\r\n", "SETEVENTS HS_DESC\r\n", "250 OK\r\n", NULL);
    exchange(&w, 0, ADD, SENT_ADD, MADE(X), NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_tor_says(&w, 0, rows[i].event);
        world_expect(&w.clients[0].got, rows[i].is_shown ? rows[i].event : "", rows[i].event);
    }
    world_clear(&w);
}

Test(session_onions, a_restart_of_tor_is_noticed_at_login)
{
    static const struct {
        const char *reply;
        bool has_x, has_y;
    } rows[] = {
        {NONE, false, false},
        {"250-onions/detached=" X "\r\n250 OK\r\n", true, false},
        {"250-onions/detached=" Y "\r\n250 OK\r\n", false, true},
        {"250+onions/detached=\r\n" Y "\r\nother\r\n" X "\r\n.\r\n250 OK\r\n", true, true},
        {"250+onions/detached=\r\n.\r\n250 OK\r\n", false, false},
        {"552 Unrecognized key \"onions/detached\"\r\n", true, true},
        {"551 No onion services of the specified type.\r\n", true, true},
        {"552-a\r\n552 b\r\n", true, true},
        {"250 OK\r\n", true, true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        world_init(&w, text);
        open_session(&w, 0, ONE);
        detach(&w, 0, X);
        detach(&w, 0, Y);
        session_tor_lost(w.clients[0].session, "closed");
        cr_expect_null(session_end_reason(w.clients[0].session), "row %zu", i);
        cr_expect(has_service(&w, "one", X), "row %zu: lost is not restarted", i);
        world_client_says(&w, 0, "GETINFO version\r\n");
        world_log_in(&w, 0, rows[i].reply);
        world_expect(&w.clients[0].tor, "GETINFO version\r\n", rows[i].reply);
        cr_expect_eq(has_service(&w, "one", X), rows[i].has_x, "row %zu: X", i);
        cr_expect_eq(has_service(&w, "one", Y), rows[i].has_y, "row %zu: Y", i);
        world_clear(&w);
    }
}

Test(session_onions, a_list_that_does_not_parse_is_no_login)
{
    static const char *const replies[] = {
        "250-onions/current=\r\n", "250 OK\r\n250 OK\r\n", "250-x\r\n", "650 X\r\n",
        "250+config-text=\r\n",
    };

    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct world w;
        world_init(&w, text);
        world_open(&w, 0, ONE, 1);
        world_client_says(&w, 0, "GETINFO version\r\n");
        session_tor_connected(w.clients[0].session);
        world_tor_says(&w, 0, WORLD_LOGIN "250 OK\r\n" WORLD_LISTENERS);
        world_tor_says(&w, 0, replies[i]);
        cr_expect(session_drops_tor(w.clients[0].session) ||
                      session_end_reason(w.clients[0].session),
                  "row %zu", i);
        world_clear(&w);
    }
}

Test(session_onions, what_is_detached_while_the_question_is_open_stays)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    detach(&w, 0, Y);
    world_open(&w, 1, ONE, 1);
    world_client_says(&w, 1, "GETINFO version\r\n");
    session_tor_connected(w.clients[1].session);
    world_tor_says(&w, 1, WORLD_LOGIN);
    detach(&w, 0, X);
    world_tor_says(&w, 1, "250 OK\r\n" WORLD_LISTENERS NONE);
    cr_expect(session_is_logged_in(w.clients[1].session));
    cr_expect(has_service(&w, "one", X), "tor was asked before it existed");
    cr_expect_not(has_service(&w, "one", Y));
    world_clear(&w);
}

Test(session_onions, only_profiles_that_need_the_list_ask_for_it)
{
    static const char plain[] = "- name: plain\n  socket: true\n  users: ['*']\n"
                                "  commands: {GETINFO: [version]}\n"
                                "- name: keys\n  socket: true\n  users: ['*']\n"
                                "  onions: {client-auth-keys: own, fetch: true}\n"
                                "- name: delete\n  socket: true\n  users: ['*']\n"
                                "  onions: {delete: own}\n";

    for (size_t i = 0; i < 3; i++) {
        struct world w;
        world_init(&w, plain);
        world_open(&w, 0, i, 1);
        session_tor_connected(w.clients[0].session);
        world_drain(&w.clients[0]);
        buf_reset(&w.clients[0].tor);
        world_tor_says(&w, 0, WORLD_LOGIN);
        world_expect(&w.clients[0].tor,
                     i < 2 ? "AUTHENTICATE\r\n" : "AUTHENTICATE\r\nGETINFO onions/detached\r\n",
                     "login");
        world_clear(&w);
    }
}

Test(session_onions, limits_hold_across_sessions)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    open_session(&w, 1, ONE);
    detach(&w, 0, X);
    world_client_says(&w, 0, ADD_DETACHED);
    world_client_says(&w, 1, ADD_DETACHED);
    /* Three of the profile's three: the other session's are on their way, so nothing is waited for. */
    exchange(&w, 0, ADD ADD, SENT_DETACHED, "", "");
    buf_reset(&w.clients[0].tor);
    world_tor_says(&w, 0, MADE(Y));
    world_expect(&w.clients[0].got, MADE(Y) FILTERED FILTERED, "refused");
    /* What came of the second session's nobody knows, until tor lists what there is. */
    session_tor_lost(w.clients[1].session, "closed");
    exchange(&w, 0, ADD, "", "", FILTERED);
    buf_reset(&w.clients[1].tor);
    world_client_says(&w, 1, "GETINFO version\r\n");
    world_log_in(&w, 1, "250+onions/detached=\r\n" X "\r\n" Y "\r\n.\r\n250 OK\r\n");
    exchange(&w, 0, ADD, SENT_ADD, MADE(A55 "e"), NULL);
    exchange(&w, 0, ADD, "", "", FILTERED);
    world_clear(&w);
}

/* Whose reply nobody waits for any more may have been carried out all the same: a client that has
 * its sessions ended must not get more services by it than it may have. */
Test(session_onions, a_service_whose_reply_never_came_keeps_its_place)
{
    static const struct {
        const char *listed;
        const char *sent;
    } rows[] = {
        {NONE, ADD},
        {"250-onions/detached=" X "\r\n250 OK\r\n", ""},
        {"250+onions/detached=\r\n" X "\r\n" Y "\r\n.\r\n250 OK\r\n", ""},
        {"552 Unrecognized key\r\n", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        world_init(&w, text);
        open_session(&w, 0, ONE);
        world_client_says(&w, 0, ADD_DETACHED ADD_DETACHED ADD_DETACHED);
        session_end(w.clients[0].session, "another process wrote");
        world_close(&w, 0);
        cr_expect_eq(onion_registry_count(&w.registry, "one"), 3, "row %zu", i);
        world_open(&w, 1, ONE, 1);
        world_client_says(&w, 1, ADD);
        world_log_in(&w, 1, rows[i].listed);
        world_expect(&w.clients[1].tor, *rows[i].sent ? SENT_ADD : "", rows[i].listed);
        world_clear(&w);
        cr_expect_null(w.registry.owners, "row %zu", i);
    }
}

/* One that is lost after tor was asked for its list may not stand in it yet. */
Test(session_onions, a_list_that_was_asked_for_before_settles_nothing)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    world_open(&w, 1, ONE, 1);
    world_client_says(&w, 1, "GETINFO version\r\n");
    session_tor_connected(w.clients[1].session);
    world_tor_says(&w, 1, WORLD_LOGIN);
    world_client_says(&w, 0, ADD_DETACHED);
    world_close(&w, 0);
    world_tor_says(&w, 1, "250 OK\r\n" WORLD_LISTENERS NONE);
    cr_expect_eq(onion_registry_count(&w.registry, "one"), 1);
    world_clear(&w);
}

Test(session_onions, a_place_is_given_back_when_tor_has_said_what_came_of_it)
{
    enum { ANSWER, REFUSAL, LOSS, SILENCE, NONSENSE, GONE, CLOSED, WAYS };

    for (int way = 0; way < WAYS; way++) {
        struct world w;
        struct onion_address x = address_of(X);
        world_init(&w, text);
        open_session(&w, 0, ONE);
        world_client_says(&w, 0, ADD_DETACHED "ONION_CLIENT_AUTH_ADD " X " " KEY "\r\n" ADD_DETACHED);
        cr_expect_eq(onion_registry_count(&w.registry, "one"), 2, "way %d", way);
        cr_expect_eq(onion_registry_key_begin(&w.registry, "two", &x), ONION_KEY_TAKEN);
        if (way == ANSWER)
            world_tor_says(&w, 0, MADE(X) "251 existed\r\n" MADE(Y));
        else if (way == REFUSAL)
            world_tor_says(&w, 0, "551 no\r\n553 no\r\n512 no\r\n");
        else if (way == LOSS)
            session_tor_lost(w.clients[0].session, "closed");
        else if (way == SILENCE)
            session_tor_silent(w.clients[0].session);
        else if (way == NONSENSE)
            world_tor_says(&w, 0, "250-ServiceID=" X "\r\nwhat\r\n");
        else if (way == GONE)
            session_client_gone(w.clients[0].session);
        world_close(&w, 0);
        /* Without a reply, tor may have done it. */
        cr_expect_eq(onion_registry_count(&w.registry, "one"), way == REFUSAL ? 0 : 2, "way %d", way);
        cr_expect_eq(onion_registry_key_has(&w.registry, "one", &x), way != REFUSAL, "way %d", way);
        cr_expect_eq(w.registry.services.on_way, way == ANSWER || way == REFUSAL ? 0 : 2, "way %d",
                     way);
        cr_expect_eq(w.registry.owners == NULL, way == REFUSAL, "way %d", way);
        world_clear(&w);
    }
}

Test(session_onions, the_session_has_a_limit_where_the_profile_names_none)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, FREE);
    for (unsigned i = 0; i < SESSION_MAX_SERVICES; i++) {
        char *answer = mem_printf("250-ServiceID=service%u\r\n250 OK\r\n", i);
        exchange(&w, 0, ADD, SENT_ADD, answer, NULL);
        free(answer);
    }
    exchange(&w, 0, ADD, "", "", FILTERED);
    exchange(&w, 0, "DEL_ONION " X "\r\n", "", "", FILTERED);
    world_clear(&w);
}

Test(session_onions, services_without_a_name_end_the_session_too)
{
    static const char *const replies[] = {"250 OK\r\n", "250-ServiceID=\r\n250 OK\r\n",
                                          "250-ServiceID=a b\r\n250 OK\r\n",
                                          "250-Other=x\r\n250 OK\r\n"};

    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct world w;
        world_init(&w, text);
        open_session(&w, 0, ONE);
        exchange(&w, 0, ADD, SENT_ADD, replies[i], NULL);
        session_tor_lost(w.clients[0].session, "closed");
        cr_expect(session_end_reason(w.clients[0].session), "row %zu", i);
        world_clear(&w);
    }
}

Test(session_onions, keys_of_two_profiles)
{
    static const char add[] = "ONION_CLIENT_AUTH_ADD " X " " KEY "\r\n";
    static const char remove[] = "ONION_CLIENT_AUTH_REMOVE " X "\r\n";
    static const char view[] = "ONION_CLIENT_AUTH_VIEW\r\n";
    static const char list[] = "250-ONION_CLIENT_AUTH_VIEW\r\n250-CLIENT " X " x25519:k\r\n250 OK\r\n";
    static const char nothing[] = "250-ONION_CLIENT_AUTH_VIEW\r\n250 OK\r\n";
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    open_session(&w, 1, TWO);
    open_session(&w, 2, ONE);
    world_client_says(&w, 0, add);
    exchange(&w, 1, add, "", "", FILTERED);
    exchange(&w, 2, view, view, list, nothing);
    world_tor_says(&w, 0, "252 registered and decrypted\r\n");
    exchange(&w, 1, add, "", "", FILTERED);
    exchange(&w, 1, remove, "", "", FILTERED);
    exchange(&w, 1, view, view, list, nothing);
    world_close(&w, 0);
    exchange(&w, 2, view, view, list, NULL);
    exchange(&w, 2, view, view, "551 no\r\n", NULL);
    exchange(&w, 2, remove, remove, "512 no\r\n", NULL);
    exchange(&w, 2, remove, remove, "250 OK\r\n", NULL);
    exchange(&w, 1, add, add, "250 OK\r\n", NULL);
    exchange(&w, 2, remove, "", "", FILTERED);
    world_clear(&w);
}

/* tor keeps one key for an address, the last one: whoever added that has it. */
Test(session_onions, a_key_that_was_replaced_is_no_longer_ones_own)
{
    static const char add[] = "ONION_CLIENT_AUTH_ADD " X " " KEY "\r\n";
    static const char remove[] = "ONION_CLIENT_AUTH_REMOVE " X "\r\n";
    static const char view[] = "ONION_CLIENT_AUTH_VIEW\r\n";
    static const char list[] = "250-ONION_CLIENT_AUTH_VIEW\r\n250-CLIENT " X " x25519:k\r\n250 OK\r\n";
    static const char nothing[] = "250-ONION_CLIENT_AUTH_VIEW\r\n250 OK\r\n";
    enum { PATTERN, COMPLAIN, WAYS };
    enum { BEFORE, FAILED, ON_WAY, TIMES };

    for (int way = 0; way < WAYS; way++)
        for (int time = 0; time < TIMES; time++) {
            struct world w;
            world_init(&w, text);
            open_session(&w, 0, ONE);
            if (way == COMPLAIN)
                policy_set_complain(w.policy, complain_file_new());
            open_session_of(&w, 1, way == COMPLAIN ? TWO : ANY_KEY);
            world_client_says(&w, 0, add);
            if (time != ON_WAY)
                world_tor_says(&w, 0, "250 OK\r\n");
            buf_reset(&w.clients[0].tor);
            buf_reset(&w.clients[0].got);
            exchange(&w, 1, add, add, time == FAILED ? "512 no\r\n" : "251 replaced\r\n", NULL);
            if (time == ON_WAY) {
                world_tor_says(&w, 0, "251 replaced\r\n");
                buf_reset(&w.clients[0].got);
            }
            exchange(&w, 0, view, view, list, time == FAILED ? NULL : nothing);
            if (time != FAILED)
                exchange(&w, 0, remove, "", "", FILTERED);
            world_clear(&w);
        }
}

/* Where several profiles serve a client, it may do what any of them allows: one that allows its own
 * services only takes nothing from one that allows all. */
Test(session_onions, patterns_of_another_profile_allow_more_than_own)
{
    static const char both[] = "- name: own\n  socket: true\n  users: ['*']\n"
                               "  onions: {delete: own, client-auth-keys: own}\n"
                               "- name: all\n  socket: true\n  users: ['*']\n"
                               "  commands:\n    DEL_ONION: ['a{55}d']\n"
                               "    ONION_CLIENT_AUTH_VIEW: ['']\n"
                               "    ONION_CLIENT_AUTH_REMOVE: [{pattern: '.*', reply: ['512 no']}]\n";
    static const char list[] = "250-ONION_CLIENT_AUTH_VIEW\r\n250-CLIENT " X " x25519:k\r\n250 OK\r\n";
    struct world w;

    world_init(&w, both);
    world_open(&w, 0, 0, 2);
    world_client_says(&w, 0, "DEL_ONION " X "\r\n");
    session_tor_connected(w.clients[0].session);
    world_drain(&w.clients[0]);
    world_tor_says(&w, 0, WORLD_LOGIN "250 OK\r\n" NONE);
    buf_consume(&w.clients[0].tor, strlen("PROTOCOLINFO 1\r\nAUTHENTICATE\r\n"
                                          "GETINFO onions/detached\r\n"));
    world_expect(&w.clients[0].tor, "DEL_ONION " X "\r\n", "by the pattern");
    world_tor_says(&w, 0, "250 OK\r\n");
    world_expect(&w.clients[0].got, "250 OK\r\n", "by the pattern");
    exchange(&w, 0, "DEL_ONION " Y "\r\n", "", "", FILTERED);
    exchange(&w, 0, "ONION_CLIENT_AUTH_VIEW\r\n", "ONION_CLIENT_AUTH_VIEW\r\n", list, NULL);
    /* A refusal of the later profile's own is none for what the first may allow. */
    exchange(&w, 0, "ONION_CLIENT_AUTH_REMOVE " X "\r\n", "", "", FILTERED);
    world_clear(&w);
}

Test(session_onions, several_profiles_of_one_client)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, TWO);
    detach(&w, 0, X);
    world_open(&w, 1, ONE, 2);
    world_client_says(&w, 1, "GETINFO version\r\n");
    world_log_in(&w, 1, "552 no\r\n");
    buf_reset(&w.clients[1].tor);
    world_tor_says(&w, 1, "250-version=1\r\n250 OK\r\n");
    buf_reset(&w.clients[1].got);
    exchange(&w, 1, "DEL_ONION " X "\r\n", "DEL_ONION " X "\r\n", "250 OK\r\n", NULL);
    detach(&w, 1, Y);
    cr_expect(has_service(&w, "one", Y), "by the profile that allowed it");
    world_clear(&w);
}

/* --- what the observer hears --- */

Test(session_onions, each_command_is_reported_once_when_it_is_decided)
{
    struct world w;

    world_init(&w, text);
    open_session(&w, 0, ONE);
    world_client_says(&w, 0, ADD "DEL_ONION " X "\r\nGETINFO version\r\nDEL_ONION " X "\r\n");
    world_expect(&w.clients[0].reports,
                 "allowed ADD_ONION Port=\nallowed GETINFO version\n", "first");
    world_tor_says(&w, 0, MADE(X));
    world_expect(&w.clients[0].reports, "allowed DEL_ONION ...\n", "known now");
    world_tor_says(&w, 0, "250 OK\r\n");
    world_expect(&w.clients[0].reports,
                 "refused DEL_ONION ...: the onion service is not the client's own\n", "last");
    cr_expect_eq(w.clients[0].problems, 0);
    world_clear(&w);
}

Test(session_onions, what_never_has_its_turn_is_reported_once_too)
{
    static const char waits[] = "DEL_ONION " X "\r\n";
    static const char allowed[] = "allowed DEL_ONION ...\n";
    enum { ABSENT, LOST, FAILED, ENDED, WAYS };

    for (int way = 0; way < WAYS; way++) {
        struct world w;
        world_init(&w, text);
        if (way == ABSENT) {
            world_open(&w, 0, ONE, 1);
            world_client_says(&w, 0, waits);
            session_tor_lost(w.clients[0].session, "Connection refused");
        } else {
            open_session(&w, 0, ONE);
            world_client_says(&w, 0, ADD);
            buf_reset(&w.clients[0].reports);
            world_client_says(&w, 0, waits);
            world_expect(&w.clients[0].reports, "", "not yet");
        }
        if (way == LOST)
            session_tor_lost(w.clients[0].session, "closed");
        else if (way == FAILED)
            session_tor_silent(w.clients[0].session);
        else if (way == ENDED)
            session_end(w.clients[0].session, "stopped");
        session_end(w.clients[0].session, "again");
        world_expect(&w.clients[0].reports,
                     way == ENDED ? "refused DEL_ONION ...: the session ended before the command's "
                                    "turn came\n"
                                  : allowed,
                     "once");
        world_clear(&w);
    }
}

Test(session_onions, a_forbidden_target_is_a_refusal)
{
    static const char port[] = "- name: port\n  socket: true\n  users: ['*']\n"
                               "  onions:\n"
                               "    create: {virtual-ports: [80], targets: [9051]}\n";
    struct world w;

    world_init(&w, port);
    world_open(&w, 0, 0, 1);
    world_client_says(&w, 0, "ADD_ONION NEW:BEST Port=80,9051\r\n");
    session_tor_connected(w.clients[0].session);
    world_tor_says(&w, 0, WORLD_LOGIN);
    buf_reset(&w.clients[0].tor);
    world_tor_says(&w, 0,
                   "250 OK\r\n250-net/listeners/control=\"127.0.0.1:9051\"\r\n250 OK\r\n" NONE);
    world_expect(&w.clients[0].tor, "", "not sent");
    world_expect(&w.clients[0].got, FILTERED, "refused");
    world_expect(&w.clients[0].reports,
                 "refused ADD_ONION Port=: an onion-service target is tor's control port or a "
                 "socket of onion-grater\n",
                 "told");
    cr_expect_eq(w.clients[0].problems, 0, "and told once");
    world_clear(&w);
}

Test(session_onions, complain_mode_lets_others_services_pass)
{
    struct world w;

    world_init(&w, text);
    policy_set_complain(w.policy, complain_file_new());
    world_open(&w, 0, TWO, 1);
    world_client_says(&w, 0, "DEL_ONION " X "\r\n");
    world_log_in(&w, 0, NONE);
    world_expect(&w.clients[0].tor, "DEL_ONION " X "\r\n", "sent");
    world_expect(&w.clients[0].reports, "complained DEL_ONION ...\n", "told");
    world_clear(&w);
}
