/* Which profiles a client gets, and the life of a policy generation. */
#include "profile_fixture.h"

#include <stdlib.h>

#include "buf.h"
#include "mem.h"

static const char first_file[] =
    "- name: shared-any\n"
    "  apparmor-profiles: ['*']\n"
    "  users: ['*']\n"
    "- name: shared-alice\n"
    "  apparmor-profiles: ['*']\n"
    "  users: [alice, 4000]\n"
    "- name: shared-staff\n"
    "  apparmor-profiles: ['*']\n"
    "  users: ['*']\n"
    "  groups: [staff]\n"
    "- name: shared-label\n"
    "  apparmor-profiles: ['/usr/bin/app']\n"
    "  users: ['*']\n"
    "- name: users-alone\n"
    "  users: ['*']\n"
    "- name: label-alone\n"
    "  apparmor-profiles: ['*']\n"
    "- name: hosts-alone\n"
    "  hosts: ['*']\n";

static const char second_file[] =
    "- name: own-free\n"
    "  socket:\n"
    "    group: staff\n"
    "- name: own-alice\n"
    "  socket: true\n"
    "  users: [alice]\n"
    "- name: own-root\n"
    "  socket: true\n"
    "  users: ['0']\n"
    "- name: own-staff\n"
    "  socket: true\n"
    "  groups: [staff]\n"
    "- name: own-any-group\n"
    "  socket:\n"
    "    user: alice\n"
    "  groups: ['*']\n"
    "- name: own-label\n"
    "  socket: true\n"
    "  apparmor-profiles: ['/usr/bin/app']\n"
    "  users: ['*']\n"
    "- name: own-any-label\n"
    "  socket: true\n"
    "  apparmor-profiles: ['*']\n"
    "  users: [alice]\n"
    "- name: own-hosts\n"
    "  socket:\n"
    "    group: staff\n"
    "  hosts: ['*']\n"
    "- name: own-alice-and-hosts\n"
    "  socket: true\n"
    "  users: [alice]\n"
    "  hosts: ['10.0.0.1']\n";

#define UNIX(...) {.transport = IDENTITY_UNIX, __VA_ARGS__}
#define KNOWN .has_credentials = true
#define OTHER KNOWN, .uid = 5000, .gid = 5000
#define ALICE KNOWN, .uid = FIXTURE_ALICE, .gid = 5000

static gid_t staff_in_the_middle[] = {10, FIXTURE_STAFF, 12};
static gid_t without_staff[] = {10, 11, 12};

#define GROUPS(list) .has_groups = true, .groups = list, .group_count = 3

static struct policy *two_files(void)
{
    struct policy *policy = policy_new();

    policy_add_file(policy, fixture_file("/profiles/10-first.yml", first_file));
    policy_add_file(policy, fixture_file("/profiles/20-second.yml", second_file));
    return policy;
}

static void view_names(const struct policy_view *view, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < view->count; i++)
        buf_printf(out, "%s%s", i ? " " : "", view->profiles[i]->name);
    buf_append_char(out, '\0');
}

Test(policy, match)
{
    const struct {
        struct identity identity;
        const char *socket;
        const char *expected;
    } rows[] = {
        /* the shared socket: both qualifiers, and none that has a socket of its own */
        {UNIX(OTHER), NULL, "shared-any"},
        {UNIX(ALICE), NULL, "shared-any shared-alice"},
        {UNIX(KNOWN, .uid = 4000, .gid = 1), NULL, "shared-any shared-alice"},
        {UNIX(KNOWN, .uid = FIXTURE_BOB, .gid = FIXTURE_STAFF), NULL, "shared-any shared-staff"},
        {UNIX(OTHER, GROUPS(staff_in_the_middle)), NULL, "shared-any shared-staff"},
        {UNIX(ALICE, GROUPS(staff_in_the_middle)), NULL, "shared-any shared-alice shared-staff"},
        {UNIX(OTHER, GROUPS(without_staff)), NULL, "shared-any"},
        /* groups that were not learnt do not count, whatever lies there */
        {UNIX(OTHER, .groups = staff_in_the_middle, .group_count = 3), NULL, "shared-any"},
        /* uid 0 is a number like others */
        {UNIX(KNOWN, .uid = 0, .gid = 0), NULL, "shared-any"},
        /* no credentials: nothing but "*", also where the numbers would fit */
        {UNIX(.uid = FIXTURE_ALICE, .gid = FIXTURE_STAFF), NULL, "shared-any"},
        {UNIX(.uid = FIXTURE_ALICE, GROUPS(staff_in_the_middle)), NULL, "shared-any"},
        /* a uid is not a gid */
        {UNIX(KNOWN, .uid = FIXTURE_STAFF, .gid = FIXTURE_ALICE), NULL, "shared-any"},
        {UNIX(KNOWN, .uid = (uid_t)-1, .gid = (gid_t)-1), NULL, "shared-any"},
        /* sockets of their own */
        {UNIX(OTHER), "own-free", "own-free"},
        {UNIX(.uid = 0), "own-free", "own-free"},
        {UNIX(ALICE), "own-alice", "own-alice"},
        {UNIX(OTHER), "own-alice", ""},
        {UNIX(.uid = FIXTURE_ALICE), "own-alice", ""},
        {UNIX(KNOWN, .uid = 0, .gid = 0), "own-alice", ""},
        {UNIX(KNOWN, .uid = 0, .gid = 0), "own-root", "own-root"},
        {UNIX(.uid = 0), "own-root", ""},
        {UNIX(KNOWN, .uid = 0, .gid = 0), "own-staff", ""},
        {UNIX(KNOWN, .uid = 1, .gid = FIXTURE_STAFF), "own-staff", "own-staff"},
        {UNIX(OTHER, GROUPS(staff_in_the_middle)), "own-staff", "own-staff"},
        {UNIX(.gid = FIXTURE_STAFF), "own-staff", ""},
        {UNIX(.gid = 7), "own-any-group", "own-any-group"},
        {UNIX(ALICE), "own-label", ""},
        {UNIX(ALICE), "own-any-label", "own-any-label"},
        {UNIX(OTHER), "own-any-label", ""},
        /* hosts are for other machines */
        {UNIX(ALICE), "own-hosts", ""},
        {UNIX(ALICE), "own-alice-and-hosts", "own-alice-and-hosts"},
        {UNIX(OTHER), "own-alice-and-hosts", ""},
        /* names of no socket, or of a profile that has none */
        {UNIX(ALICE), "shared-any", ""},
        {UNIX(ALICE), "shared-alice", ""},
        {UNIX(ALICE), "own", ""},
        {UNIX(ALICE), "OWN-ALICE", ""},
        {UNIX(ALICE), "", ""},
        /* TCP has no identity yet */
        {{.transport = IDENTITY_TCP_LOCAL, ALICE}, NULL, ""},
        {{.transport = IDENTITY_TCP_LOCAL, ALICE}, "own-alice", ""},
        {{.transport = IDENTITY_TCP_REMOTE}, NULL, ""},
        {{.transport = IDENTITY_TCP_REMOTE, ALICE}, "own-free", ""},
    };
    struct policy *policy = two_files();
    struct buf names;

    buf_init(&names, 1024);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy_view view;
        policy_match(policy, &rows[i].identity, rows[i].socket, &view);
        view_names(&view, &names);
        cr_expect_str_eq(buf_span(&names).data, rows[i].expected, "row %zu: got '%s' for '%s'", i,
                         buf_span(&names).data, rows[i].expected);
        policy_view_clear(&view);
        cr_expect(view.count == 0 && !view.profiles, "row %zu: a cleared view is empty", i);
    }
    buf_clear(&names);
    policy_unref(policy);
}

Test(policy, order_is_that_of_the_files_then_of_the_places)
{
    static const char any[] = "  apparmor-profiles: ['*']\n  users: ['*']\n";
    char *texts[] = {
        mem_printf("- name: z\n%s- name: a\n%s", any, any),
        mem_printf("- name: m\n%s", any),
        mem_printf("- name: b\n%s- name: c\n%s", any, any),
    };
    struct policy *policy = policy_new();
    struct buf names;

    for (size_t i = 0; i < 3; i++) {
        policy_add_file(policy, fixture_file("/profiles/x.yml", texts[i]));
        free(texts[i]);
    }
    struct policy_view view = fixture_view(policy);
    buf_init(&names, 1024);
    view_names(&view, &names);
    cr_expect_str_eq(buf_span(&names).data, "z a m b c");
    buf_clear(&names);
    policy_view_clear(&view);
    policy_unref(policy);
}

Test(policy, empty_policy_matches_nobody)
{
    struct policy *policy = policy_new();
    struct policy_view view = fixture_view(policy);

    cr_expect_eq(view.count, 0);
    cr_expect_null(policy_find_profile(policy, "x"));
    policy_view_clear(&view);
    policy_unref(policy);
    policy_unref(NULL);
}

Test(policy, find_profile_by_its_exact_name)
{
    struct policy *policy = two_files();
    const struct {
        const char *name;
        bool is_there;
    } rows[] = {{"shared-any", true}, {"own-alice-and-hosts", true}, {"own-alic", false},
                {"Shared-any", false}, {"", false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct profile *profile = policy_find_profile(policy, rows[i].name);
        cr_expect_eq(profile != NULL, rows[i].is_there, "row %zu", i);
        if (profile)
            cr_expect_str_eq(profile->name, rows[i].name, "row %zu", i);
    }
    policy_unref(policy);
}

Test(policy, references_keep_files_alive)
{
    struct profile_file *file = fixture_file("/profiles/first.yml", first_file);
    struct policy *old = policy_new(), *next = policy_new();

    policy_add_file(old, profile_file_ref(file));
    policy_add_file(next, file);
    cr_expect_eq(file->references, 2);
    cr_expect_eq(policy_ref(old), old);
    policy_unref(old);
    cr_expect_eq(file->references, 2, "a generation lives until its last reference is gone");
    policy_unref(old);
    cr_expect_eq(file->references, 1);
    cr_expect_str_eq(policy_find_profile(next, "shared-any")->name, "shared-any");
    policy_unref(next);
}
