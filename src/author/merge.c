/* Several profiles to one.
 *
 * Works on the trees of the files, so that what is written is what stood there. Who the profiles
 * are for must be the same, or the merged one would give rules to clients that had none of them.
 * The result is read by the loader before it is given away: what contradicts itself only now
 * (patterns and `onions` for one command) is found there. */
#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "yaml_tree.h"
#include "yaml_writer.h"

#define NAME_MAX_LENGTH 64
#define MERGED "merged"

/* How the values of a key become one. */
enum merge_kind {
    MERGE_NAME,
    MERGE_SAME,  /* must be the same everywhere, lists in any order */
    MERGE_ANY,   /* the first that is there */
    MERGE_LISTS, /* a mapping of lists, joined */
    MERGE_EQUAL, /* a mapping of values, of which those of one name must be equal */
};

static const struct merge_key {
    const char *name;
    const char *meaning; /* the key that it is another name of */
    enum merge_kind kind;
} merge_keys[] = {
    {"name", "name", MERGE_NAME},
    {"apparmor-profiles", "apparmor-profiles", MERGE_SAME},
    {"exe-paths", "apparmor-profiles", MERGE_SAME},
    {"match-exe-paths", "apparmor-profiles", MERGE_SAME},
    {"users", "users", MERGE_SAME},
    {"match-users", "users", MERGE_SAME},
    {"hosts", "hosts", MERGE_SAME},
    {"match-hosts", "hosts", MERGE_SAME},
    {"groups", "groups", MERGE_SAME},
    {"units", "units", MERGE_SAME},
    {"executables", "executables", MERGE_SAME},
    {"writer", "writer", MERGE_SAME},
    {"apparmor-evidence", "apparmor-evidence", MERGE_SAME},
    {"socket", "socket", MERGE_SAME},
    {"auth", "auth", MERGE_SAME},
    {"tor-browser-mode", "tor-browser-mode", MERGE_ANY},
    {"restrict-stream-events", "tor-browser-mode", MERGE_ANY},
    {"commands", "commands", MERGE_LISTS},
    {"confs", "confs", MERGE_LISTS},
    {"onions", "onions", MERGE_EQUAL},
    {"events", "events", MERGE_EQUAL},
};

#define KEYS (sizeof merge_keys / sizeof *merge_keys)

/* One entry of a merged mapping. */
struct entry {
    const struct yaml_node *key;
    const struct yaml_node *value; /* the first one's */
    struct yaml_node list;         /* MERGE_LISTS: all elements, borrowed in an array of ours */
};

struct merge {
    struct diag_list *diags;
    struct yaml_node **roots;
    size_t root_count;
    const struct yaml_node **profiles; /* mappings, in order */
    char **stems;                      /* their default names; owned */
    size_t profile_count;
    struct buf *out;
};

/* --- comparing --- */

static bool is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_NULL ||
           ((node->kind == YAML_LIST || node->kind == YAML_MAPPING) && node->count == 0);
}

/* Quotes do not matter. The loader bounds the depth of a tree, and so this recursion. */
static bool is_equal(const struct yaml_node *a, const struct yaml_node *b)
{
    size_t children = a->kind == YAML_MAPPING ? 2 * a->count : a->count;

    if (is_empty(a) || is_empty(b))
        return is_empty(a) && is_empty(b);
    if (a->kind != b->kind)
        return false;
    if (a->kind == YAML_SCALAR)
        return strcmp(a->text, b->text) == 0;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < children; i++)
        if (!is_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static bool has_item(const struct yaml_node *list, const struct yaml_node *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_equal(&list->items[i], item))
            return true;
    return false;
}

static bool holds_all(const struct yaml_node *list, const struct yaml_node *others)
{
    for (size_t i = 0; i < others->count; i++)
        if (!has_item(list, &others->items[i]))
            return false;
    return true;
}

static bool is_same(const struct yaml_node *a, const struct yaml_node *b)
{
    if (a->kind == YAML_LIST && b->kind == YAML_LIST)
        return holds_all(a, b) && holds_all(b, a);
    return is_equal(a, b);
}

/* The pair of a profile whose key means `meaning`; NULL: it has none. */
static const struct yaml_node *find_pair(const struct yaml_node *profile, const char *meaning)
{
    for (size_t i = 0; i < profile->count; i++)
        for (size_t k = 0; k < KEYS; k++)
            if (strcmp(profile->items[2 * i].text, merge_keys[k].name) == 0 &&
                strcmp(merge_keys[k].meaning, meaning) == 0)
                return &profile->items[2 * i];
    return NULL;
}

/* --- writing --- */

static void write_key(struct buf *out, const struct yaml_node *key, unsigned indent)
{
    struct span text = span_from_string(key->text);

    yaml_write_indent(out, indent);
    if (key->is_plain && yaml_is_plain(text))
        buf_append(out, text);
    else
        yaml_write_text(out, text);
    buf_append_char(out, ':');
}

static void write_pair(struct buf *out, const struct yaml_node *key, const struct yaml_node *value,
                       unsigned indent)
{
    write_key(out, key, indent);
    if ((value->kind == YAML_LIST || value->kind == YAML_MAPPING) && value->count > 0) {
        buf_append_char(out, '\n');
        yaml_write_indent(out, indent + 2);
    }
    yaml_write_node(out, value, indent + 2);
}

/* --- keys of one value --- */

static const char *name_of(const struct merge *merge, size_t index)
{
    const struct yaml_node *pair = find_pair(merge->profiles[index], "name");

    return pair ? pair[1].text : merge->stems[index];
}

static bool is_new_name(const struct merge *merge, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(name_of(merge, i), name_of(merge, index)) == 0)
            return false;
    return true;
}

static void write_name(const struct merge *merge)
{
    struct buf name;

    buf_init(&name, NAME_MAX_LENGTH);
    for (size_t i = 0; i < merge->profile_count; i++) {
        if (!is_new_name(merge, i))
            continue;
        buf_append_string(&name, name.len > 0 ? "+" : "");
        buf_append_string(&name, name_of(merge, i));
    }
    buf_append_string(merge->out, "- name: ");
    yaml_write_text(merge->out, name.overflow ? SPAN(MERGED) : buf_span(&name));
    buf_append_char(merge->out, '\n');
    buf_clear(&name);
}

static void report_other_clients(struct merge *merge, const char *meaning, size_t index)
{
    const struct yaml_node *first = find_pair(merge->profiles[0], meaning);
    const struct yaml_node *other = find_pair(merge->profiles[index], meaning);
    struct source where = other ? other->where : merge->profiles[index]->where;
    struct source place = first ? first->where : merge->profiles[0]->where;

    diag_add(merge->diags, DIAG_ERROR, where,
             "%s '%s', while the profile in %s:%u %s; profiles for different clients cannot become "
             "one: make it the same in both, or keep them apart",
             other ? "this has another" : "this profile has no", meaning, place.file, place.line,
             first ? "has one" : "has none");
}

/* All profiles agree on it, or it is reported. */
static void merge_same(struct merge *merge, const char *meaning)
{
    const struct yaml_node *first = find_pair(merge->profiles[0], meaning);

    for (size_t i = 1; i < merge->profile_count; i++) {
        const struct yaml_node *other = find_pair(merge->profiles[i], meaning);
        if (first && other ? !is_same(first + 1, other + 1) : first != other)
            report_other_clients(merge, meaning, i);
    }
    if (first)
        write_pair(merge->out, first, first + 1, 2);
}

static bool is_true(const struct yaml_node *node)
{
    static const char *const words[] = {"true", "yes", "on", "y"};

    for (size_t i = 0; node->kind == YAML_SCALAR && i < sizeof words / sizeof *words; i++)
        if (span_equals_nocase(span_from_string(node->text), span_from_string(words[i])))
            return true;
    return false;
}

/* tor-browser-mode: it restricts them all if it restricts one of them. */
static void merge_any(struct merge *merge, const char *meaning)
{
    const struct yaml_node *chosen = NULL;

    for (size_t i = 0; i < merge->profile_count; i++) {
        const struct yaml_node *pair = find_pair(merge->profiles[i], meaning);
        if (pair && (!chosen || is_true(pair + 1)))
            chosen = pair;
    }
    if (chosen)
        write_pair(merge->out, chosen, chosen + 1, 2);
}

/* --- mappings --- */

struct section {
    struct entry *entries;
    size_t count;
};

static void section_clear(struct section *section)
{
    for (size_t i = 0; i < section->count; i++)
        free(section->entries[i].list.items);
    free(section->entries);
}

/* The entry of that name, in any case, made if it is new. */
static struct entry *section_find(struct section *section, const struct yaml_node *key,
                                  bool *is_new_out)
{
    *is_new_out = false;
    for (size_t i = 0; i < section->count; i++)
        if (span_equals_nocase(span_from_string(section->entries[i].key->text),
                               span_from_string(key->text)))
            return &section->entries[i];
    section->entries = mem_resize(section->entries, section->count + 1, sizeof(struct entry));
    struct entry *entry = &section->entries[section->count++];
    *entry = (struct entry){.key = key, .value = key + 1, .list = {.kind = YAML_LIST}};
    *is_new_out = true;
    return entry;
}

static void add_items(struct entry *entry, const struct yaml_node *list)
{
    for (size_t i = 0; list->kind == YAML_LIST && i < list->count; i++) {
        if (has_item(&entry->list, &list->items[i]))
            continue;
        entry->list.items =
            mem_resize(entry->list.items, entry->list.count + 1, sizeof(struct yaml_node));
        entry->list.items[entry->list.count++] = list->items[i];
    }
}

static void add_pair(struct merge *merge, struct section *section, const struct yaml_node *key,
                     const struct merge_key *what)
{
    bool is_new;
    struct entry *entry = section_find(section, key, &is_new);

    if (what->kind == MERGE_LISTS)
        add_items(entry, key + 1);
    else if (!is_new && !is_equal(entry->value, key + 1))
        diag_add(merge->diags, DIAG_ERROR, key->where,
                 "'%s' under '%s' says something else than in %s:%u; decide which of them is meant",
                 what->name, key->text, entry->key->where.file, entry->key->where.line);
}

static void write_section(struct merge *merge, const struct section *section,
                          const struct yaml_node *heading, enum merge_kind kind)
{
    write_key(merge->out, heading, 2);
    buf_append_string(merge->out, section->count > 0 ? "\n" : " {}\n");
    for (size_t i = 0; i < section->count; i++) {
        const struct entry *entry = &section->entries[i];
        bool is_joined = kind == MERGE_LISTS && entry->list.count > 0;
        write_pair(merge->out, entry->key, is_joined ? &entry->list : entry->value, 4);
    }
}

static void merge_section(struct merge *merge, const struct merge_key *what)
{
    const struct yaml_node *heading = NULL;
    struct section section = {0};

    for (size_t i = 0; i < merge->profile_count; i++) {
        const struct yaml_node *pair = find_pair(merge->profiles[i], what->name);
        if (!pair)
            continue;
        heading = heading ? heading : pair;
        for (size_t j = 0; pair[1].kind == YAML_MAPPING && j < pair[1].count; j++)
            add_pair(merge, &section, &pair[1].items[2 * j], what);
    }
    if (heading)
        write_section(merge, &section, heading, what->kind);
    section_clear(&section);
}

static void merge_key(struct merge *merge, const struct merge_key *what)
{
    switch (what->kind) {
    case MERGE_NAME:
        write_name(merge);
        break;
    case MERGE_SAME:
        merge_same(merge, what->meaning);
        break;
    case MERGE_ANY:
        merge_any(merge, what->meaning);
        break;
    case MERGE_LISTS:
    case MERGE_EQUAL:
        merge_section(merge, what);
        break;
    }
}

/* --- inputs --- */

static void add_profile(struct merge *merge, const struct yaml_node *node, const char *stem)
{
    size_t count = merge->profile_count + 1;

    merge->profiles = mem_resize(merge->profiles, count, sizeof(const struct yaml_node *));
    merge->stems = mem_resize(merge->stems, count, sizeof(char *));
    merge->profiles[merge->profile_count] = node;
    merge->stems[merge->profile_count++] = mem_copy_string(span_from_string(stem));
}

/* A file that the loader takes: a list of mappings, a mapping, or nothing. */
static void take_input(struct merge *merge, const struct merge_input *input,
                       const struct name_resolver *resolver)
{
    bool is_empty_file;
    struct profile_file *file = profile_load(input->path, input->text, resolver, merge->diags);

    if (!file)
        return;
    struct yaml_node *root =
        yaml_tree_parse(input->path, input->text, merge->diags, &is_empty_file);
    merge->roots = mem_resize(merge->roots, merge->root_count + 1, sizeof(struct yaml_node *));
    merge->roots[merge->root_count++] = root;
    if (root && root->kind == YAML_MAPPING)
        add_profile(merge, root, file->stem);
    for (size_t i = 0; root && root->kind == YAML_LIST && i < root->count; i++)
        add_profile(merge, &root->items[i], file->stem);
    profile_file_unref(file);
}

static void merge_clear(struct merge *merge)
{
    for (size_t i = 0; i < merge->root_count; i++)
        yaml_tree_free(merge->roots[i]);
    for (size_t i = 0; i < merge->profile_count; i++)
        free(merge->stems[i]);
    free(merge->roots);
    free(merge->profiles);
    free(merge->stems);
}

/* Whether the result is a profile; the loader's messages name its lines. */
static bool is_sound(const struct merge *merge, const struct name_resolver *resolver)
{
    struct diag_list diags;

    diag_list_init(&diags);
    struct profile_file *file = profile_load(MERGED ".yml", buf_span(merge->out), resolver, &diags);
    for (size_t i = 0; i < diags.count; i++)
        if (diags.items[i].severity == DIAG_ERROR)
            diag_add(merge->diags, DIAG_ERROR, (struct source){.file = "the merged profile"}, "%s",
                     diags.items[i].text);
    diag_list_clear(&diags);
    profile_file_unref(file);
    return file != NULL;
}

static void write_all(struct merge *merge)
{
    const char *done = "";

    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(merge_keys[i].meaning, done) != 0)
            merge_key(merge, &merge_keys[i]);
        done = merge_keys[i].meaning;
    }
}

bool merge_profiles(const struct merge_input *inputs, size_t count,
                    const struct name_resolver *resolver, struct diag_list *diags, struct buf *out)
{
    struct merge merge = {.diags = diags, .out = out};
    size_t errors = diags->errors;

    for (size_t i = 0; i < count; i++)
        take_input(&merge, &inputs[i], resolver);
    if (diags->errors == errors && merge.profile_count == 0)
        diag_add(diags, DIAG_ERROR, (struct source){.file = count > 0 ? inputs[0].path : ""},
                 "there is no profile in it");
    if (diags->errors == errors)
        write_all(&merge);
    if (diags->errors == errors && out->overflow)
        diag_add(diags, DIAG_ERROR, (struct source){.file = "the merged profile"},
                 "this is more than fits into one file");
    bool done = diags->errors == errors && is_sound(&merge, resolver);
    merge_clear(&merge);
    return done;
}
