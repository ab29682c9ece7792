/* What an application has to be told in its environment to find its control port (design 6). */
#ifndef OG_ENVIRONMENT_H
#define OG_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "profile.h"

#define ENVIRONMENT_MAX 8

/* Where the daemon and tor listen. Everything is borrowed. */
struct environment_places {
    const char *runtime_dir;
    const char *shared_socket;  /* its name in that directory */
    const char *listen_address; /* of the TCP listener; NULL: none is configured */
    const char *listen_port;
    const char *socks; /* "unix:/PATH" or "ADDRESS:PORT" */
};

struct environment_variable {
    const char *name; /* static */
    char *value;      /* owned */
};

struct environment {
    struct environment_variable variables[ENVIRONMENT_MAX];
    size_t count;
};

/* The variables for clients of that profile: over its own socket, the shared one, or TCP where it
 * is for other machines alone. False: it can be reached in no way, or a place makes no sense; why
 * is appended to `reason`. Whatever was filled in is freed by environment_clear. */
bool environment_of_profile(const struct profile *profile, const struct environment_places *places,
                            struct environment *environment_out, struct buf *reason);
void environment_clear(struct environment *environment);

/* Appends NAME="VALUE" lines that sh, environment.d(5) and EnvironmentFile= read alike. */
void environment_write(const struct environment *environment, struct buf *out);

/* Appends where clients of the profile find its cookie: RUNTIME-DIR/NAME.cookie. */
bool environment_cookie_path(const struct profile *profile, const char *runtime_dir,
                             struct buf *out);

#endif
