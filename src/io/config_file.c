/* Reading /etc/onion-grater/onion-grater.yml: the loader is as strict as that of profiles, every
 * message names line and column, and all of them are given at once. */
#include "config_file.h"

#include <string.h>

#include "read_file.h"
#include "yaml_tree.h"

#define CONFIG_REASON_MAX 1024

/* A text with its end, for messages; borrowed until the buffer changes. */
static const char *config_text(struct buf *buf)
{
    buf_append_char(buf, '\0');
    return buf_span(buf).data;
}

static void config_wrong_kind(struct diag_list *diags, const char *key,
                              const struct yaml_node *node, const char *wanted)
{
    diag_add(diags, DIAG_ERROR, node->where, "%s: found %s; %s belongs here", key,
             yaml_kind_text(node->kind), wanted);
}

typedef bool config_setter(struct options *options, const char *name, const char *value,
                           struct buf *reason);

static void config_take_text(struct options *options, const struct yaml_node *key,
                             const struct yaml_node *value, config_setter *set,
                             struct diag_list *diags)
{
    struct buf reason;

    if (value->kind != YAML_SCALAR) {
        config_wrong_kind(diags, key->text, value, "text");
        return;
    }
    buf_init(&reason, CONFIG_REASON_MAX);
    if (!set(options, key->text, value->text, &reason))
        diag_add(diags, DIAG_ERROR, value->where, "%s: %s", key->text, config_text(&reason));
    buf_clear(&reason);
}

static void config_take_list(struct options *options, const struct yaml_node *key,
                             const struct yaml_node *value, struct diag_list *diags)
{
    if (value->kind != YAML_LIST) {
        config_wrong_kind(diags, key->text, value, "a list of directories");
        return;
    }
    for (size_t i = 0; i < value->count; i++)
        config_take_text(options, key, &value->items[i], options_set, diags);
}

/* Whether the key belongs where it stands; says so if not. */
static bool config_knows(const struct yaml_node *key, bool limits, struct diag_list *diags)
{
    struct buf text;

    if (key->kind != YAML_SCALAR) {
        config_wrong_kind(diags, "key", key, "a name");
        return false;
    }
    if (options_is_key(key->text, limits))
        return true;
    buf_init(&text, CONFIG_REASON_MAX);
    buf_append_string(&text, "unknown key \"");
    buf_append_escaped(&text, span_from_string(key->text), 40);
    buf_append_string(&text, "\"; known here: ");
    options_list_keys(&text, limits);
    diag_add(diags, DIAG_ERROR, key->where, "%s", config_text(&text));
    buf_clear(&text);
    return false;
}

static void config_take_limits(struct options *options, const struct yaml_node *value,
                               struct diag_list *diags)
{
    if (value->kind != YAML_MAPPING) {
        config_wrong_kind(diags, "limits", value, "a mapping");
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *key = &value->items[2 * i];
        if (config_knows(key, true, diags))
            config_take_text(options, key, &value->items[2 * i + 1], options_set_limit, diags);
    }
}

static void config_take_pair(struct options *options, const struct yaml_node *key,
                             const struct yaml_node *value, struct diag_list *diags)
{
    if (key->kind == YAML_SCALAR && strcmp(key->text, "limits") == 0)
        config_take_limits(options, value, diags);
    else if (!config_knows(key, false, diags))
        return;
    else if (strcmp(key->text, "profiles") == 0)
        config_take_list(options, key, value, diags);
    else
        config_take_text(options, key, value, options_set, diags);
}

static void config_take_root(struct options *options, const struct yaml_node *root,
                             struct diag_list *diags)
{
    if (root->kind != YAML_MAPPING) {
        config_wrong_kind(diags, "configuration", root, "a mapping");
        return;
    }
    for (size_t i = 0; i < root->count; i++)
        config_take_pair(options, &root->items[2 * i], &root->items[2 * i + 1], diags);
}

bool config_file_load(const char *path, bool is_required, struct options *options,
                      struct diag_list *diags)
{
    struct buf text, reason;
    size_t errors = diags->errors;
    bool is_empty = false;

    /* How people write that there shall be none. */
    if (strcmp(path, "/dev/null") == 0)
        return true;
    buf_init(&reason, CONFIG_REASON_MAX);
    enum read_file_result result = read_file(path, YAML_MAX_SIZE, &text, NULL, &reason);
    if (result == READ_FILE_OK) {
        struct yaml_node *root = yaml_tree_parse(path, buf_span(&text), diags, &is_empty);
        if (root) {
            config_take_root(options, root, diags);
            yaml_tree_free(root);
        }
    } else if (result != READ_FILE_MISSING || is_required) {
        diag_add(diags, DIAG_ERROR, (struct source){.file = path},
                 "cannot read the configuration: %s", config_text(&reason));
    }
    buf_clear(&reason);
    buf_clear(&text);
    return diags->errors == errors;
}
