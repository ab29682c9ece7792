/* The names are those that applications already know: Tor Browser's launcher, onioncircuits and
 * many others read them. */
#include "environment.h"

#include <stdlib.h>
#include <string.h>

#include "add_onion.h"
#include "mem.h"

/* Quoted, as Tor Browser's launcher takes it from the variable to the control port. Any is right.
 */
#define PASSWORD "\"onion-grater\""

static void add(struct environment *environment, const char *name, char *value)
{
    environment->variables[environment->count++] = (struct environment_variable){name, value};
}

static void add_copy(struct environment *environment, const char *name, struct span value)
{
    add(environment, name, mem_copy_string(value));
}

/* --- the control port --- */

static bool is_for_this_machine(const struct profile *profile)
{
    return profile->socket.is_wanted ||
           (profile->apparmor_profiles.is_present && profile->users.is_present);
}

static bool add_socket(struct environment *environment, const struct profile *profile,
                       const struct environment_places *places, struct buf *reason)
{
    char *path;

    if (profile->socket.path) {
        path = mem_copy_string(span_from_string(profile->socket.path));
    } else if (!profile->socket.is_wanted) {
        path = mem_printf("%s/%s", places->runtime_dir, places->shared_socket);
    } else if (!strchr(profile->name, '/')) {
        path = mem_printf("%s/%s.sock", places->runtime_dir, profile->name);
    } else {
        buf_append_string(reason, "the profile's name has a slash, so no socket is named after it; "
                                  "give the socket a path");
        return false;
    }
    add(environment, "TOR_CONTROL_IPC_PATH", path);
    return true;
}

static bool add_tcp(struct environment *environment, const struct environment_places *places,
                    struct buf *reason)
{
    if (!places->listen_address || !places->listen_port) {
        buf_append_string(reason, "the profile is for clients on other machines, and no address is "
                                  "configured for them; set listen-address and listen-port");
        return false;
    }
    add_copy(environment, "TOR_CONTROL_HOST", span_from_string(places->listen_address));
    add_copy(environment, "TOR_CONTROL_PORT", span_from_string(places->listen_port));
    return true;
}

bool environment_cookie_path(const struct profile *profile, const char *runtime_dir,
                             struct buf *out)
{
    return !strchr(profile->name, '/') &&
           buf_printf(out, "%s/%s.cookie", runtime_dir, profile->name);
}

static void add_auth(struct environment *environment, const struct profile *profile,
                     const struct environment_places *places)
{
    struct buf path;

    buf_init(&path, 4096);
    if (profile->auth.cookie && is_for_this_machine(profile) &&
        environment_cookie_path(profile, places->runtime_dir, &path))
        add_copy(environment, "TOR_CONTROL_COOKIE_AUTH_FILE", buf_span(&path));
    buf_clear(&path);
    if (profile->auth.password)
        add_copy(environment, "TOR_CONTROL_PASSWD", SPAN(PASSWORD));
}

/* --- SOCKS --- */

static bool add_socks(struct environment *environment, const char *socks, struct buf *reason)
{
    struct span text = span_from_string(socks);
    struct target target;
    size_t colon = text.len;

    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (target_parse(text, 0, &target) != TARGET_OK || colon == 0) {
        buf_append_string(reason, "tor's SOCKS port has to be unix:/PATH or ADDRESS:PORT");
        return false;
    }
    if (target.kind == TARGET_UNIX) {
        add_copy(environment, "TOR_SOCKS_IPC_PATH", target.path);
        return true;
    }
    add_copy(environment, "TOR_SOCKS_HOST", span_first(text, colon - 1));
    add_copy(environment, "TOR_SOCKS_PORT", span_from(text, colon));
    return true;
}

bool environment_of_profile(const struct profile *profile, const struct environment_places *places,
                            struct environment *environment_out, struct buf *reason)
{
    struct environment *environment = environment_out;

    *environment = (struct environment){.count = 0};
    add_copy(environment, "TOR_SKIP_LAUNCH", SPAN("1"));
    bool has_control = is_for_this_machine(profile)
                           ? add_socket(environment, profile, places, reason)
                           : add_tcp(environment, places, reason);
    if (!has_control || !add_socks(environment, places->socks, reason))
        return false;
    add_auth(environment, profile, places);
    return true;
}

void environment_clear(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++)
        free(environment->variables[i].value);
    environment->count = 0;
}

static void write_quoted(const char *value, struct buf *out)
{
    buf_append_char(out, '"');
    for (; *value; value++) {
        if (strchr("\"\\$`", *value))
            buf_append_char(out, '\\');
        buf_append_char(out, *value);
    }
    buf_append_char(out, '"');
}

void environment_write(const struct environment *environment, struct buf *out)
{
    for (size_t i = 0; i < environment->count; i++) {
        buf_printf(out, "%s=", environment->variables[i].name);
        write_quoted(environment->variables[i].value, out);
        buf_append_char(out, '\n');
    }
}
