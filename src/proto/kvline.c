/* key=value lists, as tor's kvline_parse reads them (control-protocol 1.4 K, Kf, Q).
 *
 * A pair is found from its own bytes only: key up to "=" or a space, then either one quoted string
 * (Q, and only right behind the "=") or everything up to a space. tor refuses quotes, single ones
 * too, in every key and in every value of K and Kf. */
#include "kvline.h"

#include "line.h"
#include "quoted.h"

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static bool has_quote(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_quote(text.data[i]))
            return true;
    return false;
}

static struct span read_key(struct span text)
{
    size_t len = 0;

    while (len < text.len && text.data[len] != ' ' && text.data[len] != '=')
        len++;
    return span_first(text, len);
}

/* Reads the value that begins at the front of `text`. */
static enum kv_result read_value(enum keyword_grammar grammar, struct span text,
                                 struct kv_pair *pair_out)
{
    pair_out->has_value = true;
    pair_out->is_quoted = grammar == GRAMMAR_QUOTED && text.len > 0 && text.data[0] == '"';
    size_t len = pair_out->is_quoted ? quoted_length(text) : span_find(text, ' ');

    if (pair_out->is_quoted && len == 0)
        return KV_MALFORMED;
    pair_out->value = span_first(text, len);
    return grammar != GRAMMAR_QUOTED && has_quote(pair_out->value) ? KV_MALFORMED : KV_PAIR;
}

static enum kv_result read_pair(enum keyword_grammar grammar, struct span text,
                                struct kv_pair *pair_out)
{
    struct span key = read_key(text);

    if (key.len == 0 || has_quote(key))
        return KV_MALFORMED;
    pair_out->key = key;
    if (key.len == text.len || text.data[key.len] == ' ') {
        pair_out->text = key;
        return grammar == GRAMMAR_KV ? KV_MALFORMED : KV_PAIR;
    }
    enum kv_result result = read_value(grammar, span_from(text, key.len + 1), pair_out);
    pair_out->text = span_first(text, key.len + 1 + pair_out->value.len);
    return result;
}

enum kv_result kv_next(enum keyword_grammar grammar, struct span *rest, struct kv_pair *pair_out)
{
    size_t spaces = 0;

    *pair_out = (struct kv_pair){.value = SPAN("")};
    while (spaces < rest->len && rest->data[spaces] == ' ')
        spaces++;
    *rest = span_from(*rest, spaces);
    if (rest->len == 0)
        return KV_END;
    enum kv_result result = read_pair(grammar, *rest, pair_out);
    if (result != KV_PAIR || !line_is_printable(pair_out->text))
        return KV_MALFORMED;
    *rest = span_from(*rest, pair_out->text.len);
    return KV_PAIR;
}
