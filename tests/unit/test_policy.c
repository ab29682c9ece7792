/* The life of a policy generation, and profiles by their names. */
#include "profile_fixture.h"

static const char first_file[] = "- name: shared-any\n"
                                 "  apparmor-profiles: ['*']\n"
                                 "  users: ['*']\n";

static const char second_file[] = "- name: own-alice\n"
                                  "  socket: true\n"
                                  "  users: [alice]\n"
                                  "- name: own-alice-and-hosts\n"
                                  "  socket: true\n"
                                  "  users: [alice]\n"
                                  "  hosts: ['10.0.0.1']\n";

static struct policy *two_files(void)
{
    struct policy *policy = policy_new();

    policy_add_file(policy, fixture_file("/profiles/10-first.yml", first_file));
    policy_add_file(policy, fixture_file("/profiles/20-second.yml", second_file));
    return policy;
}

Test(policy, empty_policy_matches_nobody)
{
    struct policy *policy = policy_new();
    struct policy_view view = fixture_view(policy);

    cr_expect_eq(view.count, 0);
    cr_expect_not(policy->kernel_evidence_only);
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
    } rows[] = {{"shared-any", true},
                {"own-alice-and-hosts", true},
                {"own-alic", false},
                {"Shared-any", false},
                {"", false}};

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
