/* One line of tor's through a `response` list (design 3.3, 3.7). */
#ifndef OG_REWRITE_H
#define OG_REWRITE_H

#include "buf.h"
#include "profile.h"
#include "reply.h"
#include "template.h"

enum rewrite_result {
    REWRITE_UNMATCHED, /* no pattern matched; nothing written, the caller decides */
    REWRITE_LINE,      /* the new wire line is in `out`, and has the framing of the old one */
    REWRITE_EMPTY,     /* a pattern matched and its replacement is empty */
    REWRITE_WITHHOLD,  /* a limit was hit, or the new line broke the framing */
};

/* Tries the rules in order on the line's wire text; the first that matches decides. `out` is reset
 * first and holds the line without CRLF. Framing is kept if code and separator are unchanged, no
 * control character is in it, and a data line neither ends its block nor has an undoubled dot. */
enum rewrite_result rewrite_line(const struct line_rules *rules, const struct reply_line *line,
                                 const struct template_variables *variables, struct buf *out);

/* The same, and which rule decided; *rule_out is NULL where the line is unmatched. */
enum rewrite_result rewrite_line_by(const struct line_rules *rules, const struct reply_line *line,
                                    const struct template_variables *variables, struct buf *out,
                                    const struct line_rule **rule_out);

#endif
