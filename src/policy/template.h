/* Replacement texts (design 3.3): "{}" or "{0}", {client-address} and its like, "{{" and "}}".
 *
 * Checked when loaded against the pattern that feeds it; expansion cannot fail but for size. */
#ifndef OG_TEMPLATE_H
#define OG_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "pattern.h"
#include "span.h"

/* What the named fields stand for in one session. */
struct template_variables {
    struct span client_address;
    struct span client_port;
    struct span server_address;
    struct span server_port;
};

struct template;

/* Compiles. `captures`: groups that the pattern has. On failure NULL, *column_out the offset (from
 * 0) in `text` and the reason appended to `error`. Line breaks, NUL and other control characters in
 * the text are an error. */
struct template *template_compile(const char *text, size_t captures, size_t *column_out,
                                  struct buf *error);
void template_free(struct template *template);

/* Appends the expansion; false if the buffer is full. */
bool template_expand(const struct template *template, const struct captures *captures,
                     const struct template_variables *variables, struct buf *out);

/* Whether the text is '' (for events: drop). */
bool template_is_empty(const struct template *template);

#endif
