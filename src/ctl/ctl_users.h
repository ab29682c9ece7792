/* Names of users, each asked for once. */
#ifndef OG_CTL_USERS_H
#define OG_CTL_USERS_H

#include <stddef.h>

#include "user_names.h"

struct ctl_users {
    struct ctl_user *items; /* owned */
    size_t count;
};

void ctl_users_init(struct ctl_users *users);
void ctl_users_clear(struct ctl_users *users);

/* What asks them; borrowed from `users`. */
struct user_names ctl_users_names(struct ctl_users *users);

#endif
