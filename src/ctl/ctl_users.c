/* Clients decide how many users there are, so only so many names are kept. */
#include "ctl_users.h"

#include <pwd.h>
#include <stdlib.h>

#include "mem.h"

#define USERS_KEPT 1024 /* clients decide how many there are */

struct ctl_user {
    unsigned long uid;
    char *name; /* owned; NULL: the system knows none */
};

void ctl_users_init(struct ctl_users *users)
{
    *users = (struct ctl_users){.items = NULL};
}

void ctl_users_clear(struct ctl_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        free(users->items[i].name);
    free(users->items);
    ctl_users_init(users);
}

static const char *find_user(void *context, unsigned long uid)
{
    struct ctl_users *users = context;

    for (size_t i = 0; i < users->count; i++)
        if (users->items[i].uid == uid)
            return users->items[i].name;
    const struct passwd *user = getpwuid((uid_t)uid);
    if (users->count == USERS_KEPT)
        return user ? user->pw_name : NULL;
    users->items = mem_resize(users->items, users->count + 1, sizeof *users->items);
    struct ctl_user *item = &users->items[users->count++];
    *item = (struct ctl_user){.uid = uid};
    item->name = user ? mem_copy_string(span_from_string(user->pw_name)) : NULL;
    return item->name;
}

struct user_names ctl_users_names(struct ctl_users *users)
{
    return (struct user_names){.find = find_user, .context = users};
}
