/* What a profile's qualifiers are worth (design 2).
 *
 * A label restricts and does not prove who somebody is, but it is what it says, by whichever
 * evidence. A path is known for as long as a process keeps its program, and whoever runs a program
 * decides what it does. */
#include "lint_parts.h"

static bool is_shared(const struct profile *profile)
{
    return !profile->socket.is_wanted && profile->users.is_present &&
           profile->apparmor_profiles.is_present;
}

static bool is_for_everybody(const struct profile *profile)
{
    return is_shared(profile) && profile->users.is_any && profile->apparmor_profiles.is_any &&
           (!profile->groups.is_present || profile->groups.is_any) &&
           (!profile->executables.is_present || profile->executables.is_any) &&
           (!profile->units.is_present || profile->units.is_any);
}

static bool is_for_all_hosts(const struct profile *profile)
{
    const struct host_qualifier *hosts = &profile->hosts;

    if (profile->socket.is_wanted || !hosts->is_present)
        return false;
    for (size_t i = 0; i < hosts->count; i++)
        if (hosts->networks[i].prefix == 0)
            return true;
    return hosts->is_any;
}

static void lint_reach(struct lint *lint, const struct profile *profile)
{
    struct source where;
    const char *what;

    if (!is_for_everybody(profile) && !is_for_all_hosts(profile))
        return;
    if (!lint_find_power(profile, &where, &what))
        return;
    if (is_for_everybody(profile))
        lint_warning(lint, profile->users.where, "weak-identity",
                     "everybody on this machine may use this profile, and line %u gives them: %s; "
                     "name users, groups, labels, executables or units in place of '*'",
                     where.line, what);
    if (is_for_all_hosts(profile))
        lint_warning(lint, profile->hosts.where, "weak-identity",
                     "every machine that can reach onion-grater may use this profile, and line %u "
                     "gives them: %s; name addresses or networks",
                     where.line, what);
}

/* Whether labels are listed, and all are paths, which stand for unconfined programs, too. */
static bool has_path_labels(const struct profile *profile)
{
    const struct qualifier *labels = &profile->apparmor_profiles;

    if (!labels->is_present || labels->is_any ||
        profile->apparmor_evidence == PROFILE_EVIDENCE_KERNEL_ONLY)
        return false;
    for (size_t i = 0; i < labels->count; i++)
        if (labels->names[i][0] != '/')
            return false;
    return labels->count > 0;
}

static bool has_executables(const struct profile *profile)
{
    return profile->executables.is_present && !profile->executables.is_any;
}

static bool is_known_by_path(const struct profile *profile)
{
    const struct qualifier *labels = &profile->apparmor_profiles;
    bool has_label = labels->is_present && !labels->is_any && !has_path_labels(profile);

    return !has_label && (has_path_labels(profile) || has_executables(profile));
}

static void lint_path(struct lint *lint, const struct profile *profile)
{
    struct source where =
        has_path_labels(profile) ? profile->apparmor_profiles.where : profile->executables.where;

    if (!is_known_by_path(profile))
        return;
    if (profile->writer_any)
        lint_warning(lint, where, "weak-identity",
                     "the client is known by the path of its program alone, and with 'writer: any' "
                     "whatever that program hands the connection to may use it; give it an "
                     "AppArmor profile with a name, or take 'writer: any' out");
    else
        lint_note(lint, where, "weak-identity",
                  "%s: a user who runs that program can also change what it does; an AppArmor "
                  "profile with a name of its own is worth more",
                  has_path_labels(profile)
                      ? "a path here also means the program of that path when nothing confines it"
                      : "the client is known by the path of its program alone");
}

void lint_clients(struct lint *lint, const struct profile *profile)
{
    lint_reach(lint, profile);
    lint_path(lint, profile);
    if (is_shared(profile) && profile->apparmor_profiles.is_any && !profile->users.is_any &&
        !has_executables(profile) && !profile->units.is_present)
        lint_note(lint, profile->apparmor_profiles.where, "weak-identity",
                  "'*' is any program of these users; name the application's label to keep the "
                  "others out");
}
