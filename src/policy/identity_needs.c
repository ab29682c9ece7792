/* What has to be known of a client.
 *
 * Anybody may connect as often as he likes, so his connection costs no look-up that no profile for
 * his user asks for. To ask too much is slow, to ask too little fails closed: an unknown fact
 * matches nothing. */
#include "identity_needs.h"

#include <string.h>

static bool is_asked(const struct qualifier *qualifier)
{
    return qualifier->is_present && !qualifier->is_any;
}

static bool lists_path(const struct qualifier *qualifier)
{
    for (size_t i = 0; i < qualifier->count; i++)
        if (qualifier->names[i][0] == '/')
            return true;
    return false;
}

static bool is_kernel_only(const struct policy *policy, const struct profile *profile)
{
    return profile->apparmor_evidence == PROFILE_EVIDENCE_KERNEL_ONLY ||
           (profile->apparmor_evidence == PROFILE_EVIDENCE_INHERIT && policy->kernel_evidence_only);
}

static void add_profile(struct identity_needs *needs, const struct policy *policy,
                        const struct profile *profile)
{
    if (is_asked(&profile->apparmor_profiles)) {
        needs->label = true;
        needs->kernel_label = needs->kernel_label || is_kernel_only(policy, profile);
        needs->unconfined_path = needs->unconfined_path || lists_path(&profile->apparmor_profiles);
    }
    needs->executable = needs->executable || is_asked(&profile->executables);
    needs->unit = needs->unit || is_asked(&profile->units);
    needs->writer = needs->writer || !profile->writer_any;
}

static bool user_matches(const struct id_qualifier *users, const struct identity *identity)
{
    if (!users->is_present || users->is_any)
        return true;
    for (size_t i = 0; identity->has_credentials && i < users->count; i++)
        if (users->ids[i] == identity->uid)
            return true;
    return false;
}

static bool is_offered(const struct profile *profile, const char *socket_profile)
{
    if (!socket_profile)
        return !profile->socket.is_wanted;
    return profile->socket.is_wanted && strcmp(profile->name, socket_profile) == 0;
}

bool identity_needs_process(const struct identity_needs *needs)
{
    return needs->label || needs->executable || needs->unit;
}

struct identity_needs identity_needs_of_client(const struct policy *policy,
                                               const struct identity *identity,
                                               const char *socket_profile)
{
    struct identity_needs needs = {0};

    for (size_t i = 0; i < policy->count; i++) {
        const struct profile_file *file = policy->files[i];
        for (size_t j = 0; j < file->count; j++) {
            const struct profile *profile = &file->profiles[j];
            if (is_offered(profile, socket_profile) && user_matches(&profile->users, identity))
                add_profile(&needs, policy, profile);
        }
    }
    return needs;
}

struct identity_needs identity_needs_of_view(const struct policy *policy,
                                             const struct policy_view *view)
{
    struct identity_needs needs = {0};

    for (size_t i = 0; i < view->count; i++)
        add_profile(&needs, policy, view->profiles[i]);
    return needs;
}
