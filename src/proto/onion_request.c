/* ADD_ONION's arguments as a set.
 *
 * tor takes keywords in any order and any case, adds repeated Flags= up and lets the last of other
 * repeated ones count (control-protocol 6.1). Who judges the set must read the very set that tor
 * will read, so nothing that could be read in two ways gets in here, and what goes out is written
 * from the set alone. */
#include "onion_request.h"

#include "kvline.h"
#include "onion_text.h"
#include "words.h"

#define STORED_PREFIX "ED25519-V3:"
#define STORED_BYTES 64

static const char *const flag_names[] = {"DiscardPK", "Detach", "V3Auth", "MaxStreamsCloseCircuit",
                                         "NonAnonymous"};

#define FLAG_COUNT (sizeof flag_names / sizeof *flag_names)

/* By enum onion_number, with the bounds of tor 0.4.9. */
static const struct {
    const char *name;
    unsigned long max;
    const char *refusal;
} number_fields[ONION_NUMBERS] = {
    {"MaxStreams", 65535, "MaxStreams= is not 0 to 65535 in plain digits"},
    {"PoWDefensesEnabled", 1, "PoWDefensesEnabled= is not 0 or 1"},
    {"PoWQueueRate", 4294967295, "PoWQueueRate= is not a number of 32 bits in plain digits"},
    {"PoWQueueBurst", 4294967295, "PoWQueueBurst= is not a number of 32 bits in plain digits"},
};

const char *onion_flag_at(size_t index)
{
    return index < FLAG_COUNT ? flag_names[index] : NULL;
}

unsigned onion_flag_find(struct span name)
{
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (span_equals_nocase(name, span_from_string(flag_names[i])))
            return 1u << i;
    return 0;
}

static const char *read_key(struct span text, struct onion_request *request)
{
    struct span prefix = SPAN(STORED_PREFIX);

    if (span_equals_nocase(text, SPAN("NEW:BEST"))) {
        request->key = ONION_KEY_NEW_BEST;
        return NULL;
    }
    if (span_equals_nocase(text, SPAN("NEW:ED25519-V3"))) {
        request->key = ONION_KEY_NEW_ED25519;
        return NULL;
    }
    request->key = ONION_KEY_STORED;
    request->stored_key = span_from(text, prefix.len);
    bool is_stored = span_equals_nocase(span_first(text, prefix.len), prefix) &&
                     onion_text_is_base64(request->stored_key, STORED_BYTES);
    return is_stored ? NULL : "a key that is not NEW:BEST, NEW:ED25519-V3 or ED25519-V3:...";
}

static const char *read_port(struct span value, struct onion_request *request)
{
    enum target_result result = onion_port_parse(value, &request->ports[request->port_count]);

    request->port_count += result == TARGET_OK;
    return result == TARGET_OK ? NULL : target_result_text(result);
}

static const char *read_flags(struct span value, struct onion_request *request)
{
    while (true) {
        struct span name = span_first(value, span_find(value, ','));
        unsigned flag = onion_flag_find(name);
        if (!flag)
            return "a flag that ADD_ONION does not have";
        request->flags |= flag;
        if (name.len == value.len)
            return NULL;
        value = span_from(value, name.len + 1);
    }
}

static const char *read_client_key(struct span value, struct onion_request *request)
{
    if (!onion_text_is_client_key(value))
        return "ClientAuthV3= is not 52 characters of base32";
    request->client_keys[request->client_key_count++] = value;
    return NULL;
}

static const char *read_number(const struct kv_pair *pair, struct onion_request *request)
{
    for (size_t i = 0; i < ONION_NUMBERS; i++) {
        if (!span_equals_nocase(pair->key, span_from_string(number_fields[i].name)))
            continue;
        if (request->has_number[i])
            return "a keyword twice that can have one value only";
        request->has_number[i] = true;
        bool is_number =
            onion_text_to_number(pair->value, number_fields[i].max, &request->numbers[i]);
        return is_number ? NULL : number_fields[i].refusal;
    }
    return "a keyword that ADD_ONION does not have";
}

static const char *read_pair(const struct kv_pair *pair, struct onion_request *request)
{
    if (span_equals_nocase(pair->key, SPAN("Port")))
        return read_port(pair->value, request);
    if (span_equals_nocase(pair->key, SPAN("Flags")))
        return read_flags(pair->value, request);
    if (span_equals_nocase(pair->key, SPAN("ClientAuthV3")))
        return read_client_key(pair->value, request);
    if (span_equals_nocase(pair->key, SPAN("ClientAuth")))
        return "ClientAuth=, which tor never answers";
    return read_number(pair, request);
}

const char *onion_request_parse(struct span arguments, struct onion_request *request_out)
{
    struct span key;
    struct kv_pair pair;
    enum kv_result result;
    size_t count = 0;

    *request_out = (struct onion_request){.stored_key = SPAN("")};
    if (!words_next(&arguments, &key))
        return "too few arguments for this command";
    const char *why = read_key(key, request_out);
    while (!why && (result = kv_next(GRAMMAR_KV, &arguments, &pair)) != KV_END) {
        if (result == KV_MALFORMED)
            return "a keyword argument that tor cannot parse";
        if (++count >= ARGUMENTS_MAX_WORDS)
            return "more than 128 arguments";
        why = read_pair(&pair, request_out);
    }
    if (!why && request_out->port_count == 0)
        return "an onion service without Port=";
    return why;
}

static void write_key(const struct onion_request *request, struct buf *out)
{
    switch (request->key) {
    case ONION_KEY_NEW_BEST:
        buf_append_string(out, "NEW:BEST");
        break;
    case ONION_KEY_NEW_ED25519:
        buf_append_string(out, "NEW:ED25519-V3");
        break;
    case ONION_KEY_STORED:
        buf_append_string(out, STORED_PREFIX);
        buf_append(out, request->stored_key);
        break;
    }
}

static void write_flags(unsigned flags, struct buf *out)
{
    const char *separator = " Flags=";

    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!(flags & (1u << i)))
            continue;
        buf_append_string(out, separator);
        buf_append_string(out, flag_names[i]);
        separator = ",";
    }
}

bool onion_request_write(const struct onion_request *request, struct buf *out)
{
    write_key(request, out);
    write_flags(request->flags, out);
    for (size_t i = 0; i < ONION_NUMBERS; i++)
        if (request->has_number[i])
            buf_printf(out, " %s=%lu", number_fields[i].name, request->numbers[i]);
    for (size_t i = 0; i < request->port_count; i++) {
        buf_printf(out, " Port=%u,", (unsigned)request->ports[i].virtual_port);
        target_write(out, &request->ports[i].target);
    }
    for (size_t i = 0; i < request->client_key_count; i++) {
        buf_append_string(out, " ClientAuthV3=");
        onion_text_append_upper(out, request->client_keys[i]);
    }
    return !out->overflow;
}

bool onion_request_has_pow(const struct onion_request *request)
{
    return request->has_number[ONION_NUMBER_POW_ENABLED] ||
           request->has_number[ONION_NUMBER_POW_RATE] ||
           request->has_number[ONION_NUMBER_POW_BURST];
}

void onion_request_drop_pow(struct onion_request *request)
{
    request->has_number[ONION_NUMBER_POW_ENABLED] = false;
    request->has_number[ONION_NUMBER_POW_RATE] = false;
    request->has_number[ONION_NUMBER_POW_BURST] = false;
}
