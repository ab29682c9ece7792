/* Several sessions of one daemon, each with a tor connection of its own, driven by hand. */
#ifndef OG_SESSION_WORLD_H
#define OG_SESSION_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "describe.h"
#include "mem.h"
#include "session_rig.h"

#define WORLD_CLIENTS 4
#define WORLD_LOGIN                                                                                \
    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"
#define WORLD_LISTENERS "250-net/listeners/control=\"unix:/run/tor/control\"\r\n250 OK\r\n"
#define FILTERED "510 Command filtered\r\n"

struct world_client {
    struct policy_view view;
    struct session_observer observer;
    struct session *session;
    struct buf got;     /* what the client got */
    struct buf tor;     /* what tor got */
    struct buf reports; /* a line for each: "allowed DEL_ONION ...", "refused DEL_ONION ...: why" */
    unsigned problems;
};

/* One policy; client i is served by profile i of its file. */
struct world {
    struct policy *policy;
    struct profile_file *file;
    struct tor_facts facts;
    struct onion_registry registry;
    struct session_cookie *cookie; /* of the sessions opened next; NULL: none */
    struct world_client clients[WORLD_CLIENTS];
};

static inline void world_see_command(void *context, const struct session_report *report)
{
    struct world_client *client = context;

    buf_append_string(&client->reports, report->verdict == VERDICT_REFUSE ? "refused "
                                        : report->is_complaint            ? "complained "
                                                                          : "allowed ");
    describe_command(&client->reports, report->command);
    cr_expect_eq(report->verdict == VERDICT_REFUSE, report->reason != NULL);
    if (report->reason)
        buf_printf(&client->reports, ": %s", report->reason);
    buf_append_char(&client->reports, '\n');
}

static inline void world_see_problem(void *context, const char *text)
{
    struct world_client *client = context;

    (void)text;
    client->problems++;
}

static inline void world_init(struct world *world, const char *text)
{
    memset(world, 0, sizeof *world);
    world->file = rig_load("world.yml", span_from_string(text));
    world->policy = policy_new();
    policy_add_file(world->policy, world->file);
    tor_facts_init(&world->facts);
    onion_registry_init(&world->registry);
}

/* A session of the client, by these profiles of the file. */
static inline void world_open(struct world *world, size_t client, size_t first, size_t count)
{
    static const struct torauth_secrets secrets = {rig_no_cookie, rig_no_password, rig_nonce, NULL};
    struct world_client *c = &world->clients[client];
    struct session_setup setup = {
        .policy = world->policy,
        .view = &c->view,
        .variables = {SPAN("127.0.0.1"), SPAN("0"), SPAN("127.0.0.1"), SPAN("0")},
        .facts = &world->facts,
        .registry = &world->registry,
        .cookie = world->cookie,
        .secrets = &secrets,
        .observer = &c->observer,
    };

    c->view.profiles = mem_zalloc(count, sizeof *c->view.profiles);
    c->view.count = count;
    c->view.complain = world->policy->complain ? &world->policy->complain->profiles[0] : NULL;
    for (size_t i = 0; i < count; i++)
        c->view.profiles[i] = &world->file->profiles[first + i];
    c->observer = (struct session_observer){
        .command = world_see_command, .problem = world_see_problem, .context = c};
    buf_init(&c->got, STUB_STREAM_MAX);
    buf_init(&c->tor, STUB_STREAM_MAX);
    buf_init(&c->reports, STUB_STREAM_MAX);
    c->session = session_new(&setup);
}

static inline void world_close(struct world *world, size_t client)
{
    struct world_client *c = &world->clients[client];

    session_free(c->session);
    policy_view_clear(&c->view);
    buf_clear(&c->got);
    buf_clear(&c->tor);
    buf_clear(&c->reports);
    *c = (struct world_client){0};
}

static inline void world_clear(struct world *world)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (world->clients[i].session)
            world_close(world, i);
    onion_registry_clear(&world->registry);
    tor_facts_clear(&world->facts);
    policy_unref(world->policy);
}

static inline void world_drain(struct world_client *c)
{
    struct span out = session_client_output(c->session);

    buf_append(&c->got, out);
    session_client_sent(c->session, out.len);
    out = session_tor_output(c->session);
    buf_append(&c->tor, out);
    session_tor_sent(c->session, out.len);
}

static inline void world_client_says(struct world *world, size_t client, const char *text)
{
    struct world_client *c = &world->clients[client];
    struct span rest = span_from_string(text);

    while (rest.len > 0 && !session_end_reason(c->session)) {
        size_t taken = session_client_input(c->session, rest);
        rest = span_from(rest, taken);
        world_drain(c);
        cr_assert(taken > 0 || rest.len == 0, "the session takes no more: %s", text);
    }
}

static inline void world_tor_says(struct world *world, size_t client, const char *text)
{
    session_tor_input(world->clients[client].session, span_from_string(text));
    world_drain(&world->clients[client]);
}

/* Compares what came since the last look, and forgets it. */
static inline void world_expect(struct buf *buf, const char *text, const char *what)
{
    struct span got = buf_span(buf);

    cr_expect(span_equals(got, span_from_string(text)), "%s: got \"%.*s\", want \"%s\"", what,
              (int)got.len, got.data ? got.data : "", text);
    buf_reset(buf);
}

/* `detached`: the reply to GETINFO onions/detached. */
static inline void world_log_in(struct world *world, size_t client, const char *detached)
{
    struct world_client *c = &world->clients[client];

    session_tor_connected(c->session);
    world_drain(c);
    world_tor_says(world, client, WORLD_LOGIN);
    world_expect(&c->tor,
                 "PROTOCOLINFO 1\r\nAUTHENTICATE\r\nGETINFO net/listeners/control\r\n"
                 "GETINFO onions/detached\r\n",
                 "login");
    world_tor_says(world, client, "250 OK\r\n" WORLD_LISTENERS);
    world_tor_says(world, client, detached);
    cr_assert(session_is_logged_in(c->session), "not logged in");
}

#endif
