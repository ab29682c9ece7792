/* A client from the command line.
 *
 * What is not said is what is true of whoever asks (user and groups), or not known (label,
 * executable, unit): an unknown fact meets no qualifier but '*', as with a real client. */
#include "ctl_identity.h"

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "ctl.h"
#include "mem.h"
#include "names.h"

#define MAX_GROUPS 65536

void ctl_identity_init(struct ctl_identity *client)
{
    *client = (struct ctl_identity){.user = NULL};
    client->identity.gid = (gid_t)-1;
}

void ctl_identity_clear(struct ctl_identity *client)
{
    identity_clear(&client->identity);
    free(client->host);
    free(client->server);
}

/* --- users and groups --- */

static bool find_id(const char *text, bool (*find)(void *context, const char *name, id_t *id_out),
                    id_t *id_out)
{
    unsigned long number;

    if (span_to_number(span_from_string(text), (id_t)-2, &number)) {
        *id_out = (id_t)number;
        return true;
    }
    return find(NULL, text, id_out);
}

static void add_group(struct identity *identity, gid_t gid)
{
    identity->groups =
        mem_resize(identity->groups, identity->group_count + 1, sizeof *identity->groups);
    identity->groups[identity->group_count++] = gid;
    identity->has_groups = true;
}

static bool set_user(struct ctl_identity *client, const char *verb, const char *value)
{
    if (!find_id(value, names_of_system.user, &client->identity.uid)) {
        ctl_usage_error(verb, "there is no user of this name, and it is no number: --user takes "
                              "either");
        return false;
    }
    client->identity.has_credentials = true;
    client->user = value;
    return true;
}

static bool set_group(struct ctl_identity *client, const char *verb, const char *value)
{
    id_t gid;

    if (!find_id(value, names_of_system.group, &gid)) {
        ctl_usage_error(verb, "there is no group of this name, and it is no number: --group takes "
                              "either");
        return false;
    }
    if (client->identity.gid == (gid_t)-1)
        client->identity.gid = gid;
    add_group(&client->identity, gid);
    return true;
}

static void use_own_groups(struct identity *identity)
{
    int count = getgroups(0, NULL);

    identity->gid = getgid();
    identity->has_groups = true;
    if (count <= 0)
        return;
    identity->groups = mem_zalloc((size_t)count, sizeof *identity->groups);
    count = getgroups(count, identity->groups);
    identity->group_count = count > 0 ? (size_t)count : 0;
}

/* The groups that a log-in would give. */
static void use_groups_of(struct identity *identity, const struct passwd *user)
{
    int count = MAX_GROUPS;

    identity->gid = user->pw_gid;
    identity->has_groups = true;
    identity->groups = mem_zalloc(MAX_GROUPS, sizeof *identity->groups);
    if (getgrouplist(user->pw_name, user->pw_gid, identity->groups, &count) < 0)
        count = 0;
    identity->group_count = (size_t)count;
}

static void complete_user(struct ctl_identity *client)
{
    struct identity *identity = &client->identity;
    bool has_group = identity->has_groups;

    if (!identity->has_credentials) {
        identity->has_credentials = true;
        identity->uid = getuid();
        if (!has_group)
            use_own_groups(identity);
        return;
    }
    const struct passwd *user = getpwuid(identity->uid);
    if (!has_group && user)
        use_groups_of(identity, user);
}

/* --- the others --- */

static bool set_label(struct ctl_identity *client, const char *verb, const char *value)
{
    struct identity *identity = &client->identity;
    bool is_unconfined = strcmp(value, "unconfined") == 0;
    char *text = is_unconfined ? mem_printf("unconfined") : mem_printf("%s (enforce)", value);

    free(identity->label);
    identity->label = NULL;
    identity_set_label(identity, text, strlen(text), EVIDENCE_KERNEL);
    free(text);
    if (identity->label_state != IDENTITY_LABEL_UNKNOWN)
        return true;
    ctl_usage_error(verb, "--label takes the name of an AppArmor profile, without its mode, or "
                          "unconfined");
    return false;
}

static bool set_executable(struct ctl_identity *client, const char *verb, const char *value)
{
    if (value[0] != '/') {
        ctl_usage_error(verb, "--executable takes an absolute path");
        return false;
    }
    free(client->identity.executable);
    client->identity.executable = mem_copy_string(span_from_string(value));
    return true;
}

static bool set_unit(struct ctl_identity *client, const char *verb, const char *value)
{
    if (value[0] == '\0') {
        ctl_usage_error(verb, "--unit takes the name of a systemd unit, such as tor.service");
        return false;
    }
    free(client->identity.unit);
    client->identity.unit = mem_copy_string(span_from_string(value));
    return true;
}

/* An address in its canonical form, the caller's to free; NULL: it is none. IPv4 in IPv6 is IPv4,
 * as for a real client. */
static char *read_address(const char *value, bool *is_ipv6, uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];

    memset(address, 0, 16);
    *is_ipv6 = inet_pton(AF_INET, value, address) != 1;
    if (*is_ipv6 && inet_pton(AF_INET6, value, address) != 1)
        return NULL;
    if (*is_ipv6 && memcmp(address, mapped, sizeof mapped) == 0) {
        memmove(address, address + sizeof mapped, 4);
        *is_ipv6 = false;
    }
    if (!inet_ntop(*is_ipv6 ? AF_INET6 : AF_INET, address, text, sizeof text))
        return NULL;
    return mem_copy_string(span_from_string(text));
}

static bool set_host(struct ctl_identity *client, const char *verb, const char *value)
{
    struct identity *identity = &client->identity;

    free(client->host);
    client->host = read_address(value, &identity->is_ipv6, identity->address);
    identity->transport = IDENTITY_TCP_REMOTE;
    if (!client->host)
        ctl_usage_error(verb, "--host takes an IPv4 or IPv6 address");
    return client->host != NULL;
}

static bool set_server(struct ctl_identity *client, const char *verb, const char *value)
{
    uint8_t address[16];
    bool is_ipv6;

    free(client->server);
    client->server = read_address(value, &is_ipv6, address);
    if (!client->server)
        ctl_usage_error(verb, "--server takes an IPv4 or IPv6 address");
    return client->server != NULL;
}

static bool set_socket(struct ctl_identity *client, const char *verb, const char *value)
{
    (void)verb;
    client->socket = value;
    return true;
}

static bool set_profile(struct ctl_identity *client, const char *verb, const char *value)
{
    (void)verb;
    client->profile = value;
    return true;
}

bool ctl_identity_set(struct ctl_identity *client, const char *verb, const char *name,
                      const char *value)
{
    static const struct {
        const char *name;
        bool (*set)(struct ctl_identity *client, const char *verb, const char *value);
    } rows[] = {
        {"user", set_user},       {"uid", set_user},      {"group", set_group},
        {"label", set_label},     {"unit", set_unit},     {"executable", set_executable},
        {"host", set_host},       {"server", set_server}, {"socket", set_socket},
        {"profile", set_profile},
    };

    client->is_given = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].set(client, verb, value);
    return false;
}

/* --- the whole of it --- */

static bool has_local_facts(const struct ctl_identity *client)
{
    const struct identity *identity = &client->identity;

    return client->user || client->socket || identity->has_groups || identity->executable ||
           identity->unit || identity->label_state != IDENTITY_LABEL_UNKNOWN;
}

bool ctl_identity_complete(struct ctl_identity *client, const char *verb)
{
    if (client->host && has_local_facts(client)) {
        ctl_usage_error(verb, "of a client from elsewhere nothing is known but its address: leave "
                              "out what stands beside --host");
        return false;
    }
    if (client->server && !client->host) {
        ctl_usage_error(verb, "--server is the address that a client of --host connected to");
        return false;
    }
    if (!client->host)
        complete_user(client);
    return true;
}

static void append_name(struct buf *out, const char *what, const char *name)
{
    buf_printf(out, ", %s ", what);
    buf_append_escaped(out, span_from_string(name), 0);
}

static void append_groups(struct buf *out, const struct identity *identity)
{
    if (identity->gid == (gid_t)-1 && identity->group_count == 0)
        return;
    buf_append_string(out, ", groups");
    if (identity->gid != (gid_t)-1)
        buf_printf(out, " %lu", (unsigned long)identity->gid);
    for (size_t i = 0; i < identity->group_count; i++)
        if (identity->groups[i] != identity->gid)
            buf_printf(out, " %lu", (unsigned long)identity->groups[i]);
}

static void append_local(struct buf *out, const struct ctl_identity *client)
{
    const struct identity *identity = &client->identity;
    const struct passwd *user = getpwuid(identity->uid);

    buf_append_string(out, "user ");
    if (user)
        buf_append_escaped(out, span_from_string(user->pw_name), 0);
    buf_printf(out, user ? " (%lu)" : "%lu", (unsigned long)identity->uid);
    append_groups(out, identity);
    if (identity->label_state == IDENTITY_UNCONFINED)
        buf_append_string(out, ", unconfined");
    else if (identity->label_state == IDENTITY_CONFINED)
        append_name(out, "label", identity->label);
    else
        buf_append_string(out, ", label not known");
    if (identity->executable)
        append_name(out, "executable", identity->executable);
    if (identity->unit)
        append_name(out, "unit", identity->unit);
    if (client->socket)
        append_name(out, "by the socket of", client->socket);
    else
        buf_append_string(out, ", by the shared socket");
}

char *ctl_identity_text(const struct ctl_identity *client)
{
    struct buf out;

    buf_init(&out, 1024 * 1024);
    if (client->host)
        buf_printf(&out, "another machine, %s", client->host);
    else
        append_local(&out, client);
    char *text = mem_copy_string(buf_span(&out));
    buf_clear(&out);
    return text;
}

struct template_variables ctl_identity_variables(const struct ctl_identity *client,
                                                 const struct options *options)
{
    struct span own = span_from_string(options->client_address);
    struct span far = client->host ? span_from_string(client->host) : own;
    struct span near = own;

    if (client->server)
        near = span_from_string(client->server);
    else if (client->host && options->listen_address)
        near = span_from_string(options->listen_address);
    return (struct template_variables){
        .client_address = far,
        .client_port = span_from_string("0"),
        .server_address = near,
        .server_port =
            span_from_string(client->host && options->listen_port ? options->listen_port : "0"),
    };
}
