/* DEL_ONION, HSFETCH and ONION_CLIENT_AUTH_*.
 *
 * tor looks an address up by exact text in some of them and in any case in others (control-protocol
 * 6.3), and ignores keywords that it does not know in ONION_CLIENT_AUTH_ADD. What is judged as the
 * client's own must be what tor acts on, so there is one spelling, and no unknown keyword. */
#include "onion_commands.h"

#include "arguments.h"
#include "ascii.h"
#include "hex.h"
#include "kvline.h"
#include "onion_text.h"
#include "words.h"

#define KEY_PREFIX "x25519:"
#define KEY_BYTES 32
#define CLIENT_NAME_MAX 16 /* tor stores a longer one and answers twice */
#define FINGERPRINT_LENGTH 40
#define NICKNAME_MAX 19

#define NO_ADDRESS "an address that is not 56 characters of base32"

/* Ends a writer: drops what was appended if there is a reason to refuse. */
static const char *finish(const char *why, struct buf *out, size_t before)
{
    if (!why && out->overflow)
        why = "the arguments are too long";
    if (why)
        buf_truncate(out, before);
    return why;
}

/* Takes the address off *rest and appends it. */
static const char *take_address(struct span *rest, struct buf *out)
{
    struct span address;

    if (!words_next(rest, &address))
        return "too few arguments for this command";
    if (!onion_text_is_address(address, true))
        return NO_ADDRESS;
    onion_text_append_lower(out, address);
    return NULL;
}

static const char *expect_end(struct span rest)
{
    return words_count(rest) == 0 ? NULL : "too many arguments for this command";
}

const char *onion_delete_canonical(struct span arguments, struct buf *out)
{
    struct span address;

    if (!words_next(&arguments, &address))
        return "too few arguments for this command";
    if (!onion_text_is_address(address, false))
        return "an address that is not 56 characters of base32 in lower case";
    const char *why = expect_end(arguments);
    if (why)
        return why;
    return buf_append(out, address) ? NULL : "the arguments are too long";
}

const char *onion_key_remove_canonical(struct span arguments, struct buf *out)
{
    size_t before = out->len;
    const char *why = take_address(&arguments, out);

    return finish(why ? why : expect_end(arguments), out, before);
}

const char *onion_key_view_canonical(struct span arguments, struct buf *out)
{
    return words_count(arguments) == 0 ? NULL : onion_key_remove_canonical(arguments, out);
}

static bool is_nickname(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alpha(text.data[i]) && !ascii_is_digit(text.data[i]))
            return false;
    return text.len >= 1 && text.len <= NICKNAME_MAX;
}

/* "$FINGERPRINT~nickname", of which the dollar and the nickname may be missing. */
static bool is_relay(struct span text)
{
    if (text.len > 0 && text.data[0] == '$')
        text = span_from(text, 1);
    for (size_t i = 0; i < FINGERPRINT_LENGTH; i++)
        if (i >= text.len || hex_digit(text.data[i]) < 0)
            return false;
    text = span_from(text, FINGERPRINT_LENGTH);
    return text.len == 0 ||
           ((text.data[0] == '~' || text.data[0] == '=') && is_nickname(span_from(text, 1)));
}

static const char *take_servers(struct span rest, struct buf *out)
{
    struct kv_pair pair;
    enum kv_result result;
    size_t count = 0;

    while ((result = kv_next(GRAMMAR_KV, &rest, &pair)) == KV_PAIR) {
        if (++count >= ARGUMENTS_MAX_WORDS)
            return "more than 128 arguments";
        if (!span_equals_nocase(pair.key, SPAN("SERVER")))
            return "a keyword that HSFETCH does not have";
        if (!is_relay(pair.value))
            return "SERVER= is no relay's fingerprint";
        buf_append_string(out, " SERVER=");
        buf_append(out, pair.value);
    }
    return result == KV_END ? NULL : "a keyword argument that tor cannot parse";
}

const char *onion_fetch_canonical(struct span arguments, struct buf *out)
{
    size_t before = out->len;
    const char *why = take_address(&arguments, out);

    return finish(why ? why : take_servers(arguments, out), out, before);
}

/* The second word of ONION_CLIENT_AUTH_ADD. */
static const char *take_private_key(struct span *rest, struct buf *out)
{
    struct span prefix = SPAN(KEY_PREFIX), word;

    if (!words_next(rest, &word))
        return "too few arguments for this command";
    struct span key = span_from(word, prefix.len);
    if (!span_equals_nocase(span_first(word, prefix.len), prefix) ||
        !onion_text_is_base64(key, KEY_BYTES))
        return "a key that is not x25519: and base64 of 32 bytes";
    buf_append_string(out, " " KEY_PREFIX);
    buf_append(out, key);
    return NULL;
}

struct key_options {
    struct span name; /* empty: none */
    bool is_permanent;
};

static const char *take_option(const struct kv_pair *pair, struct key_options *options)
{
    if (span_equals_nocase(pair->key, SPAN("Flags"))) {
        options->is_permanent = true;
        return span_equals_nocase(pair->value, SPAN("Permanent"))
                   ? NULL
                   : "a flag that ONION_CLIENT_AUTH_ADD does not have";
    }
    if (!span_equals_nocase(pair->key, SPAN("ClientName")))
        return "a keyword that ONION_CLIENT_AUTH_ADD does not have";
    if (options->name.len > 0)
        return "a keyword twice that can have one value only";
    options->name = pair->value;
    return pair->value.len >= 1 && pair->value.len <= CLIENT_NAME_MAX
               ? NULL
               : "ClientName= is not 1 to 16 characters";
}

static const char *take_options(struct span rest, struct buf *out)
{
    struct key_options options = {.name = SPAN("")};
    struct kv_pair pair;
    enum kv_result result;
    const char *why = NULL;

    while (!why && (result = kv_next(GRAMMAR_KV, &rest, &pair)) != KV_END)
        why = result == KV_PAIR ? take_option(&pair, &options)
                                : "a keyword argument that tor cannot parse";
    if (options.name.len > 0) {
        buf_append_string(out, " ClientName=");
        buf_append(out, options.name);
    }
    if (options.is_permanent)
        buf_append_string(out, " Flags=Permanent");
    return why;
}

const char *onion_key_add_canonical(struct span arguments, struct buf *out)
{
    size_t before = out->len;
    const char *why = take_address(&arguments, out);

    if (!why)
        why = take_private_key(&arguments, out);
    return finish(why ? why : take_options(arguments, out), out, before);
}
