/* Quoted strings and key=value lists: what is encoded decodes to itself; measuring and decoding
 * agree; a list written anew, pair by pair, reads as the same list. */
#include "buf.h"
#include "fuzz_check.h"
#include "kvline.h"
#include "line.h"
#include "quoted.h"

static void check_round_trip(struct span text)
{
    struct buf encoded, decoded;

    buf_init(&encoded, 4 * text.len + 2);
    buf_init(&decoded, text.len);
    bool has_nul = span_find(text, '\0') < text.len;
    require(quoted_encode(text, &encoded) == !has_nul);
    if (!has_nul) {
        require(line_is_printable(buf_span(&encoded)));
        require(quoted_length(buf_span(&encoded)) == encoded.len);
        require(quoted_decode(buf_span(&encoded), &decoded));
        require(span_equals(buf_span(&decoded), text));
    }
    buf_clear(&encoded);
    buf_clear(&decoded);
}

static void check_decoding(struct span text)
{
    struct buf decoded;
    size_t len = quoted_length(text);

    require(len <= text.len);
    buf_init(&decoded, text.len + 1);
    require(quoted_decode(text, &decoded) == (len > 0 && len == text.len));
    buf_reset(&decoded);
    if (len) {
        require(quoted_decode(span_first(text, len), &decoded));
        require(decoded.len <= len - 2 && span_find(buf_span(&decoded), '\0') == decoded.len);
    }
    buf_clear(&decoded);
}

static bool pairs_equal(const struct kv_pair *a, const struct kv_pair *b)
{
    return span_equals(a->text, b->text) && span_equals(a->key, b->key) &&
           span_equals(a->value, b->value) && a->has_value == b->has_value &&
           a->is_quoted == b->is_quoted;
}

static void check_pair(const struct kv_pair *pair)
{
    require(pair->key.len > 0 && line_is_printable(pair->text));
    require(span_find(pair->key, ' ') == pair->key.len);
    if (pair->is_quoted)
        require(quoted_length(pair->value) == pair->value.len);
    else
        require(span_find(pair->value, ' ') == pair->value.len);
}

static void check_list(enum keyword_grammar grammar, struct span text)
{
    struct kv_pair pair, again;
    struct span rest = text;
    struct buf joined;
    enum kv_result result;

    buf_init(&joined, 2 * text.len + 1);
    while ((result = kv_next(grammar, &rest, &pair)) == KV_PAIR) {
        check_pair(&pair);
        buf_append(&joined, pair.text);
        buf_append_char(&joined, ' ');
    }
    if (result == KV_END) {
        struct span anew = buf_span(&joined);
        rest = text;
        while (kv_next(grammar, &rest, &pair) == KV_PAIR)
            require(kv_next(grammar, &anew, &again) == KV_PAIR && pairs_equal(&pair, &again));
        require(kv_next(grammar, &anew, &again) == KV_END);
    }
    buf_clear(&joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make((const char *)data, size);

    check_round_trip(text);
    check_decoding(text);
    check_list(GRAMMAR_KV, text);
    check_list(GRAMMAR_KV_FLAGS, text);
    check_list(GRAMMAR_QUOTED, text);
    return 0;
}
