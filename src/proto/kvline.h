/* key=value lists, split exactly as tor splits them (control-protocol 1.4 K, Kf, Q).
 *
 * Input is a command's arguments, hence printable ASCII: the only separator left is the space.
 * A Q value may be followed by the next key without a separator after its closing quote (7.3);
 * quotes anywhere else belong to the value (7.4). */
#ifndef OG_KVLINE_H
#define OG_KVLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "keyword.h"
#include "span.h"

struct kv_pair {
    struct span text;  /* the pair as written */
    struct span key;   /* never empty */
    struct span value; /* as written, quotes included; empty if there is none */
    bool has_value;    /* an "=" was there */
    bool is_quoted;    /* the value is a quoted string */
};

enum kv_result {
    KV_END,       /* only separators were left */
    KV_PAIR,      /* one pair in *pair_out */
    KV_MALFORMED, /* tor would refuse the whole command; or the text is not printable ASCII */
};

/* Takes the next pair off *rest. `grammar`: GRAMMAR_KV, GRAMMAR_KV_FLAGS or GRAMMAR_QUOTED.
 * Spans are borrowed from *rest. */
enum kv_result kv_next(enum keyword_grammar grammar, struct span *rest, struct kv_pair *pair_out);

#endif
