/* What can be read off the tree of a pattern without running it. */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"
#include "regex_tree.h"

/* Of {n}: more than that is not written out. */
#define ENUMERATE_MAX_REPEAT 512
#define ENUMERATE_MAX_LENGTH 2048

static const struct regex_node *node_at(const struct regex *regex, size_t node)
{
    return &regex->nodes[node];
}

/* --- prefix --- */

/* The only byte of the set, or -1. */
static int only_byte(const struct byte_set *set)
{
    int found = -1;

    for (unsigned byte = 0; byte < 256; byte++) {
        if (!byte_set_has(set, byte))
            continue;
        if (found >= 0)
            return -1;
        found = (int)byte;
    }
    return found;
}

/* False: what follows the node is no longer part of the prefix. */
static bool append_prefix(const struct regex *regex, size_t at, struct buf *out)
{
    const struct regex_node *node = node_at(regex, at);
    int byte;

    switch (node->kind) {
    case REGEX_SEQUENCE:
        for (size_t child = node->child; child != REGEX_NONE; child = node_at(regex, child)->next)
            if (!append_prefix(regex, child, out))
                return false;
        return true;
    case REGEX_SET:
        byte = only_byte(&node->set);
        return byte >= 0 && buf_append_char(out, (char)byte);
    case REGEX_CAPTURE:
        return append_prefix(regex, node->child, out);
    case REGEX_START:
        return true;
    case REGEX_CHOICE:
    case REGEX_REPEAT:
    case REGEX_END:
    case REGEX_OPAQUE:
        break;
    }
    return false;
}

void regex_append_prefix(const struct regex *regex, struct buf *out)
{
    append_prefix(regex, regex->root, out);
}

/* --- free parts --- */

static bool can_be_empty(const struct regex *regex, size_t at)
{
    const struct regex_node *node = node_at(regex, at);
    bool is_sequence = node->kind == REGEX_SEQUENCE;

    if (node->kind == REGEX_SET)
        return false;
    if (node->kind == REGEX_REPEAT && node->min == 0)
        return true;
    if (node->child == REGEX_NONE)
        return true;
    for (size_t child = node->child; child != REGEX_NONE; child = node_at(regex, child)->next)
        if (can_be_empty(regex, child) != is_sequence)
            return !is_sequence;
    return is_sequence;
}

static struct byte_set single_bytes(const struct regex *regex, size_t at);

/* Those of a sequence: of each part whose neighbours may all be empty. */
static struct byte_set sequence_bytes(const struct regex *regex, const struct regex_node *node)
{
    struct byte_set set = {{0}};
    size_t solid = REGEX_NONE, solids = 0;

    for (size_t child = node->child; child != REGEX_NONE; child = node_at(regex, child)->next) {
        if (can_be_empty(regex, child))
            continue;
        solid = child;
        solids++;
    }
    for (size_t child = node->child; child != REGEX_NONE; child = node_at(regex, child)->next) {
        if (solids > 1 || (solids == 1 && child != solid))
            continue;
        struct byte_set of_child = single_bytes(regex, child);
        for (size_t i = 0; i < 4; i++)
            set.words[i] |= of_child.words[i];
    }
    return set;
}

/* The bytes that the node matches as a text of one byte. */
static struct byte_set single_bytes(const struct regex *regex, size_t at)
{
    const struct regex_node *node = node_at(regex, at);
    struct byte_set set = {{0}};

    if (node->kind == REGEX_SET)
        return node->set;
    if (node->kind == REGEX_SEQUENCE)
        return sequence_bytes(regex, node);
    if (node->kind == REGEX_REPEAT && (node->min > 1 || node->max == 0))
        return set;
    for (size_t child = node->child; child != REGEX_NONE; child = node_at(regex, child)->next) {
        struct byte_set of_child = single_bytes(regex, child);
        for (size_t i = 0; i < 4; i++)
            set.words[i] |= of_child.words[i];
    }
    return set;
}

struct byte_set regex_free_bytes(const struct regex *regex)
{
    struct byte_set set = {{0}};

    for (size_t at = 0; at < regex->count; at++) {
        const struct regex_node *node = node_at(regex, at);
        if (node->kind != REGEX_REPEAT || node->max < REGEX_FREE_COUNT)
            continue;
        struct byte_set part = single_bytes(regex, node->child);
        for (size_t i = 0; i < 4; i++)
            set.words[i] |= part.words[i];
    }
    return set;
}

/* --- all texts --- */

void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

static void text_list_add(struct text_list *list, char *text)
{
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = text;
}

/* Takes over what `more` has. */
static void text_list_join(struct text_list *list, struct text_list *more)
{
    for (size_t i = 0; i < more->count; i++)
        text_list_add(list, more->items[i]);
    free(more->items);
    *more = (struct text_list){0};
}

/* Puts each text of `tails` behind each of `list`. */
static bool text_list_multiply(struct text_list *list, const struct text_list *tails, size_t limit)
{
    struct text_list product = {0};

    if (list->count * tails->count > limit)
        return false;
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < tails->count; j++)
            text_list_add(&product, mem_printf("%s%s", list->items[i], tails->items[j]));
    text_list_clear(list);
    *list = product;
    return list->count == 0 || strlen(list->items[0]) <= ENUMERATE_MAX_LENGTH;
}

static bool enumerate(const struct regex *regex, size_t at, size_t limit, struct text_list *list);

static bool enumerate_set(const struct byte_set *set, size_t limit, struct text_list *list)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        if (!byte_set_has(set, byte) || !ascii_is_printable((char)byte))
            continue;
        if (list->count == limit)
            return false;
        text_list_add(list, mem_printf("%c", (int)byte));
    }
    return true;
}

static bool enumerate_sequence(const struct regex *regex, const struct regex_node *node,
                               size_t limit, struct text_list *list)
{
    bool done = true;

    text_list_add(list, mem_printf("%s", ""));
    for (size_t child = node->child; done && child != REGEX_NONE;
         child = node_at(regex, child)->next) {
        struct text_list part = {0};
        done = enumerate(regex, child, limit, &part) && text_list_multiply(list, &part, limit);
        text_list_clear(&part);
    }
    return done;
}

static bool enumerate_choice(const struct regex *regex, const struct regex_node *node, size_t limit,
                             struct text_list *list)
{
    for (size_t child = node->child; child != REGEX_NONE; child = node_at(regex, child)->next) {
        struct text_list branch = {0};
        bool done = enumerate(regex, child, limit, &branch);
        text_list_join(list, &branch);
        if (!done || list->count > limit)
            return false;
    }
    return true;
}

static bool enumerate_repeat(const struct regex *regex, const struct regex_node *node, size_t limit,
                             struct text_list *list)
{
    struct text_list once = {0}, power = {0};
    bool done = node->max <= ENUMERATE_MAX_REPEAT && enumerate(regex, node->child, limit, &once);

    text_list_add(&power, mem_printf("%s", ""));
    for (unsigned i = 0; done && i <= node->max; i++) {
        for (size_t j = 0; i >= node->min && j < power.count; j++)
            text_list_add(list, mem_copy_string(span_from_string(power.items[j])));
        done = list->count <= limit && (i == node->max || text_list_multiply(&power, &once, limit));
    }
    text_list_clear(&once);
    text_list_clear(&power);
    return done;
}

static bool enumerate(const struct regex *regex, size_t at, size_t limit, struct text_list *list)
{
    const struct regex_node *node = node_at(regex, at);

    switch (node->kind) {
    case REGEX_SEQUENCE:
        return enumerate_sequence(regex, node, limit, list);
    case REGEX_SET:
        return enumerate_set(&node->set, limit, list);
    case REGEX_CHOICE:
        return enumerate_choice(regex, node, limit, list);
    case REGEX_REPEAT:
        return enumerate_repeat(regex, node, limit, list);
    case REGEX_CAPTURE:
        return enumerate(regex, node->child, limit, list);
    case REGEX_START:
    case REGEX_END:
        text_list_add(list, mem_printf("%s", ""));
        return true;
    case REGEX_OPAQUE:
        break;
    }
    return false;
}

bool regex_enumerate(const struct regex *regex, size_t limit, struct text_list *list_out)
{
    *list_out = (struct text_list){0};
    if (enumerate(regex, regex->root, limit, list_out))
        return true;
    text_list_clear(list_out);
    return false;
}
