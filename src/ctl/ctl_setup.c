/* Configuration and profiles for the verbs, by the same readers as the daemon's. */
#include "ctl_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "ctl.h"
#include "mem.h"
#include "names.h"
#include "profile_dir.h"
#include "read_file.h"
#include "yaml_tree.h"

void ctl_setup_init(struct ctl_setup *setup)
{
    *setup = (struct ctl_setup){.policy = NULL};
    options_init(&setup->options);
}

void ctl_setup_clear(struct ctl_setup *setup)
{
    policy_unref(setup->policy);
    options_clear(&setup->options);
}

bool ctl_setup_set(struct ctl_setup *setup, const char *verb, const char *name, const char *value)
{
    struct buf reason;

    if (strcmp(name, "config") == 0) {
        free(setup->options.config);
        setup->options.config = mem_copy_string(span_from_string(value));
        return true;
    }
    buf_init(&reason, 1024);
    bool done = options_set(&setup->options, name, value, &reason);
    if (!done) {
        buf_append_char(&reason, '\0');
        ctl_usage_error(verb, "--%s: %s", name, buf_span(&reason).data);
    }
    buf_clear(&reason);
    return done;
}

static void print_diags(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        struct buf line;
        buf_init(&line, 4096);
        diag_format(&line, &diags->items[i]);
        fprintf(stderr, "%.*s\n", (int)line.len, buf_span(&line).data);
        buf_clear(&line);
    }
}

static bool load_config(struct ctl_setup *setup, struct diag_list *diags)
{
    struct options *options = &setup->options, from_file;
    const char *path = options->config ? options->config : OPTIONS_DEFAULT_CONFIG;

    options_init(&from_file);
    bool done = config_file_load(path, options->config != NULL, &from_file, diags);
    options_inherit(options, &from_file);
    options_complete(options);
    return done;
}

bool ctl_setup_load_config(struct ctl_setup *setup)
{
    struct diag_list diags;

    diag_list_init(&diags);
    bool done = load_config(setup, &diags);
    print_diags(&diags);
    diag_list_clear(&diags);
    return done;
}

static void load_policy(struct ctl_setup *setup, struct diag_list *diags)
{
    struct profile_dirs dirs = profile_dirs_default;
    struct profile_dir_counts counts;

    if (setup->options.profiles.count > 0) {
        dirs.paths = (const char *const *)setup->options.profiles.items;
        dirs.count = setup->options.profiles.count;
        dirs.may_be_missing = false;
    }
    setup->policy = profile_dirs_load(&dirs, NULL, &names_of_system, diags, &counts);
}

/* What the configuration says of all profiles. */
static void apply_options(struct ctl_setup *setup)
{
    setup->policy->kernel_evidence_only =
        strcmp(setup->options.apparmor_evidence, OPTIONS_KERNEL_ONLY) == 0;
}

/* False: reported. */
static bool load_file(struct ctl_setup *setup, const char *path, struct diag_list *diags)
{
    const struct source where = {.file = path};
    struct profile_file *file = NULL;
    struct buf text, reason;

    buf_init(&reason, 1024);
    if (read_file(path, YAML_MAX_SIZE, &text, NULL, &reason) == READ_FILE_OK) {
        file = profile_load(path, buf_span(&text), &names_of_system, diags);
    } else {
        buf_append_char(&reason, '\0');
        diag_add(diags, DIAG_ERROR, where, "%s", buf_span(&reason).data);
    }
    buf_clear(&reason);
    buf_clear(&text);
    if (file)
        policy_add_file(setup->policy, file);
    return file != NULL;
}

static void load_files(struct ctl_setup *setup, const char *const *paths, size_t count,
                       struct diag_list *diags)
{
    bool is_good = true;

    for (size_t i = 0; i < count; i++)
        is_good = load_file(setup, paths[i], diags) && is_good;
    if (is_good)
        return;
    policy_unref(setup->policy);
    setup->policy = NULL;
}

bool ctl_setup_load_quietly(struct ctl_setup *setup, struct diag_list *diags)
{
    if (load_config(setup, diags))
        load_policy(setup, diags);
    if (setup->policy)
        apply_options(setup);
    return setup->policy != NULL;
}

bool ctl_setup_load(struct ctl_setup *setup, const char *verb)
{
    return ctl_setup_load_files(setup, verb, NULL, 0);
}

bool ctl_setup_load_files(struct ctl_setup *setup, const char *verb, const char *const *paths,
                          size_t count)
{
    struct diag_list diags;

    diag_list_init(&diags);
    if (load_config(setup, &diags) && (count == 0 || setup->options.profiles.count > 0))
        load_policy(setup, &diags);
    else if (diags.errors == 0)
        setup->policy = policy_new();
    if (setup->policy) {
        apply_options(setup);
        load_files(setup, paths, count, &diags);
    }
    print_diags(&diags);
    if (!setup->policy)
        ctl_usage_error(verb, "nothing can be said with this configuration");
    diag_list_clear(&diags);
    return setup->policy != NULL;
}

const struct profile *ctl_setup_find(const struct ctl_setup *setup, const char *verb,
                                     const char *name)
{
    const struct policy_index *index = &setup->policy->index;
    const struct profile *profile = policy_find_profile(setup->policy, name);

    if (profile)
        return profile;
    fprintf(stderr, "onion-graterctl %s: there is no profile of this name; there are:", verb);
    for (size_t i = 0; i < index->profile_count; i++)
        fprintf(stderr, " %s", index->profiles[i]->name);
    fprintf(stderr, "%s\n", index->profile_count ? "" : " none");
    return NULL;
}
