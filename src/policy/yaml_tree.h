/* A strict YAML document as a tree with places (design 3.1).
 *
 * Scalars are text as written: no types, "0" and 0 are the same two-way. Anchors, aliases, tags,
 * duplicate keys, several documents in one file, nesting deeper than YAML_MAX_DEPTH and text over
 * YAML_MAX_SIZE are errors. A plain scalar that is empty, "~" or "null" is null; a quoted one is
 * text. */
#ifndef OG_YAML_TREE_H
#define OG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"
#include "span.h"

#define YAML_MAX_DEPTH 16
#define YAML_MAX_SIZE (1024 * 1024)

enum yaml_kind {
    YAML_NULL,
    YAML_SCALAR,
    YAML_LIST,
    YAML_MAPPING,
};

struct yaml_node {
    enum yaml_kind kind;
    struct source where;
    char *text;              /* YAML_SCALAR: NUL-terminated, holds no NUL (that is an error) */
    bool is_plain;           /* YAML_SCALAR: written without quotes */
    struct yaml_node *items; /* YAML_LIST: elements; YAML_MAPPING: key, value, key, value */
    size_t count;            /* elements, or pairs */
};

/* Parses one document. NULL if there was an error, all of it in `diags`, or if the text holds no
 * document at all (*is_empty_out is true and nothing is reported: an empty file is legal). `file`
 * is copied by nobody: it must outlive the tree. */
struct yaml_node *yaml_tree_parse(const char *file, struct span text, struct diag_list *diags,
                                  bool *is_empty_out);

/* The same for a caller that goes on to check the contents, so that one run reports all errors:
 * after an anchor, an alias (null stands for it), a tag or a duplicate key the tree is returned
 * all the same. The caller must look at diags->errors before it uses anything. */
struct yaml_node *yaml_tree_parse_to_check(const char *file, struct span text,
                                           struct diag_list *diags, bool *is_empty_out);

void yaml_tree_free(struct yaml_node *root);

/* A number that differs where the contents do, whatever the comments and the spacing. Not for
 * guarding against forgery. */
uint64_t yaml_tree_digest(const struct yaml_node *root);

/* The value under `key` (exact text), or NULL. */
const struct yaml_node *yaml_mapping_get(const struct yaml_node *mapping, const char *key);

/* "a mapping", "a list", "text", "nothing": for messages. */
const char *yaml_kind_text(enum yaml_kind kind);

#endif
