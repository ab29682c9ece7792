/* What a reload is said to have changed, and complain mode of some profiles across it. */
#include "policy_changes.h"

#include "complaining.h"
#include "profile_fixture.h"

#define P(name, rules) "- name: " name "\n  socket: true\n  users: ['0']\n  commands: {" rules "}\n"
/* Not with a socket: then there may be several of one name. */
#define S(name, rules) \
    "- name: " name "\n  apparmor-profiles: ['*']\n  users: ['0']\n  commands: {" rules "}\n"

static void note(void *context, enum policy_change change, const char *name)
{
    buf_printf(context, "%s %s\n", policy_change_text(change), name);
}

Test(policy_changes, are_told_by_name)
{
    static const struct {
        const char *former; /* NULL: none */
        const char *next;
        const char *told;
    } rows[] = {
        {NULL, P("a", "GETINFO: [version]") P("b", ""), "added a\nadded b\n"},
        {P("a", "GETINFO: [version]"), P("a", "GETINFO: [version]"), ""},
        {P("a", "GETINFO: [version]"), "", "removed a\n"},
        {P("a", "GETINFO: [version]"), P("a", "GETINFO: [uptime]"), "altered a\n"},
        /* how it is written is nobody's business */
        {P("a", "GETINFO: [version]"),
         "# new\n- name: a\n  socket: true\n  users:\n    - '0'\n  commands:\n    GETINFO:\n"
         "    - version\n",
         ""},
        /* a list is not its elements */
        {P("a", "GETINFO: [version, uptime]"), P("a", "GETINFO: [version], SIGNAL: [uptime]"),
         "altered a\n"},
        {P("b", "") P("d", ""), P("a", "") P("c", "") P("d", "GETINFO: [x]"),
         "added a\nremoved b\nadded c\naltered d\n"},
        /* several of one name: as one, in whatever order */
        {S("a", "GETINFO: [version]") S("a", "GETINFO: [uptime]"),
         S("a", "GETINFO: [uptime]") S("a", "GETINFO: [version]"), ""},
        {S("a", "GETINFO: [version]") S("a", "GETINFO: [uptime]"), S("a", "GETINFO: [version]"),
         "altered a\n"},
        {"", "", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy *former = rows[i].former ? fixture_policy(rows[i].former) : NULL;
        struct policy *next = fixture_policy(rows[i].next);
        struct buf told;
        buf_init(&told, 4096);
        policy_changes(former, next, note, &told);
        cr_expect(span_equals(buf_span(&told), span_from_string(rows[i].told)), "row %zu: %.*s", i,
                  (int)told.len, buf_span(&told).data);
        buf_clear(&told);
        policy_unref(former);
        policy_unref(next);
    }
}

/* --- complain mode of some --- */

static const struct identity root = {.transport = IDENTITY_UNIX, .has_credentials = true};

/* Whether a client of that socket has complain mode. */
static bool complains(const struct policy *policy, const char *socket)
{
    struct policy_view view;

    policy_match(policy, &root, socket, &view);
    bool is_on = view.complain != NULL;
    cr_expect_eq(is_on, complaining_find(policy, &view) != NULL);
    policy_view_clear(&view);
    return is_on;
}

Test(complaining, is_of_the_profiles_that_were_named)
{
    struct policy *policy = fixture_policy(P("a", "") P("b", ""));

    cr_expect_not(complains(policy, "a"));
    cr_expect_not(complaining_set(policy, "c", true), "there is no such profile");
    cr_expect(complaining_set(policy, "a", true));
    cr_expect(complaining_set(policy, "a", true), "again");
    cr_expect_eq(policy->complaining.count, 1);
    cr_expect(complains(policy, "a"));
    cr_expect(complaining_has(policy, "a"));
    cr_expect_not(complains(policy, "b"), "nobody else");
    cr_expect_not(complains(policy, "c"), "whom no profile serves is refused");
    cr_expect(complaining_set(policy, "a", false));
    cr_expect(complaining_set(policy, "a", false), "again");
    cr_expect_not(complains(policy, "a"));
    policy_unref(policy);
}

Test(complaining, is_inherited_by_those_that_are_still_there)
{
    struct policy *former = fixture_policy(P("a", "") P("b", "") P("c", ""));
    struct policy *next = fixture_policy(P("b", "GETINFO: [version]") P("c", ""));

    cr_expect(complaining_set(former, "a", true) && complaining_set(former, "b", true));
    complaining_inherit(next, former);
    policy_unref(former);
    cr_expect_eq(next->complaining.count, 1);
    cr_expect(complains(next, "b"));
    cr_expect_not(complains(next, "c"));
    policy_unref(next);
}

/* A profile of complain mode is a profile: a client with several gets it if one of them has it. */
Test(complaining, one_of_several_is_enough)
{
    struct policy *policy = fixture_policy(S("a", "") S("b", ""));

    cr_expect(complaining_set(policy, "b", true));
    cr_expect(complains(policy, NULL));
    policy_unref(policy);
}
