/* Names of profiles in complain mode: a handful, looked up when a session begins. The built-in
 * profile stays until the policy goes, as sessions point to it. */
#include "complaining.h"

#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "mem.h"

void complaining_clear(struct complaining *complaining)
{
    for (size_t i = 0; i < complaining->count; i++)
        free(complaining->names[i]);
    free(complaining->names);
    profile_file_unref(complaining->file);
    *complaining = (struct complaining){0};
}

/* Its position; count: it is not there. */
static size_t position_of(const struct complaining *complaining, const char *name)
{
    size_t i = 0;

    while (i < complaining->count && strcmp(complaining->names[i], name) != 0)
        i++;
    return i;
}

bool complaining_has(const struct policy *policy, const char *name)
{
    return position_of(&policy->complaining, name) < policy->complaining.count;
}

static void add(struct complaining *complaining, const char *name)
{
    complaining->names =
        mem_resize(complaining->names, complaining->count + 1, sizeof *complaining->names);
    complaining->names[complaining->count++] = mem_copy_string(span_from_string(name));
}

static void drop(struct complaining *complaining, size_t position)
{
    free(complaining->names[position]);
    complaining->names[position] = complaining->names[--complaining->count];
}

bool complaining_set(struct policy *policy, const char *name, bool is_on)
{
    struct complaining *complaining = &policy->complaining;
    size_t position = position_of(complaining, name);
    bool is_there = position < complaining->count;

    if (!policy_find_profile(policy, name))
        return false;
    if (is_on && !complaining->file)
        complaining->file = complain_file_new();
    if (is_on && !complaining->file)
        return false;
    if (is_on && !is_there)
        add(complaining, name);
    else if (!is_on && is_there)
        drop(complaining, position);
    return true;
}

void complaining_inherit(struct policy *policy, const struct policy *former)
{
    for (size_t i = 0; former && i < former->complaining.count; i++)
        complaining_set(policy, former->complaining.names[i], true);
}

const struct profile *complaining_find(const struct policy *policy, const struct policy_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (complaining_has(policy, view->profiles[i]->name))
            return &policy->complaining.file->profiles[0];
    return NULL;
}
