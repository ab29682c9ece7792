/* A generation of profiles, and who may use which of them.
 *
 * Matching fails closed (design 3.2, 3.4): a profile serves a client only if every qualifier it has
 * for local clients is met by a fact that the kernel gave. What is unknown meets nothing but "*".
 * AppArmor labels are not learnt by this version, so a profile that names one matches nobody;
 * clients over TCP have no identity yet and match nothing at all. uid 0 has no special right. */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct policy *policy_new(void)
{
    struct policy *policy = mem_zalloc(1, sizeof *policy);

    policy->references = 1;
    return policy;
}

struct policy *policy_ref(struct policy *policy)
{
    policy->references++;
    return policy;
}

void policy_unref(struct policy *policy)
{
    if (!policy || --policy->references > 0)
        return;
    for (size_t i = 0; i < policy->count; i++)
        profile_file_unref(policy->files[i]);
    free(policy->files);
    free(policy);
}

void policy_add_file(struct policy *policy, struct profile_file *file)
{
    policy->files = mem_resize(policy->files, policy->count + 1, sizeof *policy->files);
    policy->files[policy->count++] = file;
}

const struct profile *policy_find_profile(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct profile_file *file = policy->files[i];
        for (size_t j = 0; j < file->count; j++)
            if (strcmp(file->profiles[j].name, name) == 0)
                return &file->profiles[j];
    }
    return NULL;
}

static bool ids_contain(const struct id_qualifier *qualifier, id_t id)
{
    /* The kernel's word for "no id". */
    if (id == (id_t)-1)
        return false;
    for (size_t i = 0; i < qualifier->count; i++)
        if (qualifier->ids[i] == id)
            return true;
    return false;
}

static bool user_matches(const struct id_qualifier *users, const struct identity *identity)
{
    return users->is_any || (identity->has_credentials && ids_contain(users, identity->uid));
}

static bool group_matches(const struct id_qualifier *groups, const struct identity *identity)
{
    if (groups->is_any)
        return true;
    if (!identity->has_credentials)
        return false;
    if (ids_contain(groups, identity->gid))
        return true;
    if (!identity->has_groups)
        return false;
    for (size_t i = 0; i < identity->group_count; i++)
        if (ids_contain(groups, identity->groups[i]))
            return true;
    return false;
}

/* Whether every qualifier for local clients that the profile has is met. */
static bool qualifiers_match(const struct profile *profile, const struct identity *identity)
{
    if (profile->apparmor_profiles.is_present && !profile->apparmor_profiles.is_any)
        return false;
    if (profile->users.is_present && !user_matches(&profile->users, identity))
        return false;
    return !profile->groups.is_present || group_matches(&profile->groups, identity);
}

/* Whether the profile is for clients in other machines alone. */
static bool is_remote_only(const struct profile *profile)
{
    return profile->hosts.is_present && !profile->apparmor_profiles.is_present &&
           !profile->users.is_present && !profile->groups.is_present;
}

/* Whether the profile is offered at the socket that the client came in by. */
static bool socket_matches(const struct profile *profile, const char *socket_profile)
{
    if (!socket_profile)
        return !profile->socket.is_wanted && profile->apparmor_profiles.is_present &&
               profile->users.is_present;
    return profile->socket.is_wanted && strcmp(profile->name, socket_profile) == 0;
}

static bool profile_matches(const struct profile *profile, const struct identity *identity,
                            const char *socket_profile)
{
    return identity->transport == IDENTITY_UNIX && socket_matches(profile, socket_profile) &&
           !is_remote_only(profile) && qualifiers_match(profile, identity);
}

static void view_add(struct policy_view *view, const struct profile *profile)
{
    view->profiles = mem_resize(view->profiles, view->count + 1, sizeof(const struct profile *));
    view->profiles[view->count++] = profile;
}

void policy_view_clear(struct policy_view *view)
{
    free(view->profiles);
    *view = (struct policy_view){0};
}

void policy_match(const struct policy *policy, const struct identity *identity,
                  const char *socket_profile, struct policy_view *view_out)
{
    *view_out = (struct policy_view){0};
    for (size_t i = 0; i < policy->count; i++) {
        const struct profile_file *file = policy->files[i];
        for (size_t j = 0; j < file->count; j++)
            if (profile_matches(&file->profiles[j], identity, socket_profile))
                view_add(view_out, &file->profiles[j]);
    }
}
