/* For whom a profile is: users, groups, its socket and its cookie (design 3.2, 3.4).
 *
 * Names of users and groups become numbers here, once. A socket without a word on who may
 * use it is an error: an empty list of demands must never mean "everybody" by mistake. */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"
#include "profile_load_parts.h"

/* Of sockaddr_un, without the NUL at its end. */
#define SOCKET_PATH_MAX 107
/* Of a mode: whoever may write to a socket may connect to it. */
#define WRITE_BY_OTHERS 0002
/* The name of the socket that all profiles without one of their own share. */
#define SHARED_SOCKET "control"

static void load_id(struct load *load, const struct id_kind *kind, const struct yaml_node *item,
                    struct id_qualifier *qualifier)
{
    if (strcmp(item->text, "*") == 0)
        qualifier->is_any = true;
    else if (load_find_id(load, kind, item->text, &qualifier->ids[qualifier->count]))
        qualifier->count++;
    else
        load_warning(load, item,
                     "there is no %s '%s'; the entry matches nobody until a reload "
                     "finds it",
                     kind->what, load_quote(load, item->text));
}

static void load_ids(struct load *load, const struct id_kind *kind, struct id_qualifier *qualifier,
                     const struct yaml_node *key, const struct yaml_node *value)
{
    if (!load_begin_list(load, key, value, &qualifier->is_present, &qualifier->where))
        return;
    qualifier->ids = mem_zalloc(value->count, sizeof *qualifier->ids);
    for (size_t i = 0; i < value->count; i++)
        if (load_expect_item(load, key, &value->items[i]))
            load_id(load, kind, &value->items[i], qualifier);
}

void load_users(struct load *load, void *target, const struct yaml_node *key,
                const struct yaml_node *value)
{
    struct profile *profile = target;

    load_ids(load, &load_user_kind, &profile->users, key, value);
}

void load_groups(struct load *load, void *target, const struct yaml_node *key,
                 const struct yaml_node *value)
{
    struct profile *profile = target;

    load_ids(load, &load_group_kind, &profile->groups, key, value);
}

static void take_path(struct load *load, void *target, const struct yaml_node *key,
                      const struct yaml_node *value)
{
    struct profile_socket *socket = target;

    if (!load_expect(load, value, YAML_SCALAR, key->text, "write its path"))
        return;
    size_t len = strlen(value->text);
    socket->path = mem_copy_string(span_make(value->text, len));
    for (size_t i = 0; i < len; i++) {
        if (!ascii_is_printable(value->text[i])) {
            load_error(load, value, "the path '%s' has a character that is not printable ASCII",
                       load_quote(load, value->text));
            return;
        }
    }
    if (value->text[0] != '/')
        load_error(load, value, "the path '%s' is not absolute; begin it with /",
                   load_quote(load, value->text));
    else if (value->text[len - 1] == '/')
        load_error(load, value, "the path '%s' names a directory; add the name of the socket",
                   load_quote(load, value->text));
    if (len > SOCKET_PATH_MAX)
        load_error(load, value, "the path has %zu bytes, but a socket's may have %d; shorten it",
                   len, SOCKET_PATH_MAX);
}

/* The number of a socket's user or group; here one that does not exist is an error. */
static bool load_owner(struct load *load, const struct id_kind *kind, const struct yaml_node *key,
                       const struct yaml_node *value, id_t *id_out)
{
    if (!load_expect(load, value, YAML_SCALAR, key->text, "write one name"))
        return false;
    if (load_find_id(load, kind, value->text, id_out))
        return true;
    load_error(load, value, "there is no %s '%s' to give the socket to; create it or name another",
               kind->what, load_quote(load, value->text));
    return false;
}

static void take_user(struct load *load, void *target, const struct yaml_node *key,
                      const struct yaml_node *value)
{
    struct profile_socket *socket = target;
    id_t id = 0;

    (void)load_owner(load, &load_user_kind, key, value, &id);
    socket->has_user = true;
    socket->user = (uid_t)id;
}

static void take_group(struct load *load, void *target, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    struct profile_socket *socket = target;
    id_t id = 0;

    (void)load_owner(load, &load_group_kind, key, value, &id);
    socket->has_group = true;
    socket->group = (gid_t)id;
}

static bool read_mode(const char *text, mode_t *mode_out)
{
    size_t len = strlen(text);
    mode_t mode = 0;

    if (len < 3 || len > 4)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '7')
            return false;
        mode = mode * 8 + (mode_t)(text[i] - '0');
    }
    *mode_out = mode;
    return mode <= 0777;
}

static void take_mode(struct load *load, void *target, const struct yaml_node *key,
                      const struct yaml_node *value)
{
    struct profile_socket *socket = target;

    socket->has_mode = true;
    if (!load_expect(load, value, YAML_SCALAR, key->text, "write it in octal, such as 0660"))
        return;
    if (!read_mode(value->text, &socket->mode))
        load_error(load, value,
                   "mode '%s' is none of 0000 to 0777; write it in octal, such as 0660",
                   load_quote(load, value->text));
}

static const struct load_key socket_rows[] = {
    {"path", take_path},
    {"user", take_user},
    {"group", take_group},
    {"mode", take_mode},
};

static const struct load_keys socket_keys = {"'socket'", socket_rows,
                                             sizeof socket_rows / sizeof *socket_rows};

void load_socket(struct load *load, void *target, const struct yaml_node *key,
                 const struct yaml_node *value)
{
    struct profile *profile = target;

    profile->socket.where = key->where;
    if (value->kind == YAML_SCALAR) {
        load_boolean(load, key, value, &profile->socket.is_wanted);
        return;
    }
    if (!load_expect(load, value, YAML_MAPPING, key->text,
                     "or write true for a socket named after the profile"))
        return;
    profile->socket.is_wanted = true;
    load_mapping(load, &socket_keys, value, &profile->socket);
}

static void take_cookie(struct load *load, void *target, const struct yaml_node *key,
                        const struct yaml_node *value)
{
    struct profile_auth *auth = target;

    load_boolean(load, key, value, &auth->cookie);
}

static void take_password(struct load *load, void *target, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    struct profile_auth *auth = target;

    load_boolean(load, key, value, &auth->password);
}

static const struct load_key auth_rows[] = {
    {"cookie", take_cookie},
    {"password", take_password},
};

static const struct load_keys auth_keys = {"'auth'", auth_rows,
                                           sizeof auth_rows / sizeof *auth_rows};

void load_auth(struct load *load, void *target, const struct yaml_node *key,
               const struct yaml_node *value)
{
    struct profile *profile = target;

    profile->auth.where = key->where;
    if (load_expect(load, value, YAML_MAPPING, key->text, "write {cookie: true} for a cookie file"))
        load_mapping(load, &auth_keys, value, &profile->auth);
}

static bool is_file_name(const char *name)
{
    if (name[0] == '.' || name[0] == '\0')
        return false;
    for (const char *c = name; *c; c++)
        if (!ascii_is_alpha(*c) && !ascii_is_digit(*c) && !strchr("_.@-", *c))
            return false;
    return true;
}

static bool is_restricted(const struct profile *profile)
{
    return (profile->users.is_present && !profile->users.is_any) ||
           (profile->groups.is_present && !profile->groups.is_any) ||
           (profile->apparmor_profiles.is_present && !profile->apparmor_profiles.is_any) ||
           (profile->executables.is_present && !profile->executables.is_any) ||
           (profile->units.is_present && !profile->units.is_any);
}

static bool has_qualifier(const struct profile *profile)
{
    return profile->users.is_present || profile->groups.is_present ||
           profile->apparmor_profiles.is_present || profile->executables.is_present ||
           profile->units.is_present;
}

static void check_socket_name(struct load *load, const struct profile *profile)
{
    struct source where = profile->socket.where;

    if (strcmp(profile->name, SHARED_SOCKET) == 0)
        diag_add(load->diags, DIAG_ERROR, where,
                 "the name '" SHARED_SOCKET "' belongs to the shared socket; give the profile "
                 "another 'name'");
    else if (!profile->socket.path && !is_file_name(profile->name))
        diag_add(load->diags, DIAG_ERROR, where,
                 "the socket cannot be called '%s'; give the profile a 'name' of letters, digits "
                 "and _ . @ - that does not begin with a dot, or the socket a 'path'",
                 load_quote(load, profile->name));
}

void load_check_auth(struct load *load, const struct profile *profile)
{
    if (profile->auth.cookie && !is_file_name(profile->name))
        diag_add(load->diags, DIAG_ERROR, profile->auth.where,
                 "the cookie file cannot be called '%s'; give the profile a 'name' of letters, "
                 "digits and _ . @ - that does not begin with a dot",
                 load_quote(load, profile->name));
}

/* Whether the rights of the socket's file keep anybody out. */
static bool is_for_owner(const struct profile_socket *socket)
{
    return (socket->has_user || socket->has_group) && !(socket->mode & WRITE_BY_OTHERS);
}

static void check_socket(struct load *load, struct profile *profile)
{
    struct profile_socket *socket = &profile->socket;
    bool has_owner = socket->has_user || socket->has_group;

    if (!socket->has_mode)
        socket->mode = has_owner ? 0660 : 0666;
    if (!has_owner && !has_qualifier(profile))
        diag_add(load->diags, DIAG_ERROR, socket->where,
                 "nothing says who may use this socket; add 'user' or 'group' to it, or 'users', "
                 "'groups', 'apparmor-profiles', 'executables' or 'units' to the profile ('*' in "
                 "them is anybody)");
    else if (!is_for_owner(socket) && !is_restricted(profile))
        diag_add(load->diags, DIAG_WARNING, socket->where,
                 "anybody on this machine may use this socket; to restrict it, %s 'users', "
                 "'groups', 'apparmor-profiles', 'executables' or 'units' other than '*'",
                 has_owner ? "give it a mode such as 0660, or name" : "name");
    check_socket_name(load, profile);
}

void load_check_clients(struct load *load, struct profile *profile)
{
    if (profile->socket.is_wanted) {
        check_socket(load, profile);
        return;
    }
    bool is_for_local = profile->apparmor_profiles.is_present && profile->users.is_present;
    if (!is_for_local && !profile->hosts.is_present)
        diag_add(load->diags, DIAG_WARNING, profile->where,
                 "the profile matches nobody: without a 'socket' of its own it needs both "
                 "'apparmor-profiles' and 'users' for local clients, or 'hosts' for others");
}
