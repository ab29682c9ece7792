/* The rules are loaded and looked at as a profile of a client about whom there is nothing to say,
 * so that every message is about them. */
#include "allowance.h"

#include "learn.h"
#include "lint.h"
#include "profile_load.h"

#define ALLOWANCE_MAX_TEXT (256 * 1024)

/* A client about which check has nothing to say. */
#define SOMEBODY "- name: 'draft'\n  apparmor-profiles: ['draft']\n  users: ['0']\n"

static bool no_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    (void)name;
    (void)uid_out;
    return false;
}

static bool no_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    (void)name;
    (void)gid_out;
    return false;
}

static bool grants_something(const struct profile *profile)
{
    return profile->command_count > 0 || profile->conf_count > 0 || profile->event_count > 0 ||
           profile->onions.is_present;
}

/* Has the rules loaded and looked at. */
static void check_rules(struct allowance *allowance)
{
    static const struct name_resolver nobody = {no_user, no_group, NULL};
    struct buf text;

    buf_init(&text, ALLOWANCE_MAX_TEXT);
    buf_append_string(&text, SOMEBODY);
    buf_append(&text, buf_span(&allowance->rules));
    struct profile_file *file =
        profile_load("draft.yml", buf_span(&text), &nobody, &allowance->messages);
    if (file && file->count == 1) {
        allowance->is_granted = grants_something(&file->profiles[0]);
        lint_file(file, &allowance->messages);
    }
    profile_file_unref(file);
    buf_clear(&text);
}

bool allowance_of_complaint(struct span complaint, struct allowance *allowance_out)
{
    struct allowance *allowance = allowance_out;
    struct learn *learn = learn_new();

    *allowance = (struct allowance){.is_granted = false};
    buf_init(&allowance->rules, ALLOWANCE_MAX_TEXT);
    buf_init(&allowance->profile, ALLOWANCE_MAX_TEXT);
    diag_list_init(&allowance->messages);
    learn_take(learn, complaint);
    bool done = learn_write(learn, NULL, &allowance->profile) &&
                learn_write_grants(learn, &allowance->rules);
    if (done)
        check_rules(allowance);
    learn_free(learn);
    return done;
}

void allowance_clear(struct allowance *allowance)
{
    buf_clear(&allowance->rules);
    buf_clear(&allowance->profile);
    diag_list_clear(&allowance->messages);
}
