/* Who is served, by which qualifiers, and what a profile lacks that does not serve the client.
 *
 * The questions are policy_match's; here they are only told with the file's places. */
#include "explain_parts.h"

#include "ascii.h"
#include "line.h"

void explain_append_shown(struct buf *out, struct span text)
{
    if (line_is_printable(text))
        buf_append(out, text);
    else
        buf_append_escaped(out, text, 0);
}

static void append_string(struct buf *out, const char *text)
{
    explain_append_shown(out, span_from_string(text));
}

static void append_host(struct buf *out, const struct template_variables *variables)
{
    buf_append_string(out, "the address ");
    explain_append_shown(out, variables->client_address);
}

/* --- what was met --- */

static struct explain_qualifier *add(struct explain_qualifier *list, size_t *count, const char *key,
                                     struct source where, bool is_any)
{
    struct explain_qualifier *qualifier = &list[(*count)++];

    *qualifier = (struct explain_qualifier){.key = key, .where = where, .is_any = is_any};
    buf_init(&qualifier->value, 8192);
    if (is_any)
        buf_append_string(&qualifier->value, "'*', anything");
    return qualifier;
}

static void add_names(struct explain_qualifier *list, size_t *count, const char *key,
                      const struct qualifier *names, const char *fact)
{
    if (!names->is_present)
        return;
    struct explain_qualifier *added = add(list, count, key, names->where, names->is_any);
    if (!names->is_any)
        append_string(&added->value, fact ? fact : "");
}

static const char *label_fact(const struct identity *identity)
{
    switch (identity->label_state) {
    case IDENTITY_LABEL_UNKNOWN:
        return "not known";
    case IDENTITY_UNCONFINED:
        return "unconfined";
    case IDENTITY_CONFINED:
        return identity->label;
    }
    return "not known";
}

static size_t local_qualifiers(const struct identity *identity, const struct profile *profile,
                               struct explain_qualifier *out)
{
    size_t count = 0;

    if (profile->users.is_present) {
        struct explain_qualifier *users =
            add(out, &count, "users", profile->users.where, profile->users.is_any);
        if (!profile->users.is_any)
            buf_printf(&users->value, "uid %lu", (unsigned long)identity->uid);
    }
    if (profile->groups.is_present) {
        struct explain_qualifier *groups =
            add(out, &count, "groups", profile->groups.where, profile->groups.is_any);
        if (!profile->groups.is_any)
            buf_append_string(&groups->value, "one of the client's groups");
    }
    add_names(out, &count, "apparmor-profiles", &profile->apparmor_profiles, label_fact(identity));
    add_names(out, &count, "executables", &profile->executables, identity->executable);
    add_names(out, &count, "units", &profile->units, identity->unit);
    return count;
}

size_t explain_qualifiers_of(const struct explain_setup *setup, const struct profile *profile,
                             struct explain_qualifier out[EXPLAIN_MAX_QUALIFIERS])
{
    const struct explain_client *client = setup->client;
    size_t count = 0;

    if (client->identity->transport != IDENTITY_TCP_REMOTE) {
        count = local_qualifiers(client->identity, profile, out);
    } else if (profile->hosts.is_present) {
        struct explain_qualifier *hosts =
            add(out, &count, "hosts", profile->hosts.where, profile->hosts.is_any);
        if (!profile->hosts.is_any)
            append_host(&hosts->value, &client->variables);
    }
    if (profile->socket.is_wanted)
        buf_append_string(&add(out, &count, "socket", profile->socket.where, false)->value,
                          "came in by its own socket");
    return count;
}

/* --- what is missing --- */

static void append_place(struct buf *out, const char *key, struct source where)
{
    buf_append_string(out, key);
    if (!where.file)
        return;
    buf_append_string(out, " (");
    source_format(out, where);
    buf_append_char(out, ')');
}

static void append_unlisted(struct buf *out, const char *key, struct source where, const char *what,
                            const char *fact)
{
    append_place(out, key, where);
    if (!fact) {
        buf_printf(out, " is asked, and the client's %s is not known", what);
        return;
    }
    buf_printf(out, " does not list the client's %s ", what);
    append_string(out, fact);
}

static void append_not_offered(struct buf *out, const struct explain_client *client,
                               const struct profile *profile)
{
    bool is_remote = client->identity->transport == IDENTITY_TCP_REMOTE;

    if (client->identity->is_tor)
        buf_append_string(out, "no profile serves tor itself");
    else if (is_remote && !profile->hosts.is_present)
        buf_append_string(out, "it has no hosts, so it is for clients of this machine");
    else if (!is_remote && profile->hosts.is_present && !profile->users.is_present)
        buf_append_string(out, "it is for clients from elsewhere: hosts");
    else if (profile->socket.is_wanted)
        append_place(out, "it is for clients of its own socket", profile->socket.where);
    else if (client->socket_profile)
        buf_append_string(out, "the client came in by the socket of another profile");
    else
        buf_append_string(out, "it needs both apparmor-profiles and users to serve clients of "
                               "this machine");
}

void explain_append_lack(struct buf *out, const struct explain_setup *setup,
                         const struct profile *profile)
{
    const struct explain_client *client = setup->client;
    const struct identity *identity = client->identity;

    switch (policy_ask_profile(setup->policy, profile, identity, client->socket_profile)) {
    case POLICY_NO_PROFILE:
        append_not_offered(out, client, profile);
        break;
    case POLICY_HOST:
        append_place(out, "hosts", profile->hosts.where);
        buf_append_string(out, " does not list ");
        append_host(out, &client->variables);
        break;
    case POLICY_USER:
        append_place(out, "users", profile->users.where);
        buf_printf(out, " does not list the client's user %lu", (unsigned long)identity->uid);
        break;
    case POLICY_GROUP:
        append_place(out, "groups", profile->groups.where);
        buf_append_string(out, " lists none of the client's groups");
        break;
    case POLICY_LABEL:
        append_unlisted(
            out, "apparmor-profiles", profile->apparmor_profiles.where, "AppArmor label",
            identity->label_state == IDENTITY_LABEL_UNKNOWN ? NULL : label_fact(identity));
        break;
    case POLICY_EVIDENCE:
        append_place(out, "apparmor-profiles", profile->apparmor_profiles.where);
        buf_append_string(out, " takes the label by the kernel's word only");
        break;
    case POLICY_EXECUTABLE:
        append_unlisted(out, "executables", profile->executables.where, "executable",
                        identity->executable);
        break;
    case POLICY_UNIT:
        append_unlisted(out, "units", profile->units.where, "unit", identity->unit);
        break;
    case POLICY_MATCH:
        buf_append_string(out, "nothing: it serves the client");
        break;
    }
}

const char *explain_lack_key(const struct explain_setup *setup, const struct profile *profile)
{
    switch (policy_ask_profile(setup->policy, profile, setup->client->identity,
                               setup->client->socket_profile)) {
    case POLICY_NO_PROFILE:
        return "socket";
    case POLICY_HOST:
        return "hosts";
    case POLICY_USER:
        return "users";
    case POLICY_GROUP:
        return "groups";
    case POLICY_LABEL:
        return "apparmor-profiles";
    case POLICY_EVIDENCE:
        return "apparmor-evidence";
    case POLICY_EXECUTABLE:
        return "executables";
    case POLICY_UNIT:
        return "units";
    case POLICY_MATCH:
        return NULL;
    }
    return NULL;
}

/* --- the nearest of those that do not serve it --- */

size_t explain_nearest_profiles(const struct explain_setup *setup,
                                const struct profile *out[EXPLAIN_MAX_PROFILES])
{
    const struct policy_index *index = &setup->policy->index;
    size_t count = 0;

    for (int outcome = POLICY_UNIT; outcome >= POLICY_NO_PROFILE; outcome--) {
        for (size_t i = 0; i < index->profile_count && count < EXPLAIN_MAX_PROFILES; i++) {
            const struct profile *profile = index->profiles[i];
            if (policy_ask_profile(setup->policy, profile, setup->client->identity,
                                   setup->client->socket_profile) == (enum policy_outcome)outcome)
                out[count++] = profile;
        }
    }
    return count;
}
