/* A profile that can match nobody on this machine is said to be so when it is loaded, with its
 * place; the first client that is turned away would be a bad time to find out. */
#include "peer_notice.h"

#include "log.h"

void peer_notice_system(const struct peer_system *system)
{
    if (!system->has_apparmor)
        log_at(LOG_LEVEL_NOTICE, "AppArmor is not enabled: clients have no label; users, groups, "
                                 "executables and units are checked");
    else if (system->has_kernel_labels)
        log_at(LOG_LEVEL_NOTICE, "AppArmor is enabled: labels come from the kernel (SO_PEERSEC) "
                                 "and have to agree with /proc");
    else
        log_at(LOG_LEVEL_NOTICE, "AppArmor is enabled: labels come from /proc, as this kernel "
                                 "(before Linux 6.17) does not note them for sockets");
}

/* Why no label ever suffices for the profile, or NULL. */
static const char *find_obstacle(const struct peer_system *system, const struct policy *policy,
                                 const struct profile *profile)
{
    struct policy_view view = {.profiles = &profile, .count = 1};
    struct identity_needs needs = identity_needs_of_view(policy, &view);

    if (!needs.label)
        return NULL;
    if (!system->has_apparmor)
        return "AppArmor is not enabled";
    if (needs.kernel_label && !system->has_kernel_labels)
        return "apparmor-evidence is kernel-only, and this kernel (before Linux 6.17) has none";
    return NULL;
}

void peer_notice_profiles(const struct peer_system *system, const struct policy *policy,
                          struct diag_list *diags)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct profile_file *file = policy->files[i];
        for (size_t j = 0; j < file->count; j++) {
            const struct profile *profile = &file->profiles[j];
            const char *obstacle = find_obstacle(system, policy, profile);
            if (obstacle)
                diag_add(diags, DIAG_WARNING, profile->apparmor_profiles.where,
                         "%s: profile %s asks for an AppArmor label, so it matches no local "
                         "client",
                         obstacle, profile->name);
        }
    }
}
