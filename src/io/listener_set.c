/* The wanted sockets are listed first, then compared with those that exist. Two profiles that mean
 * the same socket share it if they have the same name (clients of it are offered to both); of two
 * with different names the later one is refused, since it could serve the other's clients.
 *
 * What the service manager passed in (activation.h) is made by nobody here and never goes away; it
 * only takes wanted sockets off the list. */
#include "listener_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "log.h"
#include "mem.h"
#include "writer.h"

#define LISTENER_SHARED_MODE 0666 /* every profile it serves has qualifiers */

struct wanted {
    struct listener_spec spec;
    struct source where;
    bool exists;
    bool is_passed;
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

static bool is_admin_socket(const char *path, const char *runtime_dir)
{
    char *own = mem_printf("%s/%s", runtime_dir, ADMIN_SOCKET);
    bool is_own = strcmp(path, own) == 0;

    free(own);
    return is_own;
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
    if (is_admin_socket(wanted.spec.path, runtime_dir)) {
        diag_add(diags, DIAG_ERROR, wanted.where,
                 "the socket %s is onion-grater's own, for admins; choose another path",
                 wanted.spec.path);
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

/* --- what was passed in --- */

static bool is_for_profile(const struct listener *listener, const char *profile)
{
    const char *own = listener->spec.profile;

    return own && profile ? strcmp(own, profile) == 0 : own == profile;
}

/* Whether the file lets in nobody whom the wanted one would keep out: a profile may have no other
 * qualifier than who can open its socket. Write permission is what connecting takes. */
static bool rights_suffice(const struct listener *listener, const struct listener_spec *wanted)
{
    struct stat file;

    if ((wanted->mode & 0222) == 0222)
        return true;
    if (stat(listener->spec.path, &file) < 0 || (file.st_mode & 0222 & ~wanted->mode) != 0)
        return false;
    if (file.st_uid != 0 && file.st_uid != geteuid() && file.st_uid != wanted->user)
        return false;
    return (file.st_mode & 0020) == 0 || wanted->group == (gid_t)-1 || file.st_gid == wanted->group;
}

/* The passed socket is used in place of the wanted one. */
static void replace_wanted(struct listener *listener, const struct wanted *wanted,
                           struct diag_list *diags)
{
    listener->is_unfit = !rights_suffice(listener, &wanted->spec);
    if (listener->is_unfit)
        diag_add(diags, DIAG_ERROR, wanted->where,
                 "the socket that was passed in for this profile, %s, can be opened by users whom "
                 "the profile keeps out, so nobody is served there; set SocketUser=, SocketGroup= "
                 "and SocketMode= of the socket unit",
                 listener->spec.path);
}

static void warn_of_passed(const struct listener *listener, const struct policy *policy,
                           struct diag_list *diags)
{
    const struct profile *profile = policy_find_profile(policy, listener->spec.profile);
    struct source where = {.file = listener->spec.path};

    if (!profile)
        diag_add(diags, DIAG_WARNING, where,
                 "this socket was passed in for a profile named %s, which does not exist; it "
                 "serves nobody",
                 listener->spec.profile);
    else if (listener->is_tcp && profile->socket.is_wanted)
        diag_add(diags, DIAG_WARNING, profile->where,
                 "%s was passed in for this profile, which has a Unix socket and so is not for "
                 "clients over TCP",
                 listener->spec.path);
    else if (!listener->is_tcp && !profile->socket.is_wanted)
        diag_add(diags, DIAG_WARNING, profile->where,
                 "the socket %s was passed in for this profile, which does not ask for one; add "
                 "\"socket: true\"",
                 listener->spec.path);
}

/* Takes out of the list what passed sockets stand for. True: the shared one is among them. */
static bool take_passed(struct listener_set *set, const struct policy *policy,
                        struct wanted_list *list, struct diag_list *diags)
{
    bool has_shared = false;

    for (struct listener *listener = set->passed; listener; listener = listener->next) {
        listener->is_unfit = false;
        if (listener->spec.profile)
            warn_of_passed(listener, policy, diags);
        for (size_t i = 0; !listener->is_tcp && i < list->count; i++) {
            struct wanted *wanted = &list->items[i];
            if (!is_for_profile(listener, wanted->spec.profile))
                continue;
            replace_wanted(listener, wanted, diags);
            has_shared = has_shared || !wanted->spec.profile;
            wanted->is_passed = true;
        }
    }
    return has_shared;
}

static void adopt_socket(struct listener_set *set, struct activation_socket *passed)
{
    struct listener_spec spec = {
        .path = passed->is_tcp ? mem_printf("TCP port %u", passed->port) : passed->path,
        .profile = passed->profile,
    };
    struct listener *listener =
        listener_adopt(set->base, passed->fd, &spec, set->accepted, set->context);

    listener->is_tcp = passed->is_tcp;
    listener->next = set->passed;
    set->passed = listener;
    set->passed_count++;
    if (!passed->is_tcp)
        passed->path = NULL;
    passed->profile = NULL;
    passed->fd = -1;
}

/* Newer kernels note the writer of bytes that wait at a listener only if that was asked for
 * before; without, the first client's first commands would have no writer. */
static void check_credentials(const struct activation_socket *passed)
{
    int is_on = 0;
    socklen_t len = sizeof is_on;

    if (getsockopt(passed->fd, SOL_SOCKET, SO_PASSCRED, &is_on, &len) == 0 && !is_on)
        log_at(LOG_LEVEL_WARNING,
               "the socket %s was passed in without PassCredentials=yes in its "
               "socket unit: clients that write before this service has started are cut off",
               passed->path);
}

void listener_set_adopt(struct listener_set *set, struct activation *activation)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct activation_socket *passed = &activation->items[i];
        if (!passed->is_tcp)
            check_credentials(passed);
        if (passed->is_tcp || writer_enable(passed->fd))
            adopt_socket(set, passed);
        else
            log_at(LOG_LEVEL_ERROR, "the socket %s that was passed in cannot be used: %s",
                   passed->path, strerror(errno));
    }
}

/* --- what is there --- */

static struct wanted *find_wanted(struct wanted_list *list, const struct listener *listener)
{
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].is_passed &&
            listener_spec_equals(&list->items[i].spec, &listener->spec))
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
        if (containment_bars_making(set->places, path))
            buf_append_string(&reason, "; onion-grater makes sockets only in folders where it had "
                                       "one when it started (containment): restart it");
        buf_append_char(&reason, '\0');
        diag_add(diags, DIAG_ERROR, where, "socket %s: %s", path, buf_span(&reason).data);
    }
    buf_clear(&reason);
    free(path);
    return listener != NULL;
}

void listener_set_init(struct listener_set *set, struct event_base *base, const char *runtime_dir,
                       const struct containment_places *places, listener_callback *accepted,
                       void *context)
{
    *set = (struct listener_set){
        .base = base,
        .runtime_dir = runtime_dir,
        .places = places,
        .accepted = accepted,
        .context = context,
    };
}

static void free_listeners(struct listener **first)
{
    while (*first) {
        struct listener *listener = *first;
        *first = listener->next;
        listener_free(listener);
    }
}

void listener_set_clear(struct listener_set *set)
{
    free_listeners(&set->first);
    free_listeners(&set->passed);
    set->count = 0;
    set->passed_count = 0;
}

bool listener_set_update(struct listener_set *set, const struct policy *policy,
                         struct diag_list *diags)
{
    struct wanted_list list = list_wanted(set, policy, diags);
    bool has_shared = take_passed(set, policy, &list, diags);

    remove_unwanted(set, &list);
    for (size_t i = 0; i < list.count; i++) {
        struct wanted *wanted = &list.items[i];
        if (wanted->is_passed)
            continue;
        bool is_shared = wanted->spec.profile == NULL;
        bool is_there = wanted->exists || make_listener(set, wanted, diags);
        if (is_shared && is_there)
            has_shared = true;
    }
    wanted_list_clear(&list);
    return has_shared;
}

size_t listener_set_count(const struct listener_set *set)
{
    return set->count + set->passed_count;
}

bool listener_set_has_tcp(const struct listener_set *set)
{
    for (const struct listener *listener = set->passed; listener; listener = listener->next)
        if (listener->is_tcp)
            return true;
    return false;
}

void listener_set_each(const struct listener_set *set,
                       void (*visit)(void *context, const struct listener *listener), void *context)
{
    for (const struct listener *listener = set->first; listener; listener = listener->next)
        visit(context, listener);
    for (const struct listener *listener = set->passed; listener; listener = listener->next)
        visit(context, listener);
}
