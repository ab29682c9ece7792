/* What has to be known of a client.
 *
 * Anybody may connect as often as he likes, so his connection costs no look-up that no profile for
 * his user asks for. To ask too much is slow, to ask too little fails closed: an unknown fact
 * matches nothing. */
#include "identity_needs.h"

static struct identity_needs needs_of(const struct policy *policy, const struct policy_asks *asks)
{
    return (struct identity_needs){
        .label = asks->label,
        .kernel_label =
            asks->kernel_label || (asks->inherited_label && policy->kernel_evidence_only),
        .unconfined_path = asks->unconfined_path,
        .executable = asks->executable,
        .unit = asks->unit,
        .writer = asks->writer,
    };
}

bool identity_needs_process(const struct identity_needs *needs)
{
    return needs->label || needs->executable || needs->unit;
}

struct identity_needs identity_needs_of_client(const struct policy *policy,
                                               const struct identity *identity,
                                               const char *socket_profile)
{
    struct policy_asks asks = policy_index_asks(&policy->index, identity, socket_profile);

    /* The log of complain mode says for whom a profile would have to be. */
    if (policy->complain || policy->complaining.count > 0)
        asks.label = asks.executable = true;
    return needs_of(policy, &asks);
}

struct identity_needs identity_needs_of_view(const struct policy *policy,
                                             const struct policy_view *view)
{
    struct policy_asks asks = {.label = false};

    for (size_t i = 0; i < view->count; i++) {
        struct policy_asks own = policy_asks_of(view->profiles[i]);
        policy_asks_add(&asks, &own);
    }
    return needs_of(policy, &asks);
}
