/* The wanted sockets are listed first, then compared with those that exist. Two profiles that mean
 * the same socket share it if they have the same name (clients of it are offered to both); of two
 * with different names the later one is refused, since it could serve the other's clients. */
#include "listener_set.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define LISTENER_SHARED_MODE 0666 /* every profile it serves has qualifiers */

struct wanted {
    struct listener_spec spec;
    struct source where;
    bool exists;
};

struct wanted_list {
    struct wanted *items;
    size_t count;
};

/* --- what is wanted --- */

static void wanted_list_add(struct wanted_list *list, struct wanted wanted)
{
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = wanted;
}

static void wanted_list_clear(struct wanted_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        listener_spec_clear(&list->items[i].spec);
    free(list->items);
}

static struct listener_spec spec_of_profile(const struct profile *profile, const char *runtime_dir)
{
    const struct profile_socket *socket = &profile->socket;
    mode_t standard = socket->has_user || socket->has_group ? 0660 : 0666;

    return (struct listener_spec){
        .path = socket->path ? mem_copy_string(span_from_string(socket->path))
                             : mem_printf("%s/%s.sock", runtime_dir, profile->name),
        .profile = mem_copy_string(span_from_string(profile->name)),
        .user = socket->has_user ? socket->user : (uid_t)-1,
        .group = socket->has_group ? socket->group : (gid_t)-1,
        .mode = socket->has_mode ? socket->mode : standard,
    };
}

/* Adds the profile's socket unless it is wanted already. */
static void wanted_list_add_profile(struct wanted_list *list, const struct profile *profile,
                                    const char *runtime_dir, struct diag_list *diags)
{
    struct wanted wanted = {
        .spec = spec_of_profile(profile, runtime_dir),
        .where = profile->socket.where,
    };

    if (!profile->socket.path && strchr(profile->name, '/')) {
        diag_add(diags, DIAG_ERROR, wanted.where,
                 "the profile's name has a slash, so no socket can be named after it; give the "
                 "socket a path");
        listener_spec_clear(&wanted.spec);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct wanted *other = &list->items[i];
        if (strcmp(other->spec.path, wanted.spec.path) != 0)
            continue;
        if (!listener_spec_equals(&other->spec, &wanted.spec))
            diag_add(diags, DIAG_ERROR, wanted.where,
                     "the socket %s is taken by %s%s; choose another path", wanted.spec.path,
                     other->spec.profile ? "profile " : "all other profiles",
                     other->spec.profile ? other->spec.profile : "");
        listener_spec_clear(&wanted.spec);
        return;
    }
    wanted_list_add(list, wanted);
}

static struct wanted_list list_wanted(const struct listener_set *set, const struct policy *policy,
                                      struct diag_list *diags)
{
    struct wanted_list list = {0};
    struct wanted shared = {
        .spec = {.path = mem_printf("%s/%s", set->runtime_dir, LISTENER_SET_SHARED),
                 .user = (uid_t)-1,
                 .group = (gid_t)-1,
                 .mode = LISTENER_SHARED_MODE},
    };

    wanted_list_add(&list, shared);
    for (size_t i = 0; i < policy->count; i++)
        for (size_t j = 0; j < policy->files[i]->count; j++)
            if (policy->files[i]->profiles[j].socket.is_wanted)
                wanted_list_add_profile(&list, &policy->files[i]->profiles[j], set->runtime_dir,
                                        diags);
    return list;
}

/* --- what is there --- */

static struct wanted *find_wanted(struct wanted_list *list, const struct listener *listener)
{
    for (size_t i = 0; i < list->count; i++)
        if (listener_spec_equals(&list->items[i].spec, &listener->spec))
            return &list->items[i];
    return NULL;
}

/* Removes what is wanted no longer, or not as it is, or was lost; marks what stays. */
static void remove_unwanted(struct listener_set *set, struct wanted_list *list)
{
    struct listener **link = &set->first;

    while (*link) {
        struct listener *listener = *link;
        struct wanted *wanted = find_wanted(list, listener);
        if (wanted && listener_is_in_place(listener)) {
            wanted->exists = true;
            link = &listener->next;
            continue;
        }
        *link = listener->next;
        listener_free(listener);
        set->count--;
    }
}

static bool make_listener(struct listener_set *set, struct wanted *wanted, struct diag_list *diags)
{
    char *path = mem_copy_string(span_from_string(wanted->spec.path));
    struct source where = wanted->where;
    struct buf reason;

    buf_init(&reason, 1024);
    struct listener *listener =
        listener_new(set->base, &wanted->spec, set->accepted, set->context, &reason);
    if (listener) {
        listener->next = set->first;
        set->first = listener;
        set->count++;
    } else {
        if (!where.file)
            where.file = path;
        buf_append_char(&reason, '\0');
        diag_add(diags, DIAG_ERROR, where, "socket %s: %s", path, buf_span(&reason).data);
    }
    buf_clear(&reason);
    free(path);
    return listener != NULL;
}

void listener_set_init(struct listener_set *set, struct event_base *base, const char *runtime_dir,
                       listener_callback *accepted, void *context)
{
    *set = (struct listener_set){
        .base = base,
        .runtime_dir = runtime_dir,
        .accepted = accepted,
        .context = context,
    };
}

void listener_set_clear(struct listener_set *set)
{
    while (set->first) {
        struct listener *listener = set->first;
        set->first = listener->next;
        listener_free(listener);
    }
    set->count = 0;
}

bool listener_set_update(struct listener_set *set, const struct policy *policy,
                         struct diag_list *diags)
{
    struct wanted_list list = list_wanted(set, policy, diags);
    bool has_shared = false;

    remove_unwanted(set, &list);
    for (size_t i = 0; i < list.count; i++) {
        struct wanted *wanted = &list.items[i];
        bool is_shared = wanted->spec.profile == NULL;
        bool is_there = wanted->exists || make_listener(set, wanted, diags);
        if (is_shared && is_there)
            has_shared = true;
    }
    wanted_list_clear(&list);
    return has_shared;
}

void listener_set_each(const struct listener_set *set,
                       void (*visit)(void *context, const char *path), void *context)
{
    for (const struct listener *listener = set->first; listener; listener = listener->next)
        visit(context, listener->spec.path);
}
