/* The pattern of a rule as a tree: what policy/pattern compiles, read once more for its meaning.
 *
 * Only what pattern_compile takes is read here. What cannot be told from the text alone
 * (look-around, back references, word boundaries, atomic groups) becomes REGEX_OPAQUE with
 * something in it that matches at least as much. */
#ifndef OG_REGEX_TREE_H
#define OG_REGEX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pattern.h"
#include "span.h"

/* A set of bytes. */
struct byte_set {
    uint64_t words[4];
};

static inline bool byte_set_has(const struct byte_set *set, unsigned byte)
{
    return set->words[byte / 64] >> (byte % 64) & 1;
}

static inline void byte_set_add(struct byte_set *set, unsigned byte)
{
    set->words[byte / 64] |= (uint64_t)1 << (byte % 64);
}

enum regex_kind {
    REGEX_SEQUENCE, /* the children one after the other; none: the empty text */
    REGEX_SET,      /* one byte of `set` */
    REGEX_CHOICE,   /* one of the children */
    REGEX_REPEAT,   /* the child, `min` to `max` times */
    REGEX_CAPTURE,  /* the child, as a group that captures */
    REGEX_START,    /* nothing, and only at the beginning */
    REGEX_END,      /* nothing, and only at the end */
    REGEX_OPAQUE,   /* no more than the child matches */
};

#define REGEX_NONE ((size_t)-1) /* no such node */
#define REGEX_MANY ((unsigned)-1)

struct regex_node {
    enum regex_kind kind;
    size_t child; /* the first one, or REGEX_NONE */
    size_t next;  /* of the same parent, or REGEX_NONE */
    struct byte_set set;
    unsigned min;
    unsigned max;     /* REGEX_MANY: any number */
    size_t capture;   /* the number of the group */
    struct span text; /* as written */
};

struct regex {
    char *text; /* owned copy */
    struct regex_node *nodes;
    size_t count;
    size_t root;
    struct regex_capture {
        struct span inside; /* what stands between its brackets */
        bool is_optional;   /* the pattern can match without it */
    } captures[PATTERN_MAX_CAPTURES];
    size_t capture_count;
};

/* NULL if there is something in it that is not understood. */
struct regex *regex_parse(const char *text);
void regex_free(struct regex *regex);

/* Appends the text that every match begins with. */
void regex_append_prefix(const struct regex *regex, struct buf *out);

/* The bytes of which the pattern has a part of any number (or REGEX_FREE_COUNT at least), one like
 * the other: for "NEW:.+ Port=[0-9]*" all bytes. */
#define REGEX_FREE_COUNT 24
struct byte_set regex_free_bytes(const struct regex *regex);

/* Texts, owned. */
struct text_list {
    char **items;
    size_t count;
};

void text_list_clear(struct text_list *list);

/* All printable texts that the tree matches, anchors taken for nothing: at least what the pattern
 * matches. False, and nothing in the list: more than `limit`, or not to be told. */
bool regex_enumerate(const struct regex *regex, size_t limit, struct text_list *list_out);

#endif
