/* Several profiles to one: the union in order, or the reason why not. */
#include "merge.h"

#include <stdio.h>

#include "profile_fixture.h"

#define CLIENT "  apparmor-profiles: ['*']\n  users: [alice]\n"

static const struct {
    const char *a;
    const char *b;      /* NULL: one input only */
    const char *merged; /* NULL: refused, */
    const char *reason; /* and the messages hold this */
} rows[] = {
    {"- name: a\n" CLIENT "  commands:\n    GETINFO: [version, uptime]\n",
     "- name: b\n" CLIENT "  commands:\n    getinfo: [uptime, 'x.*']\n    SIGNAL: [NEWNYM]\n",
     "- name: 'a+b'\n  apparmor-profiles:\n    - '*'\n  users:\n    - alice\n  commands:\n"
     "    GETINFO:\n      - version\n      - uptime\n      - 'x.*'\n    SIGNAL:\n      - NEWNYM\n",
     NULL},
    /* several profiles in one file; names that are missing or the same */
    {"- users: [alice]\n  apparmor-profiles: [x]\n- users: [alice]\n  apparmor-profiles: [x]\n"
     "  commands: {SIGNAL: [NEWNYM]}\n",
     NULL,
     "- name: 'a'\n  apparmor-profiles:\n    - x\n  users:\n    - alice\n  commands:\n"
     "    SIGNAL:\n      - NEWNYM\n",
     NULL},
    /* the first one's names of keys, qualifiers in any order */
    {"- name: a\n  exe-paths: ['*']\n  match-users: [alice, bob]\n",
     "- name: a\n  apparmor-profiles: ['*']\n  users: [bob, alice]\n",
     "- name: 'a'\n  exe-paths:\n    - '*'\n  match-users:\n    - alice\n    - bob\n", NULL},
    /* rules that are mappings; the same but for the quotes */
    {"- name: a\n" CLIENT "  commands:\n    GETINFO:\n    - pattern: 'x'\n      reply: ['250 OK']\n"
     "    - {pattern: y, response: [{pattern: a, replacement: 'b'}]}\n",
     "- name: a\n" CLIENT "  commands:\n    GETINFO:\n    - {pattern: x, reply: [250 OK]}\n"
     "    - {pattern: x, reply: [250 ok]}\n",
     "- name: 'a'\n  apparmor-profiles:\n    - '*'\n  users:\n    - alice\n  commands:\n"
     "    GETINFO:\n      - pattern: 'x'\n        reply:\n          - '250 OK'\n"
     "      - pattern: y\n        response:\n          - pattern: a\n            replacement: 'b'\n"
     "      - pattern: x\n        reply:\n          - '250 ok'\n",
     NULL},
    /* options: reading, values, both */
    {"- name: a\n" CLIENT "  confs:\n    SocksPort:\n    UseBridges: ['0']\n",
     "- name: a\n" CLIENT "  confs:\n    usebridges: ['1', '0', '']\n    socksport: null\n"
     "    Nickname:\n",
     "- name: 'a'\n  apparmor-profiles:\n    - '*'\n  users:\n    - alice\n  confs:\n"
     "    SocksPort:\n    UseBridges:\n      - '0'\n      - '1'\n      - ''\n    Nickname:\n",
     NULL},
    /* events */
    {"- name: a\n" CLIENT "  events:\n    BW:\n    SIGNAL: {suppress: true}\n",
     "- name: a\n" CLIENT "  events:\n    signal: {suppress: true}\n    BW: {}\n    CIRC:\n",
     "- name: 'a'\n  apparmor-profiles:\n    - '*'\n  users:\n    - alice\n  events:\n    BW:\n"
     "    SIGNAL:\n      suppress: true\n    CIRC:\n",
     NULL},
    /* a restriction of one restricts both */
    {"- name: a\n" CLIENT "  tor-browser-mode: false\n",
     "- name: a\n" CLIENT "  tor-browser-mode: true\n",
     "- name: 'a'\n  apparmor-profiles:\n    - '*'\n  users:\n    - alice\n"
     "  tor-browser-mode: true\n",
     NULL},
    {"- name: a\n" CLIENT "  tor-browser-mode: false\n",
     "- name: a\n" CLIENT "  restrict-stream-events: true\n",
     "- name: 'a'\n  apparmor-profiles:\n    - '*'\n  users:\n    - alice\n"
     "  restrict-stream-events: true\n",
     NULL},
    /* `onions` of one of them */
    {"- name: a\n" CLIENT "  onions: {delete: own}\n", "- name: a\n" CLIENT,
     "- name: 'a'\n  apparmor-profiles:\n    - '*'\n  users:\n    - alice\n  onions:\n"
     "    delete: own\n",
     NULL},
    /* refused, with both places */
    {"- name: a\n" CLIENT, "- name: b\n  apparmor-profiles: ['*']\n  users: [bob]\n", NULL,
     "b.yml:3:3: error: this has another 'users', while the profile in a.yml:3 has one"},
    {"- name: a\n" CLIENT, "- name: b\n" CLIENT "  hosts: [10.0.0.1]\n", NULL,
     "b.yml:4:3: error: this has another 'hosts', while the profile in a.yml:1 has none"},
    {"- name: a\n" CLIENT "  socket: true\n", "- name: b\n" CLIENT, NULL,
     "b.yml:1:3: error: this profile has no 'socket', while the profile in a.yml:4 has one"},
    {"- name: a\n" CLIENT "  events: {SIGNAL: {suppress: true}}\n",
     "- name: b\n" CLIENT "  events:\n    signal:\n", NULL,
     "b.yml:5:5: error: 'events' under 'signal' says something else than in a.yml:4"},
    {"- name: a\n" CLIENT "  onions: {delete: own, fetch: true}\n",
     "- name: b\n" CLIENT "  onions: {fetch: false}\n", NULL, "'onions' under 'fetch'"},
    {"- name: a\n" CLIENT "  onions: {delete: own}\n",
     "- name: b\n" CLIENT "  commands: {DEL_ONION: ['x']}\n", NULL, "the merged profile: error:"},
    {"- name: a\n" CLIENT, "- name: b\n  nonsense: 1\n", NULL, "b.yml:2:3: error:"},
    {"- name: a\n" CLIENT, "[", NULL, "b.yml:"},
    {"", NULL, NULL, "a.yml: error: there is no profile in it"},
};

static void expect_merge(size_t row)
{
    const struct name_resolver resolver = {fixture_user, fixture_group, NULL};
    const struct merge_input inputs[] = {
        {"a.yml", span_from_string(rows[row].a)},
        {"b.yml", span_from_string(rows[row].b)},
    };
    struct diag_list diags;
    struct buf out, messages;

    diag_list_init(&diags);
    buf_init(&out, MERGE_MAX_TEXT);
    buf_init(&messages, 65536);
    bool done = merge_profiles(inputs, rows[row].b ? 2 : 1, &resolver, &diags, &out);
    for (size_t i = 0; i < diags.count; i++)
        diag_format(&messages, &diags.items[i]);
    buf_append_char(&messages, '\0');
    const char *text = buf_span(&messages).data;
    cr_expect_eq(done, rows[row].merged != NULL, "row %zu: %s", row, text);
    cr_expect_eq(done, diags.errors == 0, "row %zu", row);
    if (rows[row].merged)
        cr_expect(span_equals(buf_span(&out), span_from_string(rows[row].merged)), "row %zu:\n%.*s",
                  row, (int)out.len, buf_span(&out).data);
    else
        cr_expect(strstr(text, rows[row].reason), "row %zu: %s", row, text);
    diag_list_clear(&diags);
    buf_clear(&out);
    buf_clear(&messages);
}

Test(merge, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_merge(i);
}

/* A name that would be too long is none. */
Test(merge, many)
{
    const struct name_resolver resolver = {fixture_user, fixture_group, NULL};
    struct merge_input inputs[40];
    char texts[40][128], paths[40][32];
    struct diag_list diags;
    struct buf out;

    for (int i = 0; i < 40; i++) {
        snprintf(paths[i], sizeof paths[i], "profile%d.yml", i);
        snprintf(texts[i], sizeof texts[i], "- apparmor-profiles: ['*']\n  users: [alice]\n"
                 "  commands: {GETINFO: ['k%d']}\n", i);
        inputs[i] = (struct merge_input){paths[i], span_from_string(texts[i])};
    }
    diag_list_init(&diags);
    buf_init(&out, MERGE_MAX_TEXT);
    cr_expect(merge_profiles(inputs, 40, &resolver, &diags, &out));
    cr_expect(span_starts_with(buf_span(&out), SPAN("- name: 'merged'\n")));
    buf_append_char(&out, '\0');
    struct profile_file *file = fixture_file("merged.yml", buf_span(&out).data);
    cr_expect_eq(file->profiles[0].commands[0].count, 40);
    profile_file_unref(file);
    diag_list_clear(&diags);
    buf_clear(&out);
}
