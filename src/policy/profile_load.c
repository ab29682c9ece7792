/* Text of a profile file to profiles (design 3.1, 3.2): the keys of a profile, and the file.
 *
 * The tree is walked once with one table of keys for each kind of mapping. Whatever is wrong is
 * reported and the walk goes on; at the end one error is enough to drop the file. */
#include "profile_load.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"
#include "profile_load_parts.h"

#define NAME_MAX_LENGTH 64

static bool is_profile_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!ascii_is_printable(name[i]))
            return false;
    return len >= 1 && len <= NAME_MAX_LENGTH;
}

static void load_name(struct load *load, void *target, const struct yaml_node *key,
                      const struct yaml_node *value)
{
    struct profile *profile = target;

    if (!load_expect(load, value, YAML_SCALAR, key->text, "write one name"))
        return;
    profile->name = mem_copy_string(span_from_string(value->text));
    if (!is_profile_name(profile->name))
        load_error(load, value,
                   "'%s' is no name for a profile; use 1 to %d printable ASCII "
                   "characters",
                   load_quote(load, profile->name), NAME_MAX_LENGTH);
}

static void load_tor_browser_mode(struct load *load, void *target, const struct yaml_node *key,
                                  const struct yaml_node *value)
{
    struct profile *profile = target;

    if (profile->tor_browser_mode_where.line > 0) {
        load_error(load, key, "'%s' means the same as the key in line %u; keep one of them",
                   key->text, profile->tor_browser_mode_where.line);
        return;
    }
    load_boolean(load, key, value, &profile->tor_browser_mode);
    profile->tor_browser_mode_where = key->where;
}

/* Whether a client of this machine can get the profile. */
static bool serves_local(const struct profile *profile)
{
    bool has_both = profile->apparmor_profiles.is_present && profile->users.is_present;

    return profile->socket.is_wanted || has_both;
}

static void check_tor_browser_mode(struct load *load, const struct profile *profile)
{
    if (profile->tor_browser_mode && serves_local(profile))
        diag_add(load->diags, DIAG_WARNING, profile->tor_browser_mode_where,
                 "tor-browser-mode is off for clients of this machine: their address does not tell "
                 "their streams from others'; list what they may know of all streams, or serve "
                 "them by 'hosts' alone");
}

static const struct load_key profile_rows[] = {
    {"name", load_name},
    {"apparmor-profiles", load_apparmor_profiles},
    {"exe-paths", load_apparmor_profiles},
    {"match-exe-paths", load_apparmor_profiles},
    {"users", load_users},
    {"match-users", load_users},
    {"hosts", load_hosts},
    {"match-hosts", load_hosts},
    {"groups", load_groups},
    {"units", load_units},
    {"executables", load_executables},
    {"writer", load_writer},
    {"apparmor-evidence", load_apparmor_evidence},
    {"socket", load_socket},
    {"commands", load_commands},
    {"confs", load_confs},
    {"events", load_events},
    {"tor-browser-mode", load_tor_browser_mode},
    {"restrict-stream-events", load_tor_browser_mode},
    {"auth", load_auth},
    {"onions", load_onions},
};

static const struct load_keys profile_keys = {"a profile", profile_rows,
                                              sizeof profile_rows / sizeof *profile_rows};

static void use_default_name(struct load *load, struct profile *profile)
{
    profile->name = mem_copy_string(span_from_string(load->file->stem));
    if (!is_profile_name(profile->name))
        diag_add(load->diags, DIAG_ERROR, profile->where,
                 "the file's name is no name for a profile; give it a 'name' of 1 to %d printable "
                 "ASCII characters",
                 NAME_MAX_LENGTH);
}

static void load_profile(struct load *load, const struct yaml_node *node)
{
    struct profile *profile = &load->file->profiles[load->file->count++];

    profile->where = node->where;
    profile->digest = yaml_tree_digest(node);
    load_mapping(load, &profile_keys, node, profile);
    if (!profile->name)
        use_default_name(load, profile);
    load_finish_onions(load, profile);
    load_check_clients(load, profile);
    check_tor_browser_mode(load, profile);
    load_check_auth(load, profile);
}

/* For qsort: profiles by name, then by place. */
static int compare_names(const void *left, const void *right)
{
    const struct profile *a = *(const struct profile *const *)left;
    const struct profile *b = *(const struct profile *const *)right;
    int order = strcmp(a->name, b->name);

    return order ? order : (a > b) - (a < b);
}

static void check_socket_names(struct load *load)
{
    const struct profile_file *file = load->file;
    const struct profile **sorted = mem_zalloc(file->count, sizeof(struct profile *));
    size_t count = 0;

    for (size_t i = 0; i < file->count; i++)
        if (file->profiles[i].socket.is_wanted)
            sorted[count++] = &file->profiles[i];
    qsort(sorted, count, sizeof(struct profile *), compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            diag_add(load->diags, DIAG_ERROR, sorted[i]->socket.where,
                     "the profile in line %u has the same name '%s' and a socket too; give one of "
                     "them another 'name'",
                     sorted[i - 1]->where.line, load_quote(load, sorted[i]->name));
    free(sorted);
}

static void load_list(struct load *load, const struct yaml_node *list)
{
    load->file->profiles = mem_zalloc(list->count, sizeof *load->file->profiles);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = &list->items[i];
        if (item->kind == YAML_MAPPING)
            load_profile(load, item);
        else
            load_error(load, item,
                       "%s stands where a profile belongs; a profile is a mapping of "
                       "keys such as 'users' and 'commands'",
                       yaml_kind_text(item->kind));
    }
    check_socket_names(load);
}

static void load_root(struct load *load, const struct yaml_node *root)
{
    switch (root->kind) {
    case YAML_NULL:
        break;
    case YAML_LIST:
        load_list(load, root);
        break;
    case YAML_MAPPING:
        load->file->profiles = mem_zalloc(1, sizeof *load->file->profiles);
        load_profile(load, root);
        break;
    case YAML_SCALAR:
        load_error(load, root,
                   "the file holds text, but a list of profiles belongs here; begin "
                   "each profile with - and indent its keys");
        break;
    }
}

/* "/etc/onion-grater.d/app.yml" to "app". */
static char *make_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct span stem = span_from_string(slash ? slash + 1 : path);
    struct span suffix = SPAN(".yml");

    if (stem.len > suffix.len && span_equals(span_from(stem, stem.len - suffix.len), suffix))
        stem = span_first(stem, stem.len - suffix.len);
    return mem_copy_string(stem);
}

static struct profile_file *file_new(const char *path)
{
    struct profile_file *file = mem_zalloc(1, sizeof *file);

    file->references = 1;
    file->path = mem_copy_string(span_from_string(path));
    file->stem = make_stem(path);
    return file;
}

struct profile_file *profile_load(const char *path, struct span text,
                                  const struct name_resolver *resolver, struct diag_list *diags)
{
    struct load load = {.file = file_new(path), .resolver = resolver, .diags = diags};
    size_t errors = diags->errors;
    bool is_empty = false;

    for (size_t i = 0; i < LOAD_QUOTES; i++)
        buf_init(&load.quotes[i], SIZE_MAX / 2);
    /* The tree's places point to the file's copy of the path, as those of the rules will. */
    struct yaml_node *root = yaml_tree_parse_to_check(load.file->path, text, diags, &is_empty);
    if (root)
        load_root(&load, root);
    yaml_tree_free(root);
    load_forget_ids(&load);
    for (size_t i = 0; i < LOAD_QUOTES; i++)
        buf_clear(&load.quotes[i]);
    if (diags->errors == errors)
        return load.file;
    profile_file_unref(load.file);
    return NULL;
}
