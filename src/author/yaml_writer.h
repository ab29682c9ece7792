/* YAML text, written so that it reads as what was meant and as nothing else. */
#ifndef OG_YAML_WRITER_H
#define OG_YAML_WRITER_H

#include <stdbool.h>

#include "buf.h"
#include "span.h"
#include "yaml_tree.h"

#define YAML_WRITER_WIDTH 100 /* columns; comments are folded to it, text never */

void yaml_write_indent(struct buf *out, unsigned indent);

/* A scalar that is text, in single quotes; in double quotes if it holds what those cannot. `text`
 * is UTF-8. */
void yaml_write_text(struct buf *out, struct span text);

/* Whether the text may stand without quotes, as it did, and is the same scalar everywhere. */
bool yaml_is_plain(struct span text);

/* One comment of one or several lines, from words that are parted by spaces. Bytes that are no
 * printable ASCII are escaped. */
void yaml_write_comment(struct buf *out, unsigned indent, struct span text);

/* A node in block style: scalars in the quotes, or without the quotes, that they had. Begins where
 * the line stands, and ends with a line's end. */
void yaml_write_node(struct buf *out, const struct yaml_node *node, unsigned indent);

#endif
