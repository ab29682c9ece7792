/* Who may use which profile: facts in, profiles out (design 2, 3.2, 3.4).
 *
 * A profile serves a client only if every qualifier that counts for the client's transport is met
 * by a fact that is known; what is unknown meets nothing but "*". An AppArmor label is compared
 * whole, stacks and namespaces included: a task in "a//&unconfined" got into "a" from outside, and
 * is less restricted than "a" says. uid 0 has no special right, and tor itself none at all: an
 * onion service may point at us.
 *
 * The qualifiers are asked in one order, that of enum policy_outcome, so that of several profiles
 * that do not match the one that came farthest can say why. */
#include "policy.h"

#include <string.h>

#include "mem.h"

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
    return !users->is_present || users->is_any ||
           (identity->has_credentials && ids_contain(users, identity->uid));
}

/* Over TCP nobody says what the primary group is. */
static bool has_primary_group(const struct identity *identity)
{
    return identity->has_credentials && identity->transport == IDENTITY_UNIX;
}

static bool group_matches(const struct id_qualifier *groups, const struct identity *identity)
{
    if (!groups->is_present || groups->is_any)
        return true;
    if (has_primary_group(identity) && ids_contain(groups, identity->gid))
        return true;
    if (!identity->has_credentials || !identity->has_groups)
        return false;
    for (size_t i = 0; i < identity->group_count; i++)
        if (ids_contain(groups, identity->groups[i]))
            return true;
    return false;
}

/* Whether the name, NULL: unknown, is one of the qualifier's. */
static bool names_contain(const struct qualifier *qualifier, const char *name)
{
    if (!name)
        return false;
    for (size_t i = 0; i < qualifier->count; i++)
        if (strcmp(qualifier->names[i], name) == 0)
            return true;
    return false;
}

static bool executable_matches(const struct qualifier *executables, const struct identity *identity)
{
    return !executables->is_present || executables->is_any ||
           names_contain(executables, identity->executable);
}

/* "*" is any text, also none. The last star only is ever tried again: that suffices, and keeps it
 * at the product of both lengths. */
static bool glob_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool unit_matches(const struct qualifier *units, const struct identity *identity)
{
    if (!units->is_present || units->is_any)
        return true;
    for (size_t i = 0; identity->unit && i < units->count; i++)
        if (glob_matches(units->names[i], identity->unit))
            return true;
    return false;
}

static bool is_kernel_only(const struct policy *policy, const struct profile *profile)
{
    switch (profile->apparmor_evidence) {
    case PROFILE_EVIDENCE_INHERIT:
        return policy->kernel_evidence_only;
    case PROFILE_EVIDENCE_ANY:
        return false;
    case PROFILE_EVIDENCE_KERNEL_ONLY:
        return true;
    }
    return true;
}

static enum policy_outcome ask_label(const struct policy *policy, const struct profile *profile,
                                     const struct identity *identity)
{
    const struct qualifier *labels = &profile->apparmor_profiles;
    enum identity_evidence evidence = identity->label_evidence;
    bool kernel_only = is_kernel_only(policy, profile);

    if (!labels->is_present || labels->is_any)
        return POLICY_MATCH;
    if (names_contain(labels, identity_label_name(identity)))
        return evidence == EVIDENCE_KERNEL || (!kernel_only && evidence != EVIDENCE_NONE)
                   ? POLICY_MATCH
                   : POLICY_EVIDENCE;
    /* An unconfined program goes by its path as well. That is /proc's word, never the kernel's. */
    if (identity->label_state != IDENTITY_UNCONFINED ||
        !names_contain(labels, identity->executable))
        return POLICY_LABEL;
    return kernel_only || evidence == EVIDENCE_NONE ? POLICY_EVIDENCE : POLICY_MATCH;
}

static enum policy_outcome ask_local(const struct policy *policy, const struct profile *profile,
                                     const struct identity *identity)
{
    if (!user_matches(&profile->users, identity))
        return POLICY_USER;
    if (!group_matches(&profile->groups, identity))
        return POLICY_GROUP;
    enum policy_outcome label = ask_label(policy, profile, identity);
    if (label != POLICY_MATCH)
        return label;
    if (!executable_matches(&profile->executables, identity))
        return POLICY_EXECUTABLE;
    return unit_matches(&profile->units, identity) ? POLICY_MATCH : POLICY_UNIT;
}

static bool network_contains(const struct host_network *network, const struct identity *identity)
{
    size_t bytes = network->prefix / 8;
    unsigned bits = network->prefix % 8;

    if (network->is_ipv6 != identity->is_ipv6 ||
        memcmp(network->address, identity->address, bytes) != 0)
        return false;
    unsigned difference = bits ? network->address[bytes] ^ identity->address[bytes] : 0u;
    return difference >> (8 - bits) == 0;
}

static bool host_matches(const struct host_qualifier *hosts, const struct identity *identity)
{
    if (hosts->is_any)
        return true;
    for (size_t i = 0; i < hosts->count; i++)
        if (network_contains(&hosts->networks[i], identity))
            return true;
    return false;
}

/* Whether the profile is for clients in other machines alone. */
static bool is_remote_only(const struct profile *profile)
{
    return profile->hosts.is_present && !profile->apparmor_profiles.is_present &&
           !profile->users.is_present && !profile->groups.is_present &&
           !profile->executables.is_present && !profile->units.is_present;
}

bool policy_profile_is_shared(const struct profile *profile)
{
    return !profile->socket.is_wanted && profile->apparmor_profiles.is_present &&
           profile->users.is_present;
}

/* Whether the profile is offered where the client came in. */
static bool is_offered(const struct profile *profile, const struct identity *identity,
                       const char *socket_profile)
{
    switch (identity->transport) {
    case IDENTITY_UNIX:
        if (!socket_profile)
            return policy_profile_is_shared(profile);
        return profile->socket.is_wanted && strcmp(profile->name, socket_profile) == 0 &&
               !is_remote_only(profile);
    case IDENTITY_TCP_LOCAL:
        return !socket_profile && policy_profile_is_shared(profile);
    case IDENTITY_TCP_REMOTE:
        return !socket_profile && !profile->socket.is_wanted && profile->hosts.is_present;
    }
    return false;
}

enum policy_outcome policy_ask_profile(const struct policy *policy, const struct profile *profile,
                                       const struct identity *identity, const char *socket_profile)
{
    if (identity->is_tor || !is_offered(profile, identity, socket_profile))
        return POLICY_NO_PROFILE;
    if (identity->transport != IDENTITY_TCP_REMOTE)
        return ask_local(policy, profile, identity);
    return host_matches(&profile->hosts, identity) ? POLICY_MATCH : POLICY_HOST;
}

static void view_add(struct policy_view *view, const struct profile *profile)
{
    view->profiles = mem_resize(view->profiles, view->count + 1, sizeof(const struct profile *));
    view->profiles[view->count++] = profile;
}

void policy_match(const struct policy *policy, const struct identity *identity,
                  const char *socket_profile, struct policy_view *view_out)
{
    struct policy_candidates candidates;

    *view_out = (struct policy_view){0};
    policy_index_find(&policy->index, identity, socket_profile, &candidates);
    for (size_t i = 0; i < candidates.count; i++) {
        const struct profile *profile = policy->index.profiles[candidates.positions[i]];
        if (policy_ask_profile(policy, profile, identity, socket_profile) == POLICY_MATCH)
            view_add(view_out, profile);
    }
    policy_candidates_clear(&candidates);
    if (policy->complain && !identity->is_tor &&
        (view_out->count > 0 || identity->transport != IDENTITY_TCP_REMOTE))
        view_out->complain = &policy->complain->profiles[0];
    else
        view_out->complain = complaining_find(policy, view_out);
}

static const char *no_profile_text(const struct identity *identity)
{
    if (identity->is_tor)
        return "the client is tor itself, or a connection that tor made";
    switch (identity->transport) {
    case IDENTITY_UNIX:
        return "no profile is for clients of this socket";
    case IDENTITY_TCP_LOCAL:
        return "no profile is for local clients without a socket of their own";
    case IDENTITY_TCP_REMOTE:
        return "no profile is for clients from elsewhere";
    }
    return "no profile is for such clients";
}

static const char *label_text(const struct identity *identity)
{
    switch (identity->label_state) {
    case IDENTITY_LABEL_UNKNOWN:
        return "the client's AppArmor label is not known";
    case IDENTITY_UNCONFINED:
        return "the client is unconfined, and no profile for this user is for that or for its "
               "executable";
    case IDENTITY_CONFINED:
        return "no profile for this user lists the client's AppArmor label";
    }
    return "the client's AppArmor label is not known";
}

static const char *outcome_text(enum policy_outcome outcome, const struct identity *identity)
{
    switch (outcome) {
    case POLICY_NO_PROFILE:
        return no_profile_text(identity);
    case POLICY_HOST:
        return "no profile lists the client's address in hosts";
    case POLICY_USER:
        return identity->has_credentials ? "no profile lists this user in users"
                                         : "the client's user is not known";
    case POLICY_GROUP:
        return "the client is in none of the groups that the profile lists";
    case POLICY_LABEL:
        return label_text(identity);
    case POLICY_EVIDENCE:
        return "the evidence for the client's AppArmor label is too weak";
    case POLICY_EXECUTABLE:
        return identity->executable ? "no profile for this label lists the client's executable"
                                    : "the client's executable is not known";
    case POLICY_UNIT:
        return identity->unit ? "no profile for this client lists its systemd unit"
                              : "the client's systemd unit is not known";
    case POLICY_MATCH:
        return NULL;
    }
    return NULL;
}

const char *policy_no_match_reason(const struct policy *policy, const struct identity *identity,
                                   const char *socket_profile)
{
    enum policy_outcome nearest = POLICY_NO_PROFILE;

    for (size_t i = 0; i < policy->count; i++) {
        const struct profile_file *file = policy->files[i];
        for (size_t j = 0; j < file->count; j++) {
            enum policy_outcome outcome =
                policy_ask_profile(policy, &file->profiles[j], identity, socket_profile);
            if (outcome > nearest)
                nearest = outcome;
        }
    }
    return outcome_text(nearest, identity);
}
