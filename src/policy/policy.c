/* A generation of profiles: its life, and the look-up by name. Who may use which of them is
 * policy_match's. */
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
    policy_index_clear(&policy->index);
    profile_file_unref(policy->complain);
    complaining_clear(&policy->complaining);
    free(policy->files);
    free(policy);
}

void policy_add_file(struct policy *policy, struct profile_file *file)
{
    policy->files = mem_resize(policy->files, policy->count + 1, sizeof *policy->files);
    policy->files[policy->count++] = file;
    for (size_t i = 0; i < file->count; i++)
        policy_index_add(&policy->index, &file->profiles[i]);
}

void policy_set_complain(struct policy *policy, struct profile_file *file)
{
    profile_file_unref(policy->complain);
    policy->complain = file;
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

bool policy_view_is_empty(const struct policy_view *view)
{
    return view->count == 0 && !view->complain;
}

void policy_view_clear(struct policy_view *view)
{
    free(view->profiles);
    *view = (struct policy_view){0};
}
