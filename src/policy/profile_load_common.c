/* The tools of the profile loader: messages, tables of keys, names nearly right, plain values.
 *
 * Strict means (design 3.1): what is not understood is an error with its place, never skipped. All
 * errors of a file are reported in one go, so every reader goes on after it has complained. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"
#include "profile_load_parts.h"

/* How much of a file's text a message shows. */
#define SHOWN_TEXT 60
/* Names longer than this are not compared for typing errors. */
#define NEAR_MAX 40
#define NEAR_DISTANCE 2

const char *load_quote(struct load *load, const char *text)
{
    struct buf *quote = &load->quotes[load->next_quote];

    load->next_quote = (load->next_quote + 1) % LOAD_QUOTES;
    buf_reset(quote);
    buf_append_escaped(quote, span_from_string(text), SHOWN_TEXT);
    buf_append_char(quote, '\0');
    return buf_span(quote).data;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Typing errors between two names: letters added, left out or exchanged. */
static size_t edit_distance(struct span a, struct span b)
{
    size_t row[NEAR_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            bool is_same = ascii_to_lower(a.data[i]) == ascii_to_lower(b.data[j]);
            size_t above = row[j + 1];
            row[j + 1] = smallest(diagonal + !is_same, above + 1, row[j] + 1);
            diagonal = above;
        }
    }
    return row[b.len];
}

const char *load_nearest(const char *name, const char *(*next)(const void *context, size_t index),
                         const void *context)
{
    struct span text = span_from_string(name);
    size_t best = NEAR_DISTANCE + 1;
    const char *nearest = NULL;
    const char *candidate;

    if (text.len > NEAR_MAX)
        return NULL;
    for (size_t i = 0; (candidate = next(context, i)) != NULL; i++) {
        struct span other = span_from_string(candidate);
        if (other.len > NEAR_MAX || other.len <= NEAR_DISTANCE)
            continue;
        size_t distance = edit_distance(text, other);
        if (distance < best) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

static const char *next_key(const void *context, size_t index)
{
    const struct load_keys *keys = context;

    return index < keys->count ? keys->keys[index].name : NULL;
}

static void append_key_names(struct buf *out, const struct load_keys *keys)
{
    bool is_first = true;

    for (size_t i = 0; i < keys->count; i++) {
        if (!keys->keys[i].read)
            continue;
        buf_append_string(out, is_first ? "" : ", ");
        buf_append_string(out, keys->keys[i].name);
        is_first = false;
    }
    buf_append_char(out, '\0');
}

static void report_unknown_key(struct load *load, const struct load_keys *keys,
                               const struct yaml_node *key)
{
    const char *nearest = load_nearest(key->text, next_key, keys);
    const char *shown = load_quote(load, key->text);
    struct buf names;

    buf_init(&names, SIZE_MAX / 2);
    append_key_names(&names, keys);
    if (nearest)
        load_error(load, key, "%s has no key '%s'; did you mean '%s'? Its keys are %s", keys->what,
                   shown, nearest, buf_span(&names).data);
    else
        load_error(load, key, "%s has no key '%s'; its keys are %s", keys->what, shown,
                   buf_span(&names).data);
    buf_clear(&names);
}

static const struct load_key *find_key(const struct load_keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->keys[i].name, name) == 0)
            return &keys->keys[i];
    return NULL;
}

void load_mapping(struct load *load, const struct load_keys *keys, const struct yaml_node *mapping,
                  void *target)
{
    for (size_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *key = &mapping->items[2 * i];
        if (!load_expect_name(load, key, "a key"))
            continue;
        const struct load_key *known = find_key(keys, key->text);
        /* Of a duplicate key, which the tree has reported, the first counts. */
        if (known && yaml_mapping_get(mapping, key->text) != key + 1)
            continue;
        if (!known)
            report_unknown_key(load, keys, key);
        else if (!known->read)
            load_error(load, key, "'%s' is not supported by this version yet; take it out",
                       known->name);
        else
            known->read(load, target, key, key + 1);
    }
}

bool load_expect(struct load *load, const struct yaml_node *node, enum yaml_kind kind,
                 const char *key, const char *hint)
{
    if (node->kind == kind)
        return true;
    load_error(load, node, "'%s' is %s, but %s belongs here; %s", load_quote(load, key),
               yaml_kind_text(node->kind), yaml_kind_text(kind), hint);
    return false;
}

bool load_expect_name(struct load *load, const struct yaml_node *key, const char *what)
{
    if (key->kind == YAML_SCALAR)
        return true;
    load_error(load, key, "%s stands where %s belongs; write it as plain text",
               yaml_kind_text(key->kind), what);
    return false;
}

bool load_expect_count(struct load *load, const struct yaml_node *key, const struct yaml_node *list,
                       size_t most)
{
    if (list->count <= most)
        return true;
    load_error(load, key, "'%s' has %zu entries, but at most %zu are taken; shorten the list",
               load_quote(load, key->text), list->count, most);
    return false;
}

bool load_begin_list(struct load *load, const struct yaml_node *key, const struct yaml_node *value,
                     bool *is_present, struct source *where)
{
    if (*is_present) {
        load_error(load, key, "'%s' means the same as the key in line %u; keep one of them",
                   key->text, where->line);
        return false;
    }
    *is_present = true;
    *where = key->where;
    if (!load_expect(load, value, YAML_LIST, key->text, "write it as a list: - NAME") ||
        !load_expect_count(load, key, value, LOAD_MAX_NAMES))
        return false;
    if (value->count == 0)
        load_warning(load, key, "'%s' is an empty list, so the profile matches nobody", key->text);
    return true;
}

bool load_expect_item(struct load *load, const struct yaml_node *key, const struct yaml_node *item)
{
    if (!load_expect(load, item, YAML_SCALAR, key->text, "each entry is one name"))
        return false;
    if (item->text[0] != '\0')
        return true;
    load_error(load, item, "'%s' has an empty name; write one, or '*' for any", key->text);
    return false;
}

/* For qsort: by text without regard to case, then by place. */
static int compare_nocase(const void *left, const void *right)
{
    const struct yaml_node *a = *(const struct yaml_node *const *)left;
    const struct yaml_node *b = *(const struct yaml_node *const *)right;
    size_t i = 0;

    while (a->text[i] && ascii_to_lower(a->text[i]) == ascii_to_lower(b->text[i]))
        i++;
    int order = (int)(unsigned char)ascii_to_lower(a->text[i]) -
                (int)(unsigned char)ascii_to_lower(b->text[i]);
    return order ? order : (a > b) - (a < b);
}

void load_check_case(struct load *load, const struct yaml_node *mapping, const char *what)
{
    const struct yaml_node **keys = mem_zalloc(mapping->count, sizeof(struct yaml_node *));
    size_t count = 0;

    for (size_t i = 0; i < mapping->count; i++)
        if (mapping->items[2 * i].kind == YAML_SCALAR)
            keys[count++] = &mapping->items[2 * i];
    qsort(keys, count, sizeof(struct yaml_node *), compare_nocase);
    for (size_t i = 1; i < count; i++) {
        const char *before = keys[i - 1]->text;
        const char *name = keys[i]->text;
        /* The same in every letter is a duplicate key, which the tree has reported. */
        if (strcmp(before, name) != 0 &&
            span_equals_nocase(span_from_string(before), span_from_string(name)))
            load_error(load, keys[i],
                       "%s '%s' is already in line %u as '%s': case makes no difference; put them "
                       "together",
                       what, load_quote(load, name), keys[i - 1]->where.line,
                       load_quote(load, before));
    }
    free(keys);
}

static int read_boolean(const struct yaml_node *node)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

    if (node->kind != YAML_SCALAR)
        return -1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (span_equals_nocase(span_from_string(node->text), span_from_string(words[i])))
            return (int)(i % 2);
    return -1;
}

void load_boolean(struct load *load, const struct yaml_node *key, const struct yaml_node *value,
                  bool *value_out)
{
    int answer = read_boolean(value);

    *value_out = answer == 1;
    if (answer >= 0)
        return;
    if (value->kind == YAML_SCALAR)
        load_error(load, value, "'%s' is '%s'; write true or false", key->text,
                   load_quote(load, value->text));
    else
        load_error(load, value, "'%s' is %s; write true or false", key->text,
                   yaml_kind_text(value->kind));
}

struct pattern *load_pattern(struct load *load, const struct yaml_node *node)
{
    struct buf error;
    size_t column = 0;

    buf_init(&error, SIZE_MAX / 2);
    struct pattern *pattern = pattern_compile(node->text, &column, &error);
    buf_append_char(&error, '\0');
    if (!pattern)
        load_error(load, node, "bad pattern, at its character %zu: %s", column + 1,
                   buf_span(&error).data);
    buf_clear(&error);
    return pattern;
}
