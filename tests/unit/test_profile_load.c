/* The profile loader: what a file becomes. The messages are tested by tests/policy. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "profile_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct name_resolver resolver = {fixture_user, fixture_group, NULL};

static const char *const full =
    "- name: full\n"
    "  apparmor-profiles: [/usr/bin/a, 'a//b']\n"
    "  users: [alice, '0', 1001, nobody-of-that-name]\n"
    "  groups: [staff, '*']\n"
    "  hosts: [10.0.0.0/8]\n"
    "  socket: {path: /run/x.sock, user: alice, group: 4, mode: 0620}\n"
    "  commands:\n"
    "    getinfo:\n"
    "      - version\n"
    "      - {pattern: 'a(b)', replacement: 'x{0}'}\n"
    "      - pattern: c\n"
    "        response:\n"
    "          - {pattern: '250-c=(.*)', replacement: '250-c={}'}\n"
    "          - {pattern: '250 OK', replacement: ''}\n"
    "        unmatched-response: drop\n"
    "      - {pattern: d, reply: ['250+d=', x, ., 250 OK]}\n"
    "    +HSPOST: []\n"
    "    SIGNAL:\n"
    "  confs:\n"
    "    SocksPort:\n"
    "    Bridge: ['', 'x.*']\n"
    "    Sandbox: ['0', '1']\n"
    "  events:\n"
    "    circ:\n"
    "    Signal: {suppress: on}\n"
    "    new_event:\n"
    "      response: [{pattern: a, replacement: b}]\n"
    "      unmatched-response: drop\n"
    "    extended:\n"
    "  tor-browser-mode: TRUE\n"
    "- users: ['*']\n"
    "  apparmor-profiles: ['*']\n"
    "  units: ['a@*.service']\n"
    "  executables: [/usr/bin/a]\n"
    "  writer: any\n"
    "  apparmor-evidence: kernel-only\n";

static struct profile_file *file;

static void load_full(void)
{
    file = fixture_file("/etc/onion-grater.d/some.app.yml", full);
}

static void unload_full(void)
{
    profile_file_unref(file);
}

TestSuite(profile_full, .init = load_full, .fini = unload_full);

Test(profile_full, file_and_names)
{
    cr_expect_str_eq(file->path, "/etc/onion-grater.d/some.app.yml");
    cr_expect_str_eq(file->stem, "some.app");
    cr_expect_eq(file->references, 1);
    cr_assert_eq(file->count, 2);
    cr_expect_str_eq(file->profiles[0].name, "full");
    cr_expect_str_eq(file->profiles[1].name, "some.app");
    cr_expect_eq(file->profiles[1].where.line, 31);
    cr_expect_eq(file->profiles[1].where.column, 3);
    cr_expect_eq(file->profiles[1].where.file, file->path, "places point to the file's own path");
}

Test(profile_full, qualifiers)
{
    const struct profile *profile = &file->profiles[0];

    cr_expect(profile->apparmor_profiles.is_present);
    cr_expect_not(profile->apparmor_profiles.is_any);
    cr_assert_eq(profile->apparmor_profiles.count, 2);
    cr_expect_str_eq(profile->apparmor_profiles.names[1], "a//b");
    cr_expect(profile->users.is_present && !profile->users.is_any);
    cr_assert_eq(profile->users.count, 3, "a name that does not exist is left out");
    cr_expect_eq(profile->users.ids[0], FIXTURE_ALICE);
    cr_expect_eq(profile->users.ids[1], 0);
    cr_expect_eq(profile->users.ids[2], 1001);
    cr_expect(profile->groups.is_present && profile->groups.is_any);
    cr_assert_eq(profile->groups.count, 1);
    cr_expect_eq(profile->groups.ids[0], FIXTURE_STAFF);
    cr_assert_eq(profile->hosts.count, 1);
    cr_expect(file->profiles[1].users.is_any && file->profiles[1].apparmor_profiles.is_any);
    cr_expect_not(file->profiles[1].groups.is_present);
    cr_expect_not(file->profiles[1].hosts.is_present);
}

Test(profile_full, socket)
{
    const struct profile_socket *socket = &file->profiles[0].socket;

    cr_expect(socket->is_wanted && socket->has_user && socket->has_group && socket->has_mode);
    cr_expect_str_eq(socket->path, "/run/x.sock");
    cr_expect_eq(socket->user, FIXTURE_ALICE);
    cr_expect_eq(socket->group, 4);
    cr_expect_eq(socket->mode, 0620);
    cr_expect_not(file->profiles[1].socket.is_wanted);
}

Test(profile_full, commands)
{
    const struct profile *profile = &file->profiles[0];

    cr_assert_eq(profile->command_count, 3);
    cr_expect_null(profile_find_command(profile, KEYWORD_SETCONF));
    cr_expect_eq(profile_find_command(profile, KEYWORD_HSPOST)->count, 0);
    cr_expect_eq(profile_find_command(profile, KEYWORD_SIGNAL)->count, 0);
    const struct command_rules *command = profile_find_command(profile, KEYWORD_GETINFO);
    cr_assert(command);
    cr_assert_eq(command->count, 4);
    const struct rule *rules = command->rules;
    cr_expect_str_eq(pattern_text(rules[0].pattern), "version");
    cr_expect(!rules[0].replacement && !rules[0].reply && rules[0].response.count == 0);
    cr_expect_eq(rules[1].where.line, 10);
    cr_expect_eq(rules[1].where.column, 9);
    cr_expect(rules[1].replacement != NULL);
    cr_expect_eq(rules[2].response.count, 2);
    cr_expect(rules[2].response.drop_unmatched);
    cr_expect(template_is_empty(rules[2].response.items[1].replacement));
    cr_expect_eq(rules[2].response.items[0].where.line, 13);
    cr_assert_eq(rules[3].reply_count, 4);
    cr_expect_str_eq(rules[3].reply[2], ".");
    cr_expect_str_eq(rules[3].reply[3], "250 OK");
}

Test(profile_full, confs)
{
    const struct profile *profile = &file->profiles[0];

    cr_assert_eq(profile->conf_count, 3);
    const struct conf_rule *conf = profile_find_conf(profile, SPAN("socksport"));
    cr_assert(conf);
    cr_expect_str_eq(conf->name, "SocksPort");
    cr_expect_eq(conf->count, 0);
    cr_expect_not(conf->may_reset);
    conf = profile_find_conf(profile, SPAN("BRIDGE"));
    cr_assert(conf);
    cr_expect(conf->may_reset);
    cr_assert_eq(conf->count, 2);
    cr_expect_eq(pattern_match(conf->values[0], SPAN(""), NULL), PATTERN_MATCH);
    cr_expect_not(profile_find_conf(profile, SPAN("Sandbox"))->may_reset);
    cr_expect_null(profile_find_conf(profile, SPAN("Bridg")), "no abbreviations");
    cr_expect_null(profile_find_conf(profile, SPAN("Bridges")));
    cr_expect_null(profile_find_conf(profile, SPAN("")));
}

Test(profile_full, events)
{
    const struct profile *profile = &file->profiles[0];

    cr_assert_eq(profile->event_count, 4);
    const struct event_rule *event = profile_find_event(profile, SPAN("Circ"));
    cr_assert(event);
    cr_expect_str_eq(event->name, "CIRC");
    cr_expect(!event->suppress && !event->own_name && event->response.count == 0);
    cr_expect(profile_find_event(profile, SPAN("SIGNAL"))->suppress);
    event = profile_find_event(profile, SPAN("NEW_EVENT"));
    cr_assert(event);
    cr_expect_str_eq(event->name, "NEW_EVENT");
    cr_expect(event->response.count == 1 && event->response.drop_unmatched);
    cr_expect_str_eq(profile_find_event(profile, SPAN("EXTENDED"))->name, "EXTENDED");
    cr_expect_null(profile_find_event(profile, SPAN("STREAM")));
    cr_expect(profile->tor_browser_mode);
    cr_expect_not(file->profiles[1].tor_browser_mode);
}

Test(profile_full, references)
{
    cr_expect_eq(profile_file_ref(file), file);
    cr_expect_eq(file->references, 2);
    profile_file_unref(file);
    cr_expect_eq(file->references, 1);
    profile_file_unref(NULL);
}

static const struct {
    const char *text;
    mode_t mode;
    bool has_mode;
} mode_rows[] = {
    {"{users: [alice], socket: true}", 0666, false},
    {"{groups: [staff], socket: {}}", 0666, false},
    {"{apparmor-profiles: [a], socket: yes}", 0666, false},
    {"{users: [], socket: true}", 0666, false},
    {"{socket: {user: alice}}", 0660, false},
    {"{socket: {group: staff}}", 0660, false},
    {"{users: [alice], socket: {group: staff}}", 0660, false},
    {"{users: [alice], socket: {mode: 0600}}", 0600, true},
    {"{users: [alice], socket: {mode: 777}}", 0777, true},
    {"{users: [alice], socket: {mode: '000'}}", 0, true},
    {"{socket: {group: staff, mode: 0666}}", 0666, true},
};

Test(profile_load, socket_modes)
{
    for (size_t i = 0; i < COUNT(mode_rows); i++) {
        struct profile_file *loaded = fixture_file("x.yml", mode_rows[i].text);
        const struct profile_socket *socket = &loaded->profiles[0].socket;
        cr_expect(socket->is_wanted, "row %zu", i);
        cr_expect_eq(socket->mode, mode_rows[i].mode, "row %zu: %o", i, (unsigned)socket->mode);
        cr_expect_eq(socket->has_mode, mode_rows[i].has_mode, "row %zu", i);
        cr_expect_null(socket->path, "row %zu", i);
        profile_file_unref(loaded);
    }
}

static const struct {
    const char *path;
    const char *stem; /* NULL: no name for a profile */
} stem_rows[] = {
    {"app.yml", "app"},
    {"/etc/onion-grater.d/app.yml", "app"},
    {"a/b/c.d.yml", "c.d"},
    {"x.yaml", "x.yaml"},
    {"x", "x"},
    {".yml", ".yml"},
    {"a.yml/b", "b"},
    {"a/", NULL},
    {"a\n.yml", NULL},
};

Test(profile_load, default_name_is_the_name_of_the_file)
{
    for (size_t i = 0; i < COUNT(stem_rows); i++) {
        struct diag_list diags;
        diag_list_init(&diags);
        struct profile_file *loaded =
            profile_load(stem_rows[i].path, SPAN("hosts: ['*']"), &resolver, &diags);
        cr_expect_eq(loaded != NULL, stem_rows[i].stem != NULL, "row %zu", i);
        cr_expect_eq(diags.errors, stem_rows[i].stem ? 0u : 1u, "row %zu", i);
        if (loaded)
            cr_expect_str_eq(loaded->profiles[0].name, stem_rows[i].stem, "row %zu", i);
        profile_file_unref(loaded);
        diag_list_clear(&diags);
    }
}

static const struct {
    const char *text;
    size_t count;
} count_rows[] = {
    {"", 0}, {"# x\n", 0}, {"---\n", 0}, {"~", 0}, {"[]", 0}, {"{}", 1}, {"[{}, {}]", 2},
};

Test(profile_load, number_of_profiles)
{
    for (size_t i = 0; i < COUNT(count_rows); i++) {
        struct profile_file *loaded = fixture_file("x.yml", count_rows[i].text);
        cr_expect_eq(loaded->count, count_rows[i].count, "row %zu", i);
        profile_file_unref(loaded);
    }
}

static const struct {
    const char *text;
    bool value;
} boolean_rows[] = {
    {"true", true},   {"True", true},   {"TRUE", true}, {"yes", true},   {"on", true},
    {"'true'", true}, {"false", false}, {"No", false},  {"OFF", false}, {"\"no\"", false},
};

Test(profile_load, booleans)
{
    for (size_t i = 0; i < COUNT(boolean_rows); i++) {
        /* The older name, too. */
        char *text = mem_printf("{hosts: ['*'], %s: %s}",
                                i % 2 ? "restrict-stream-events" : "tor-browser-mode",
                                boolean_rows[i].text);
        struct profile_file *loaded = fixture_file("x.yml", text);
        cr_expect_eq(loaded->profiles[0].tor_browser_mode, boolean_rows[i].value, "row %zu", i);
        profile_file_unref(loaded);
        free(text);
    }
}

/* Whether the text loads, with its numbers of errors and messages. */
static bool loads(struct span text, size_t *errors_out)
{
    struct diag_list diags;

    diag_list_init(&diags);
    struct profile_file *loaded = profile_load("x.yml", text, &resolver, &diags);
    bool done = loaded != NULL;
    cr_expect_eq(done, diags.errors == 0, "an error and a result exclude each other");
    for (size_t i = 0; i < diags.count; i++)
        cr_expect_neq(diags.items[i].text[0], '\0');
    *errors_out = diags.errors;
    profile_file_unref(loaded);
    diag_list_clear(&diags);
    return done;
}

Test(profile_load, all_errors_of_a_file_at_once)
{
    static const char text[] = "- users: ['*']\n"
                               "  users: [alice]\n"
                               "  comands: {}\n"
                               "  commands: {GETINFOO: [], GETINFO: ['(', ')', {patern: x}]}\n"
                               "  confs: {'a b': }\n"
                               "  events: {'a b': }\n"
                               "- socket: true\n"
                               "- text\n";
    size_t errors = 0;

    cr_expect_not(loads(span_from_string(text), &errors));
    cr_expect_eq(errors, 10, "%zu", errors);
}

/* An error that an earlier file left in the list does not count against the next one. */
Test(profile_load, files_share_a_list_of_messages)
{
    struct diag_list diags;

    diag_list_init(&diags);
    cr_expect_null(profile_load("a.yml", SPAN("- x"), &resolver, &diags));
    struct profile_file *loaded = profile_load("b.yml", SPAN("- hosts: ['*']"), &resolver, &diags);
    cr_expect(loaded);
    cr_expect_eq(diags.errors, 1);
    profile_file_unref(loaded);
    cr_expect_null(profile_load("a.yml", SPAN("- x"), &resolver, &diags));
    cr_expect_eq(diags.errors, 2);
    diag_list_clear(&diags);
}

/* Every cut and every changed byte of a file with all keys: a profile or an error, and no leak. */
Test(profile_load, any_bytes_give_a_result_or_an_error, .timeout = 120)
{
    static const char changes[] = {'\0', '\n', ' ', '\'', '{', '-', ':', '*', '(', (char)0xff};
    struct span text = span_from_string(full);
    char *copy = mem_copy_string(text);
    size_t errors = 0;

    for (size_t i = 0; i < text.len; i++) {
        loads(span_first(text, i), &errors);
        copy[i] = changes[i % sizeof changes];
        loads(span_make(copy, text.len), &errors);
        copy[i] = text.data[i];
    }
    free(copy);
}

static const struct {
    const char *header;
    const char *before;
    const char *after; /* the number stands between the two */
    bool is_good;
} many_rows[] = {
    {"", "- {name: n", ", users: [alice], socket: true}\n", true},
    {"hosts: ['*']\nconfs:\n", " o", ":\n", true},
    {"hosts: ['*']\nevents:\n", " E", ": {suppress: true}\n", true},
    {"hosts:\n", " - 10.0.0.1/", "\n", false},
    {"", "k", ": x\n", false},
    {"commands:\n GETINFO:\n", "  - '", "'\n", true},
};

/* The largest file is read in moments, whatever fills it. */
Test(profile_load, large_files_are_read_quickly, .timeout = 120)
{
    for (size_t i = 0; i < COUNT(many_rows); i++) {
        struct buf text;
        size_t errors = 0;
        buf_init(&text, 1000000);
        buf_append_string(&text, many_rows[i].header);
        for (unsigned n = 0; n < 50000; n++) {
            char *line = mem_printf("%s%u%s", many_rows[i].before, n, many_rows[i].after);
            bool is_full = !buf_append_string(&text, line);
            free(line);
            if (is_full)
                break;
        }
        cr_expect_eq(loads(buf_span(&text), &errors), many_rows[i].is_good, "row %zu", i);
        buf_clear(&text);
    }
}
