/* `onions`: what a file becomes. The messages are tested by tests/policy. */
#include "profile_fixture.h"

#include <arpa/inet.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const yaml =
    "- name: app\n"
    "  hosts: ['*']\n"
    "  events: {circ: , hs_desc_content: {suppress: true}}\n"
    "  onions:\n"
    "    create:\n"
    "    - virtual-ports: [80, 17600-17659, 1-65535, 5-5]\n"
    "      targets:\n"
    "      - 8080\n"
    "      - 1-2\n"
    "      - 10.0.0.1:80\n"
    "      - '[fd00::1]:81-82'\n"
    "      - '[::ffff:10.0.0.2]:83'\n"
    "      - unix:/run/app/*.sock\n"
    "      - '{client-address}:84-85'\n"
    "      target-address: '{client-address}'\n"
    "      keys: [stored]\n"
    "      flags: [Detach, v3auth]\n"
    "      require-flags: [DiscardPK, MaxStreamsCloseCircuit]\n"
    "      drop-flags: [NonAnonymous]\n"
    "      client-auth: true\n"
    "      proof-of-work: drop\n"
    "      max-streams: 12\n"
    "      max-services: 10\n"
    "      private-key: redact\n"
    "    - {targets: [1], virtual-ports: [1]}\n"
    "    - {targets: [1], virtual-ports: [1], proof-of-work: true, max-streams: any, keys: [new]}\n"
    "    - {targets: [1], virtual-ports: [1], proof-of-work: refuse-512,\n"
    "       keys: [new, stored], private-key: pass}\n"
    "    - {targets: [1], virtual-ports: [1], proof-of-work: Off, client-auth: no}\n"
    "    delete: own\n"
    "    events: own\n"
    "    fetch: yes\n"
    "    client-auth-keys: own\n"
    "- hosts: ['*']\n"
    "  onions:\n"
    "    create: {targets: [1], virtual-ports: [1]}\n"
    "    fetch: off\n"
    "- hosts: ['*']\n"
    "  events: {HS_DESC: }\n";

static struct profile_file *file;

static void load(void)
{
    file = fixture_file("/etc/onion-grater.d/app.yml", yaml);
}

static void unload(void)
{
    profile_file_unref(file);
}

TestSuite(onions, .init = load, .fini = unload);

Test(onions, virtual_ports)
{
    static const struct port_range expected[] = {{80, 80}, {17600, 17659}, {1, 65535}, {5, 5}};
    const struct onion_create *create = &file->profiles[0].onions.creates[0];

    cr_assert_eq(create->virtual_port_count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        cr_expect_eq(create->virtual_ports[i].first, expected[i].first, "row %zu", i);
        cr_expect_eq(create->virtual_ports[i].last, expected[i].last, "row %zu", i);
    }
    cr_expect_eq(create->where.line, 6);
    cr_expect_eq(create->where.file, file->path);
}

Test(onions, targets)
{
    static const struct {
        bool is_port_only;
        bool is_client;
        const char *path;
        int family;
        const char *address;
        struct port_range ports;
    } expected[] = {
        {true, false, NULL, 0, NULL, {8080, 8080}},
        {true, false, NULL, 0, NULL, {1, 2}},
        {false, false, NULL, AF_INET, "10.0.0.1", {80, 80}},
        {false, false, NULL, AF_INET6, "fd00::1", {81, 82}},
        {false, false, NULL, AF_INET, "10.0.0.2", {83, 83}},
        {false, false, "/run/app/*.sock", 0, NULL, {0, 0}},
        {false, true, NULL, 0, NULL, {84, 85}},
    };
    const struct onion_create *create = &file->profiles[0].onions.creates[0];

    cr_assert_eq(create->target_count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct onion_target *target = &create->targets[i];
        uint8_t address[16] = {0};
        cr_expect_eq(target->where.line, 8 + i, "row %zu", i);
        cr_expect_eq(target->is_port_only, expected[i].is_port_only, "row %zu", i);
        cr_expect_eq(target->is_client, expected[i].is_client, "row %zu", i);
        cr_expect_eq(target->ports.first, expected[i].ports.first, "row %zu", i);
        cr_expect_eq(target->ports.last, expected[i].ports.last, "row %zu", i);
        cr_expect_eq(target->path != NULL, expected[i].path != NULL, "row %zu", i);
        cr_expect(!target->path || strcmp(target->path, expected[i].path) == 0, "row %zu", i);
        if (!expected[i].family)
            continue;
        inet_pton(expected[i].family, expected[i].address, address);
        cr_expect_eq(target->address.kind,
                     expected[i].family == AF_INET ? TARGET_IPV4 : TARGET_IPV6, "row %zu", i);
        cr_expect_arr_eq(target->address.address, address, sizeof address, "row %zu", i);
    }
    cr_expect_eq(create->targets[5].address.kind, TARGET_UNIX);
}

Test(onions, options)
{
    const struct onion_rules *rules = &file->profiles[0].onions;
    const struct onion_create *create = rules->creates;

    cr_assert(rules->is_present);
    cr_assert_eq(rules->create_count, 5);
    cr_expect_not_null(create->target_address);
    cr_expect(!create->allows_new && create->allows_stored);
    cr_expect_eq(create->flags, (unsigned)(ADD_ONION_DETACH | ADD_ONION_V3_AUTH));
    cr_expect_eq(create->require_flags,
                 (unsigned)(ADD_ONION_DISCARD_PK | ADD_ONION_MAX_STREAMS_CLOSE_CIRCUIT));
    cr_expect_eq(create->drop_flags, (unsigned)ADD_ONION_NON_ANONYMOUS);
    cr_expect(create->client_auth && create->redact_key && create->key_rule);
    cr_expect_eq(create->proof_of_work, ONION_POW_DROP);
    cr_expect(create->has_max_streams && !create->any_max_streams);
    cr_expect_eq(create->max_streams, 12);
    cr_expect_eq(create->max_services, 10);

    /* What is not said. */
    cr_expect(create[1].allows_new && create[1].allows_stored);
    cr_expect_eq(create[1].flags | create[1].require_flags | create[1].drop_flags, 0u);
    cr_expect(!create[1].client_auth && !create[1].redact_key && !create[1].key_rule);
    cr_expect_eq(create[1].proof_of_work, ONION_POW_REFUSE);
    cr_expect(!create[1].has_max_streams && !create[1].any_max_streams);
    cr_expect_eq(create[1].max_services, 0);
    cr_expect_null(create[1].target_address);

    cr_expect(create[2].allows_new && !create[2].allows_stored);
    cr_expect_eq(create[2].proof_of_work, ONION_POW_ALLOW);
    cr_expect(create[2].has_max_streams && create[2].any_max_streams);
    cr_expect(create[3].allows_new && create[3].allows_stored);
    cr_expect_eq(create[3].proof_of_work, ONION_POW_REFUSE_512);
    cr_expect(!create[3].redact_key);
    cr_expect_eq(create[4].proof_of_work, ONION_POW_REFUSE);
    cr_expect(!create[4].client_auth);
}

/* Which command which key judges, and where it stands. */
Test(onions, places)
{
    static const struct {
        enum keyword_id command;
        unsigned first; /* line in the first profile; 0: not judged */
        unsigned second;
    } rows[] = {
        {KEYWORD_ADD_ONION, 6, 36},
        {KEYWORD_DEL_ONION, 30, 0},
        {KEYWORD_HSFETCH, 32, 0},
        {KEYWORD_ONION_CLIENT_AUTH_ADD, 33, 0},
        {KEYWORD_ONION_CLIENT_AUTH_REMOVE, 33, 0},
        {KEYWORD_ONION_CLIENT_AUTH_VIEW, 33, 0},
        {KEYWORD_HSPOST, 0, 0},
        {KEYWORD_SETEVENTS, 0, 0},
        {KEYWORD_GETINFO, 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct source *first = onion_rules_place(&file->profiles[0].onions, rows[i].command);
        const struct source *second = onion_rules_place(&file->profiles[1].onions, rows[i].command);
        cr_expect_eq(first ? first->line : 0, rows[i].first, "row %zu", i);
        cr_expect_eq(second ? second->line : 0, rows[i].second, "row %zu", i);
        cr_expect_null(onion_rules_place(&file->profiles[2].onions, rows[i].command), "row %zu", i);
    }
    cr_expect_not(file->profiles[2].onions.is_present);
}

Test(onions, events)
{
    static const struct {
        const char *name;
        bool is_own;
        bool is_suppressed;
        unsigned line;
    } rows[] = {
        {"CIRC", false, false, 3},
        {"HS_DESC_CONTENT", true, true, 3},
        {"HS_DESC", true, false, 31},
    };
    const struct profile *profile = &file->profiles[0];

    cr_assert_eq(profile->event_count, COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct event_rule *event = &profile->events[i];
        cr_expect_str_eq(event->name, rows[i].name);
        cr_expect_eq(event->own_onions_only, rows[i].is_own, "row %zu", i);
        cr_expect_eq(event->suppress, rows[i].is_suppressed, "row %zu", i);
        cr_expect_eq(event->where.line, rows[i].line, "row %zu", i);
        cr_expect_eq(event->profile, profile->name, "row %zu", i);
    }
    cr_assert_eq(file->profiles[1].event_count, 0);
    cr_assert_eq(file->profiles[2].event_count, 1);
    cr_expect_not(file->profiles[2].events[0].own_onions_only);
    cr_expect_str_eq(file->profiles[2].events[0].profile, "app");
}
