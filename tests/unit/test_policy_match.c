/* Which profiles a client of a Unix socket gets: users, groups, sockets, labels, programs. */
#include "match_fixture.h"

static const char users_file[] = "- name: shared-any\n"
                                 "  apparmor-profiles: ['*']\n"
                                 "  users: ['*']\n"
                                 "- name: shared-alice\n"
                                 "  apparmor-profiles: ['*']\n"
                                 "  users: [alice, 4000]\n"
                                 "- name: shared-staff\n"
                                 "  apparmor-profiles: ['*']\n"
                                 "  users: ['*']\n"
                                 "  groups: [staff]\n"
                                 "- name: shared-wheel\n"
                                 "  apparmor-profiles: ['*']\n"
                                 "  users: ['*']\n"
                                 "  groups: ['0']\n"
                                 "- name: shared-label\n"
                                 "  apparmor-profiles: ['/usr/bin/app']\n"
                                 "  users: ['*']\n"
                                 "- name: users-alone\n"
                                 "  users: ['*']\n"
                                 "- name: label-alone\n"
                                 "  apparmor-profiles: ['*']\n"
                                 "- name: unit-alone\n"
                                 "  units: ['*']\n"
                                 "  executables: ['*']\n"
                                 "- name: hosts-alone\n"
                                 "  hosts: ['*']\n";

static const char sockets_file[] = "- name: own-free\n"
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
                                   "- name: own-any-label\n"
                                   "  socket: true\n"
                                   "  apparmor-profiles: ['*']\n"
                                   "  users: [alice]\n"
                                   "- name: own-unit\n"
                                   "  socket: true\n"
                                   "  units: [app.service]\n"
                                   "- name: own-exe\n"
                                   "  socket: true\n"
                                   "  executables: [/usr/bin/app]\n"
                                   "- name: own-hosts\n"
                                   "  socket:\n"
                                   "    group: staff\n"
                                   "  hosts: ['*']\n"
                                   "- name: own-alice-and-hosts\n"
                                   "  socket: true\n"
                                   "  users: [alice]\n"
                                   "  hosts: ['10.0.0.1']\n";

static const struct match_row user_rows[] = {
    /* the shared socket: both qualifiers, and none that has a socket of its own */
    {UNIX(OTHER), NULL, "shared-any"},
    {UNIX(ALICE), NULL, "shared-any shared-alice"},
    {UNIX(KNOWN, .uid = 4000, .gid = 1), NULL, "shared-any shared-alice"},
    {UNIX(KNOWN, .uid = FIXTURE_BOB, .gid = FIXTURE_STAFF), NULL, "shared-any shared-staff"},
    {UNIX(OTHER, GROUPS(with_staff)), NULL, "shared-any shared-staff"},
    {UNIX(ALICE, GROUPS(with_staff)), NULL, "shared-any shared-alice shared-staff"},
    {UNIX(OTHER, GROUPS(without_staff)), NULL, "shared-any"},
    /* groups that were not learnt do not count, whatever lies there */
    {UNIX(OTHER, .groups = with_staff), NULL, "shared-any"},
    {UNIX(.uid = 1, GROUPS(with_staff)), NULL, "shared-any"},
    /* uid 0 is a number like others */
    {UNIX(ROOT), NULL, "shared-any shared-wheel"},
    {UNIX(KNOWN, .uid = 0, .gid = 1), NULL, "shared-any"},
    /* no credentials: nothing but "*", also where the numbers would fit */
    {UNIX(.uid = FIXTURE_ALICE, .gid = FIXTURE_STAFF), NULL, "shared-any"},
    {UNIX(.uid = 0), NULL, "shared-any"},
    /* a uid is not a gid */
    {UNIX(KNOWN, .uid = FIXTURE_STAFF, .gid = FIXTURE_ALICE), NULL, "shared-any"},
    {UNIX(KNOWN, .uid = (uid_t)-1, .gid = (gid_t)-1), NULL, "shared-any"},
    /* user and label, both */
    {UNIX(OTHER, KERNEL("/usr/bin/app (enforce)")), NULL, "shared-any shared-label"},
    /* sockets of their own: what is absent is not asked */
    {UNIX(OTHER), "own-free", "own-free"},
    {UNIX(.uid = 0), "own-free", "own-free"},
    {UNIX(OTHER, KERNEL("x (enforce)")), "own-free", "own-free"},
    {UNIX(ALICE), "own-alice", "own-alice"},
    {UNIX(OTHER), "own-alice", ""},
    {UNIX(.uid = FIXTURE_ALICE), "own-alice", ""},
    {UNIX(ROOT), "own-alice", ""},
    {UNIX(ROOT), "own-root", "own-root"},
    {UNIX(.uid = 0), "own-root", ""},
    {UNIX(ROOT), "own-staff", ""},
    {UNIX(KNOWN, .uid = 1, .gid = FIXTURE_STAFF), "own-staff", "own-staff"},
    {UNIX(OTHER, GROUPS(with_staff)), "own-staff", "own-staff"},
    {UNIX(.gid = FIXTURE_STAFF), "own-staff", ""},
    {UNIX(.gid = 7), "own-any-group", "own-any-group"},
    {UNIX(.uid = 0, KERNEL("/usr/bin/app (complain)")), "own-label", "own-label"},
    {UNIX(ALICE), "own-label", ""},
    {UNIX(ALICE), "own-any-label", "own-any-label"},
    {UNIX(OTHER), "own-any-label", ""},
    {UNIX(UNIT("app.service")), "own-unit", "own-unit"},
    {UNIX(ROOT), "own-unit", ""},
    {UNIX(ROOT, UNIT("other.service")), "own-unit", ""},
    {UNIX(EXE("/usr/bin/app")), "own-exe", "own-exe"},
    {UNIX(ROOT), "own-exe", ""},
    /* hosts are for other machines */
    {UNIX(ALICE), "own-hosts", ""},
    {UNIX(ALICE, .address = "10.0.0.1"), "own-hosts", ""},
    {UNIX(ALICE), "own-alice-and-hosts", "own-alice-and-hosts"},
    {UNIX(OTHER, .address = "10.0.0.1"), "own-alice-and-hosts", ""},
    /* names of no socket, or of a profile that has none */
    {UNIX(ALICE), "shared-any", ""},
    {UNIX(ALICE), "shared-alice", ""},
    {UNIX(ALICE), "own", ""},
    {UNIX(ALICE), "OWN-ALICE", ""},
    {UNIX(ALICE), "", ""},
};

Test(policy_match, users_groups_and_sockets)
{
    struct policy *policy = policy_new();

    policy_add_file(policy, fixture_file("/profiles/10-users.yml", users_file));
    policy_add_file(policy, fixture_file("/profiles/20-sockets.yml", sockets_file));
    check_matches(policy, "users", user_rows, COUNT(user_rows));
}

#define FOR(name, labels) "- {name: " name ", users: ['*'], apparmor-profiles: " labels
#define ANY_EVIDENCE ", apparmor-evidence: any"
#define KERNEL_ONLY ", apparmor-evidence: kernel-only"

static const char labels_file[] = FOR("app", "[other, app]") "}\n" FOR(
    "app-weak", "[app]") ANY_EVIDENCE "}\n" FOR("app-strong", "[app]")
    KERNEL_ONLY "}\n" FOR("child", "['app//helper']") "}\n" FOR("stack", "['app//&two']") "}\n" FOR("stacked-free", "['app//&unconfined']") "}\n" FOR(
        "namespace",
        "[':ns1:app']") "}\n" FOR("space",
                                  "['my app']") "}\n" FOR("mode-like",
                                                          "['x (enforce)']") "}\n" FOR("path",
                                                                                       "[/usr/bin/"
                                                                                       "app]") "}"
                                                                                               "\n" FOR("path-strong",
                                                                                                        "[/usr/bin/app]")
                                                                                                   KERNEL_ONLY
    "}\n" FOR("free", "[unconfined]") "}\n" FOR("free-strong", "[unconfined]") KERNEL_ONLY
    "}\n" FOR("glob", "['/usr/bin/*', 'a*', '*pp', '**', '?', 'un*']") "}\n" FOR("none",
                                                                                 "[]") "}\n";

static const struct match_row label_rows[] = {
    /* the name alone counts, by what evidence it came decides who takes it */
    {UNIX(OTHER, KERNEL("app (enforce)")), NULL, "app app-weak app-strong"},
    {UNIX(OTHER, PROC("app (enforce)\n")), NULL, "app app-weak"},
    {UNIX(OTHER, HOLDERS("app (enforce)\n")), NULL, "app app-weak"},
    {UNIX(OTHER, NO_EVIDENCE("app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app (complain)")), NULL, "app app-weak app-strong"},
    {UNIX(OTHER, KERNEL("app (unconfined)")), NULL, "app app-weak app-strong"},
    {UNIX(ROOT, KERNEL("other (kill)")), NULL, "app"},
    /* and it counts whole */
    {UNIX(OTHER, KERNEL("App (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("ap (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app2 (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app  (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL(" app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app (enforce) (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("my app (enforce)")), NULL, "space"},
    {UNIX(OTHER, KERNEL("my  app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("x (enforce) (complain)")), NULL, "mode-like"},
    {UNIX(OTHER, KERNEL("x (enforce)")), NULL, ""},
    /* children */
    {UNIX(OTHER, KERNEL("app//helper (enforce)")), NULL, "child"},
    {UNIX(OTHER, KERNEL("app//other (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app//helper//deeper (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app// (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("helper (enforce)")), NULL, ""},
    /* stacks: app//&unconfined is not app */
    {UNIX(OTHER, KERNEL("app//&two (enforce)")), NULL, "stack"},
    {UNIX(OTHER, KERNEL("app//&two (mixed)")), NULL, "stack"},
    {UNIX(OTHER, KERNEL("app//&unconfined (enforce)")), NULL, "stacked-free"},
    {UNIX(OTHER, PROC("app//&unconfined (enforce)\n")), NULL, "stacked-free"},
    {UNIX(OTHER, KERNEL("two//&app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app//&two//&three (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app//&:ns1:app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("unconfined//&app (enforce)")), NULL, ""},
    /* namespaces */
    {UNIX(OTHER, KERNEL(":ns1:app (enforce)")), NULL, "namespace"},
    {UNIX(OTHER, KERNEL(":ns2:app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL(":ns1://app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL(":ns1:unconfined")), NULL, ""},
    {UNIX(OTHER, KERNEL(":ns1:unconfined (enforce)")), NULL, ""},
    /* a star inside a name is a star: profiles without a name are called like that */
    {UNIX(OTHER, KERNEL("/usr/bin/* (enforce)")), NULL, "glob"},
    {UNIX(OTHER, KERNEL("a* (enforce)")), NULL, "glob"},
    {UNIX(OTHER, KERNEL("** (enforce)")), NULL, "glob"},
    {UNIX(OTHER, KERNEL("* (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("y (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("/usr/bin/other (enforce)")), NULL, ""},
    /* a label that is a path */
    {UNIX(OTHER, KERNEL("/usr/bin/app (enforce)")), NULL, "path path-strong"},
    {UNIX(OTHER, PROC("/usr/bin/app (enforce)")), NULL, "path"},
    /* the executable of a confined program is no label */
    {UNIX(OTHER, KERNEL("y (enforce)"), EXE("/usr/bin/app")), NULL, ""},
    {UNIX(OTHER, KERNEL("app (enforce)"), EXE("/usr/bin/app")), NULL, "app app-weak app-strong"},
    {UNIX(OTHER, KERNEL("app//&unconfined (enforce)"), EXE("/usr/bin/app")), NULL, "stacked-free"},
    {UNIX(OTHER, KERNEL("y (unconfined)"), EXE("/usr/bin/app")), NULL, ""},
    /* unconfined: by that word, or by the path of its executable */
    {UNIX(OTHER, KERNEL("unconfined")), NULL, "free free-strong"},
    {UNIX(OTHER, PROC("unconfined\n")), NULL, "free"},
    {UNIX(OTHER, HOLDERS("unconfined\n")), NULL, "free"},
    {UNIX(OTHER, NO_EVIDENCE("unconfined")), NULL, ""},
    {UNIX(OTHER, KERNEL("unconfined"), EXE("/usr/bin/app")), NULL, "path free free-strong"},
    {UNIX(OTHER, PROC("unconfined\n"), EXE("/usr/bin/app")), NULL, "path free"},
    {UNIX(OTHER, NO_EVIDENCE("unconfined"), EXE("/usr/bin/app")), NULL, ""},
    {UNIX(ROOT, PROC("unconfined\n"), EXE("/usr/bin/other")), NULL, "free"},
    {UNIX(OTHER, PROC("unconfined\n"), EXE("/usr/bin/app (deleted)")), NULL, "free"},
    {UNIX(OTHER, PROC("unconfined\n"), EXE("/usr/bin/*")), NULL, "free glob"},
    {UNIX(OTHER, PROC("unconfined\n"), UNIT("/usr/bin/app")), NULL, "free"},
    /* a profile called unconfined is not that state */
    {UNIX(OTHER, KERNEL("unconfined (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("unconfined (enforce)"), EXE("/usr/bin/app")), NULL, ""},
    {UNIX(OTHER, KERNEL("unconfined2 (enforce)")), NULL, ""},
    /* unknown: nobody's, whatever else is known */
    {UNIX(OTHER), NULL, ""},
    {UNIX(ROOT), NULL, ""},
    {UNIX(OTHER, EXE("/usr/bin/app")), NULL, ""},
    {UNIX(OTHER, KERNEL("")), NULL, ""},
    {UNIX(OTHER, KERNEL("app")), NULL, ""},
    {UNIX(OTHER, KERNEL("app (nonsense)")), NULL, ""},
    {UNIX(OTHER, KERNEL("app (enforce)\n\n")), NULL, ""},
    {UNIX(OTHER, KERNEL("app\n (enforce)")), NULL, ""},
};

Test(policy_match, labels)
{
    check_matches(fixture_policy(labels_file), "labels", label_rows, COUNT(label_rows));
}

/* With the configuration's kernel-only, where the profile does not say otherwise. */
static const struct match_row strict_rows[] = {
    {UNIX(OTHER, KERNEL("app (enforce)")), NULL, "app app-weak app-strong"},
    {UNIX(OTHER, PROC("app (enforce)\n")), NULL, "app-weak"},
    {UNIX(OTHER, HOLDERS("app (enforce)\n")), NULL, "app-weak"},
    {UNIX(OTHER, NO_EVIDENCE("app (enforce)")), NULL, ""},
    {UNIX(OTHER, KERNEL("unconfined"), EXE("/usr/bin/app")), NULL, "free free-strong"},
    {UNIX(OTHER, PROC("unconfined\n"), EXE("/usr/bin/app")), NULL, ""},
    {UNIX(OTHER, KERNEL("/usr/bin/app (enforce)")), NULL, "path path-strong"},
    {LOCAL(OTHER, HOLDERS("app (enforce)\n")), NULL, "app-weak"},
};

Test(policy_match, kernel_evidence_only)
{
    struct policy *policy = fixture_policy(labels_file);

    policy->kernel_evidence_only = true;
    check_matches(policy, "strict", strict_rows, COUNT(strict_rows));
    policy = fixture_policy(users_file);
    policy->kernel_evidence_only = true;
    /* It is about labels: who asks for none is not concerned. */
    static const struct match_row row[] = {{UNIX(ALICE), NULL, "shared-any shared-alice"}};
    check_matches(policy, "strict", row, 1);
}

#define LOCALS "users: ['*'], apparmor-profiles: ['*']"

static const char programs_file[] =
    "- {name: exe, " LOCALS ", executables: [/usr/bin/x, /usr/bin/app]}\n"
    "- {name: exe-any, " LOCALS ", executables: ['*']}\n"
    "- {name: exe-star, " LOCALS ", executables: ['/usr/bin/*']}\n"
    "- {name: exe-none, " LOCALS ", executables: []}\n"
    "- {name: both, users: ['*'], apparmor-profiles: [app], executables: [/usr/bin/app]}\n"
    "- {name: unit, " LOCALS ", units: [x.service, app.service]}\n"
    "- {name: unit-any, " LOCALS ", units: ['*']}\n"
    "- {name: unit-none, " LOCALS ", units: []}\n"
    "- {name: instance, " LOCALS ", units: ['app@*.service']}\n"
    "- {name: parts, " LOCALS ", units: ['a*b*c*.scope']}\n"
    "- {name: all, users: [alice], groups: [staff], apparmor-profiles: [app], "
    "executables: [/usr/bin/app], units: [app.service]}\n";

#define ANY "exe-any unit-any"

static const struct match_row program_rows[] = {
    {UNIX(OTHER), NULL, ANY},
    {UNIX(OTHER, EXE("/usr/bin/app")), NULL, "exe " ANY},
    {UNIX(OTHER, EXE("/usr/bin/x")), NULL, "exe " ANY},
    {UNIX(OTHER, EXE("/usr/bin/app2")), NULL, ANY},
    {UNIX(OTHER, EXE("/usr/bin/app (deleted)")), NULL, ANY},
    {UNIX(OTHER, EXE("/usr/bin/")), NULL, ANY},
    {UNIX(OTHER, EXE("usr/bin/app")), NULL, ANY},
    {UNIX(OTHER, EXE("")), NULL, ANY},
    {UNIX(OTHER, EXE("*")), NULL, ANY},
    {UNIX(OTHER, EXE("/usr/bin/*")), NULL, "exe-any exe-star unit-any"},
    /* in addition to the label, never in its place */
    {UNIX(OTHER, KERNEL("app (enforce)")), NULL, ANY},
    {UNIX(OTHER, KERNEL("app (enforce)"), EXE("/usr/bin/app")), NULL, "exe exe-any both unit-any"},
    {UNIX(OTHER, KERNEL("app (enforce)"), EXE("/usr/bin/sh")), NULL, ANY},
    {UNIX(OTHER, KERNEL("two (enforce)"), EXE("/usr/bin/app")), NULL, "exe " ANY},
    {UNIX(OTHER, KERNEL("unconfined"), EXE("/usr/bin/app")), NULL, "exe " ANY},
    /* units: a star is any text inside the whole name */
    {UNIX(OTHER, UNIT("app.service")), NULL, "exe-any unit unit-any"},
    {UNIX(OTHER, UNIT("App.service")), NULL, ANY},
    {UNIX(OTHER, UNIT("app.service.d")), NULL, ANY},
    {UNIX(OTHER, UNIT("app")), NULL, ANY},
    {UNIX(OTHER, UNIT("")), NULL, ANY},
    {UNIX(OTHER, UNIT("app@1.service")), NULL, "exe-any unit-any instance"},
    {UNIX(OTHER, UNIT("app@.service")), NULL, "exe-any unit-any instance"},
    {UNIX(OTHER, UNIT("app@a.service.service")), NULL, "exe-any unit-any instance"},
    {UNIX(OTHER, UNIT("app@a.scope")), NULL, ANY},
    {UNIX(OTHER, UNIT("xapp@1.service")), NULL, ANY},
    {UNIX(OTHER, UNIT("app@1.services")), NULL, ANY},
    {UNIX(OTHER, UNIT("app1.service")), NULL, ANY},
    {UNIX(OTHER, UNIT("app@*.service")), NULL, "exe-any unit-any instance"},
    {UNIX(OTHER, UNIT("*")), NULL, ANY},
    {UNIX(OTHER, UNIT("abc.scope")), NULL, "exe-any unit-any parts"},
    {UNIX(OTHER, UNIT("aXbXcX.scope")), NULL, "exe-any unit-any parts"},
    {UNIX(OTHER, UNIT("abcabc.scope.scope")), NULL, "exe-any unit-any parts"},
    {UNIX(OTHER, UNIT("acb.scope")), NULL, ANY},
    {UNIX(OTHER, UNIT("ab.scope")), NULL, ANY},
    {UNIX(OTHER, UNIT("abc.scop")), NULL, ANY},
    /* all at once, and each of them missing */
    {UNIX(ALICE, GROUPS(with_staff), KERNEL("app (enforce)"), EXE("/usr/bin/app"),
          UNIT("app.service")),
     NULL, "exe exe-any both unit unit-any all"},
    {UNIX(OTHER, GROUPS(with_staff), KERNEL("app (enforce)"), EXE("/usr/bin/app"),
          UNIT("app.service")),
     NULL, "exe exe-any both unit unit-any"},
    {UNIX(ALICE, GROUPS(without_staff), KERNEL("app (enforce)"), EXE("/usr/bin/app"),
          UNIT("app.service")),
     NULL, "exe exe-any both unit unit-any"},
    {UNIX(ALICE, GROUPS(with_staff), KERNEL("two (enforce)"), EXE("/usr/bin/app"),
          UNIT("app.service")),
     NULL, "exe exe-any unit unit-any"},
    {UNIX(ALICE, GROUPS(with_staff), KERNEL("app (enforce)"), EXE("/usr/bin/two"),
          UNIT("app.service")),
     NULL, "exe-any unit unit-any"},
    {UNIX(ALICE, GROUPS(with_staff), KERNEL("app (enforce)"), EXE("/usr/bin/app"),
          UNIT("two.service")),
     NULL, "exe exe-any both unit-any"},
};

Test(policy_match, programs_and_units)
{
    check_matches(fixture_policy(programs_file), "programs", program_rows, COUNT(program_rows));
}

/* The longest names, and as many stars as fit into one: no more than the product of both. */
Test(policy_match, a_hostile_unit_name_costs_little, .timeout = 10)
{
    struct client client = UNIX(OTHER);
    char stars[256], name[65536];
    struct policy_view view;

    for (size_t i = 0; i < sizeof stars - 1; i++)
        stars[i] = i % 2 ? '*' : 'a';
    stars[sizeof stars - 2] = 'b';
    stars[sizeof stars - 1] = '\0';
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    char *yaml = mem_printf("- {name: stars, " LOCALS ", units: ['%s']}\n", stars);
    struct policy *policy = fixture_policy(yaml);
    free(yaml);
    for (size_t i = 0; i < 2; i++) {
        client.unit = name;
        struct identity identity = client_identity(&client);
        policy_match(policy, &identity, NULL, &view);
        cr_expect_eq(view.count, i, "round %zu", i);
        policy_view_clear(&view);
        identity_clear(&identity);
        name[sizeof name - 2] = 'b';
    }
    policy_unref(policy);
}

/* What the shell may not make, should it do so all the same. */
Test(policy_match, facts_that_contradict_each_other)
{
    struct policy *policy = fixture_policy(labels_file);
    struct identity identity = {.transport = IDENTITY_UNIX, .has_credentials = true};
    struct policy_view view;

    /* a label left over in an identity that does not know it */
    identity_set_label(&identity, "app (enforce)", strlen("app (enforce)"), EVIDENCE_KERNEL);
    identity.label_state = IDENTITY_LABEL_UNKNOWN;
    policy_match(policy, &identity, NULL, &view);
    cr_expect_eq(view.count, 0);
    policy_view_clear(&view);
    /* or in one that is unconfined */
    identity.label_state = IDENTITY_UNCONFINED;
    policy_match(policy, &identity, NULL, &view);
    cr_expect_eq(view.count, 2, "free and free-strong");
    policy_view_clear(&view);
    /* confined by nothing */
    free(identity.label);
    identity.label = NULL;
    identity.label_state = IDENTITY_CONFINED;
    policy_match(policy, &identity, NULL, &view);
    cr_expect_eq(view.count, 0);
    policy_view_clear(&view);
    identity_clear(&identity);
    policy_unref(policy);
}

Test(policy_match, order_is_that_of_the_files_then_of_the_places)
{
    static const char *const texts[] = {
        "- {name: z, " LOCALS "}\n- {name: a, " LOCALS "}\n",
        "- {name: m, " LOCALS "}\n- {name: none, users: [bob], apparmor-profiles: ['*']}\n",
        "- {name: b, users: [alice], apparmor-profiles: [app]}\n- {name: a, " LOCALS "}\n",
    };
    static const struct match_row rows[] = {
        {UNIX(ALICE, KERNEL("app (enforce)")), NULL, "z a m b a"},
        {UNIX(OTHER, KERNEL("app (enforce)")), NULL, "z a m a"},
    };
    struct policy *policy = policy_new();

    for (size_t i = 0; i < COUNT(texts); i++)
        policy_add_file(policy, fixture_file("/profiles/x.yml", texts[i]));
    check_matches(policy, "order", rows, COUNT(rows));
}
