/* The shape of a command, for the log of complain mode.
 *
 * An allow-list like that of describe.c, which prints names only: a word is printed if it is one of
 * tor's own, as tor spells it. Here what stands in place of the others says more, so that a profile
 * can be learnt from it (onion-graterctl learn). */
#include "describe_shape.h"

#include "add_onion.h"
#include "ascii.h"
#include "describe.h"
#include "event.h"
#include "hex.h"
#include "keyword.h"
#include "kvline.h"
#include "option.h"
#include "quoted.h"
#include "words.h"

#define ITEM_MAX 512
#define PORT_DIGITS 5
#define ONION_LENGTH 56
#define FINGERPRINT_LENGTH 40
#define NUMBER_DIGITS 19

static const char *const shape_texts[] = {
    [SHAPE_NAME] = "(name)",
    [SHAPE_BIT] = "(number)",
    [SHAPE_NUMBER] = "(number)",
    [SHAPE_ONION] = "(onion)",
    [SHAPE_FINGERPRINT] = "(fingerprint)",
    [SHAPE_ADDRESS] = "(address)",
    [SHAPE_KEY] = "(key)",
    [SHAPE_PATH] = "(path)",
    [SHAPE_VALUE] = "(value)",
    [SHAPE_UNKNOWN] = "(unknown)",
};

#define SHAPES (sizeof shape_texts / sizeof *shape_texts)

static const char *const flags[] = {
    "DiscardPK",    "Detach",    "V3Auth",    "MaxStreamsCloseCircuit",
    "NonAnonymous", "BasicAuth", "Permanent", NULL};
static const char *const key_types[] = {"ED25519-V3", "RSA1024", "x25519", NULL};
static const char *const new_keys[] = {"NEW:BEST", "NEW:ED25519-V3", "NEW:RSA1024", NULL};
static const char *const features[] = {"EXTENDED_EVENTS", "VERBOSE_NAMES", NULL};
static const char *const own_words[] = {"general", "controller", "bridge", "reverse",
                                        "no",      "yes",        NULL};
static const char *const consensus_tails[] = {"valid-after", "valid-until", "fresh-until",
                                              "packages", NULL};

/* One description in the making. */
struct shape_writer {
    struct buf *out;
    struct buf item; /* the word that is being made */
    size_t begin;
    size_t last; /* where the last item begins, with its space; 0: none yet */
    bool is_full;
};

const char *shape_text(enum shape shape)
{
    return shape_texts[shape];
}

static const char *find(const char *const *names, struct span name)
{
    for (; *names; names++)
        if (span_equals_nocase(name, span_from_string(*names)))
            return *names;
    return NULL;
}

/* --- kinds --- */

static bool is_number(struct span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!ascii_is_digit(word.data[i]))
            return false;
    return word.len > 0 && word.len <= NUMBER_DIGITS;
}

static bool is_onion(struct span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!ascii_is_alpha(word.data[i]) && (word.data[i] < '2' || word.data[i] > '7'))
            return false;
    return word.len == ONION_LENGTH;
}

static bool is_fingerprint(struct span word)
{
    struct span digits = word.len > 0 && word.data[0] == '$' ? span_from(word, 1) : word;

    if (digits.len < FINGERPRINT_LENGTH)
        return false;
    for (size_t i = 0; i < FINGERPRINT_LENGTH; i++)
        if (hex_digit(digits.data[i]) < 0)
            return false;
    return digits.len == FINGERPRINT_LENGTH || digits.data[FINGERPRINT_LENGTH] == '~' ||
           digits.data[FINGERPRINT_LENGTH] == '=';
}

static bool is_address(struct span word)
{
    struct target target;

    return target_parse(word, 1, &target) == TARGET_OK && target.kind != TARGET_UNIX;
}

enum shape shape_of(struct span word)
{
    for (size_t i = 0; i < SHAPES; i++)
        if (i != SHAPE_BIT && span_equals(word, span_from_string(shape_texts[i])))
            return (enum shape)i;
    if (span_equals(word, SPAN("0")) || span_equals(word, SPAN("1")))
        return SHAPE_BIT;
    if (is_number(word))
        return SHAPE_NUMBER;
    if (is_onion(word))
        return SHAPE_ONION;
    if (is_fingerprint(word))
        return SHAPE_FINGERPRINT;
    return is_address(word) ? SHAPE_ADDRESS : SHAPE_NAME;
}

bool shape_is_info_tail(struct span prefix, struct span tail)
{
    return span_equals(prefix, SPAN("consensus/")) && find(consensus_tails, tail) != NULL;
}

/* --- items --- */

static void put(struct shape_writer *writer, const char *text)
{
    buf_append_string(&writer->item, text);
}

static void put_shape(struct shape_writer *writer, enum shape shape)
{
    put(writer, shape_text(shape));
}

/* A word by its look; 0 and 1 as they are. */
static void put_word(struct shape_writer *writer, struct span word)
{
    enum shape shape = shape_of(word);

    if (shape == SHAPE_BIT)
        buf_append(&writer->item, word);
    else
        put_shape(writer, shape);
}

/* tor's own word, or what stands for another. */
static void put_known(struct shape_writer *writer, const char *known, enum shape otherwise)
{
    if (known)
        put(writer, known);
    else
        put_shape(writer, otherwise);
}

/* Writes the item behind the others. `once`: not if the one before is the same. */
static void end_item(struct shape_writer *writer, bool once)
{
    struct buf *out = writer->out;
    struct span item = buf_span(&writer->item);
    struct span last = span_from(buf_span(out), writer->last);

    if (writer->is_full || (once && writer->last > 0 && span_equals(span_from(last, 1), item)))
        return;
    if (writer->item.overflow || out->len - writer->begin + item.len > DESCRIBE_SHAPE_MAX) {
        buf_append_string(out, " " DESCRIBE_SHAPE_MORE);
        writer->is_full = true;
        return;
    }
    writer->last = out->len;
    buf_append_char(out, ' ');
    buf_append(out, item);
}

static void shape_words(struct shape_writer *writer, struct span arguments, bool once,
                        void (*put_one)(struct shape_writer *writer, struct span word))
{
    struct span word;

    while (!writer->is_full && words_next(&arguments, &word)) {
        buf_reset(&writer->item);
        put_one(writer, word);
        end_item(writer, once);
    }
}

static void put_info_key(struct shape_writer *writer, struct span key)
{
    const char *known = describe_info_key(key);

    put_known(writer, known, SHAPE_UNKNOWN);
    if (!known || known[strlen(known) - 1] != '/')
        return;
    struct span prefix = span_from_string(known);
    struct span tail = span_from(key, prefix.len);
    if (shape_is_info_tail(prefix, tail))
        put(writer, find(consensus_tails, tail));
    else
        put_shape(writer, shape_of(tail));
}

static void put_option(struct shape_writer *writer, struct span name)
{
    put_known(writer, option_find(name), SHAPE_UNKNOWN);
}

/* As written: rules tell upper from lower case. */
static void put_signal(struct shape_writer *writer, struct span name)
{
    if (describe_signal(name))
        buf_append(&writer->item, name);
    else
        put_shape(writer, SHAPE_UNKNOWN);
}

static void put_event(struct shape_writer *writer, struct span name)
{
    const char *known = event_find(name);

    if (!known && event_is_ignored(name))
        known = name.len == strlen("EXTENDED") ? "EXTENDED" : "AUTHDIR_NEWDESCS";
    put_known(writer, known, SHAPE_UNKNOWN);
}

static void put_feature(struct shape_writer *writer, struct span name)
{
    put_known(writer, find(features, name), SHAPE_UNKNOWN);
}

/* "NEW:BEST", "ED25519-V3:(key)". */
static void put_key(struct shape_writer *writer, struct span word)
{
    const char *made = find(new_keys, word);
    const char *type = find(key_types, span_first(word, span_find(word, ':')));

    if (made) {
        put(writer, made);
        return;
    }
    if (type) {
        put(writer, type);
        put(writer, ":");
    }
    put_shape(writer, SHAPE_KEY);
}

static void put_flags(struct shape_writer *writer, struct span value)
{
    while (value.len > 0) {
        size_t len = span_find(value, ',');
        put_known(writer, find(flags, span_first(value, len)), SHAPE_UNKNOWN);
        if (len < value.len)
            put(writer, ",");
        value = span_from(value, len + 1);
    }
}

static void put_port_number(struct shape_writer *writer, struct span digits)
{
    if (is_number(digits) && digits.len <= PORT_DIGITS)
        buf_append(&writer->item, digits);
    else
        put_shape(writer, SHAPE_NUMBER);
}

/* Loopback and wildcard addresses are nobody's. */
static const char *common_address(const struct target *target)
{
    static const uint8_t loopback[16] = {[15] = 1}, any[16] = {0};

    if (target->kind == TARGET_IPV4) {
        static const uint8_t local[4] = {127, 0, 0, 1};
        if (memcmp(target->address, local, sizeof local) == 0)
            return "127.0.0.1";
        return memcmp(target->address, any, sizeof local) == 0 ? "0.0.0.0" : NULL;
    }
    if (memcmp(target->address, loopback, sizeof loopback) == 0)
        return "[::1]";
    return memcmp(target->address, any, sizeof any) == 0 ? "[::]" : NULL;
}

static void put_target(struct shape_writer *writer, struct span text)
{
    struct target target;

    if (is_number(text)) {
        put_port_number(writer, text);
    } else if (span_starts_with(text, SPAN("unix:"))) {
        put(writer, "unix:");
        put_shape(writer, SHAPE_PATH);
    } else if (span_starts_with(text, SPAN("(address):"))) {
        put(writer, "(address):");
        put_port_number(writer, span_from(text, strlen("(address):")));
    } else if (target_parse(text, 1, &target) == TARGET_OK) {
        const char *address = common_address(&target);
        put_known(writer, address, SHAPE_ADDRESS);
        buf_printf(&writer->item, ":%u", target.port);
    } else {
        put_shape(writer, SHAPE_NAME);
    }
}

static void put_port(struct shape_writer *writer, struct span value)
{
    size_t comma = span_find(value, ',');

    put_port_number(writer, span_first(value, comma));
    if (comma == value.len)
        return;
    put(writer, ",");
    put_target(writer, span_from(value, comma + 1));
}

/* --- pairs --- */

static bool is_key_pair(struct span key)
{
    return span_equals_nocase(key, SPAN("ClientAuthV3")) ||
           span_equals_nocase(key, SPAN("ClientAuth"));
}

static void put_pair_value(struct shape_writer *writer, const struct kv_pair *pair)
{
    if (span_equals_nocase(pair->key, SPAN("Port")))
        put_port(writer, pair->value);
    else if (span_equals_nocase(pair->key, SPAN("Flags")))
        put_flags(writer, pair->value);
    else if (is_key_pair(pair->key))
        put_shape(writer, SHAPE_KEY);
    else if (find(own_words, pair->value))
        put(writer, find(own_words, pair->value));
    else if (pair->value.len > 0)
        put_word(writer, pair->value);
}

static void put_pair(struct shape_writer *writer, const struct keyword *keyword,
                     const struct kv_pair *pair)
{
    const char *known = keyword->keys ? find(keyword->keys, pair->key) : NULL;

    put_known(writer, known, shape_of(pair->key));
    if (!pair->has_value)
        return;
    put(writer, "=");
    put_pair_value(writer, pair);
}

/* A value of an option: 0 and 1, nothing, a number, or something. */
static void put_option_value(struct shape_writer *writer, const struct kv_pair *pair)
{
    struct buf text;

    buf_init(&text, COMMAND_MAX_LINE);
    if (!pair->is_quoted)
        buf_append(&text, pair->value);
    if (pair->is_quoted && !quoted_decode(pair->value, &text)) {
        put_shape(writer, SHAPE_VALUE);
    } else if (text.len > 0) {
        enum shape shape = shape_of(buf_span(&text));
        if (shape == SHAPE_BIT || shape == SHAPE_NUMBER)
            put_word(writer, buf_span(&text));
        else
            put_shape(writer, SHAPE_VALUE);
    }
    buf_wipe(&text);
}

static void put_option_pair(struct shape_writer *writer, const struct kv_pair *pair)
{
    put_option(writer, pair->key);
    if (!pair->has_value)
        return;
    put(writer, "=");
    put_option_value(writer, pair);
}

static void shape_pairs(struct shape_writer *writer, const struct keyword *keyword,
                        struct span arguments)
{
    struct kv_pair pair;
    enum kv_result result = KV_END;

    while (!writer->is_full && (result = kv_next(keyword->grammar, &arguments, &pair)) == KV_PAIR) {
        buf_reset(&writer->item);
        if (keyword->grammar == GRAMMAR_QUOTED)
            put_option_pair(writer, &pair);
        else
            put_pair(writer, keyword, &pair);
        end_item(writer, true);
    }
    if (result == KV_MALFORMED) {
        buf_reset(&writer->item);
        put_shape(writer, SHAPE_UNKNOWN);
        end_item(writer, true);
    }
}

/* Whether the word holds a key of one of the types, or is to hold one. */
static bool is_key_word(const struct keyword *keyword, unsigned position)
{
    return (keyword->id == KEYWORD_ADD_ONION && position == 0) ||
           (keyword->id == KEYWORD_ONION_CLIENT_AUTH_ADD && position == 1);
}

/* The positional words in front of the pairs, which it takes off. */
static void shape_first_words(struct shape_writer *writer, const struct keyword *keyword,
                              struct span *arguments)
{
    struct span word;

    for (unsigned i = 0; i < keyword->max_words && words_next(arguments, &word); i++) {
        buf_reset(&writer->item);
        if (is_key_word(keyword, i))
            put_key(writer, word);
        else
            put_word(writer, word);
        end_item(writer, false);
    }
}

/* --- commands --- */

static void shape_positional(struct shape_writer *writer, const struct keyword *keyword,
                             struct span arguments)
{
    if (keyword->id == KEYWORD_GETINFO)
        shape_words(writer, arguments, true, put_info_key);
    else if (keyword->id == KEYWORD_GETCONF)
        shape_words(writer, arguments, true, put_option);
    else if (keyword->id == KEYWORD_SETEVENTS)
        shape_words(writer, arguments, true, put_event);
    else if (keyword->id == KEYWORD_SIGNAL)
        shape_words(writer, arguments, false, put_signal);
    else if (keyword->id == KEYWORD_USEFEATURE)
        shape_words(writer, arguments, true, put_feature);
    else
        shape_words(writer, arguments, false, put_word);
}

static void shape_arguments(struct shape_writer *writer, const struct keyword *keyword,
                            struct span arguments)
{
    switch (keyword->grammar) {
    case GRAMMAR_POSITIONAL:
        shape_positional(writer, keyword, arguments);
        return;
    case GRAMMAR_KV:
    case GRAMMAR_KV_FLAGS:
        shape_first_words(writer, keyword, &arguments);
        shape_pairs(writer, keyword, arguments);
        return;
    case GRAMMAR_QUOTED:
        shape_pairs(writer, keyword, arguments);
        return;
    case GRAMMAR_ANY:
    case GRAMMAR_CREDENTIAL:
        break;
    }
    if (words_count(arguments) == 0)
        return;
    put_shape(writer, SHAPE_UNKNOWN);
    end_item(writer, false);
}

void describe_shape(struct buf *out, const struct command *command)
{
    struct shape_writer writer = {.out = out, .begin = out->len};

    if (command->defect != COMMAND_SOUND || !command->keyword) {
        buf_append_string(out, shape_text(SHAPE_UNKNOWN));
        return;
    }
    buf_init(&writer.item, ITEM_MAX);
    buf_append_string(out, keyword_label(command->keyword));
    shape_arguments(&writer, command->keyword, command->arguments);
    buf_wipe(&writer.item);
}
