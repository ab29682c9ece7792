/* Names of users: what the system is asked, outside of the core. */
#ifndef OG_USER_NAMES_H
#define OG_USER_NAMES_H

struct user_names {
    /* What the system calls the user; NULL: it knows none of that number. The text lives until the
     * next call. */
    const char *(*find)(void *context, unsigned long uid);
    void *context;
};

#endif
