/* Requests come from root and from who may be it; they are read strictly all the same, so that a
 * misspelt filter is an error and not a wider view. */
#include "admin_request.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "kvline.h"
#include "mem.h"
#include "quoted.h"
#include "words.h"

void admin_request_clear(struct admin_request *request)
{
    for (size_t i = 0; i < request->count; i++)
        free(request->arguments[i].value);
    *request = (struct admin_request){0};
}

static bool is_printable(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_printable(text.data[i]))
            return false;
    return true;
}

/* The value as text of our own; NULL: it is none. */
static char *read_value(const struct kv_pair *pair)
{
    struct buf text;

    buf_init(&text, ADMIN_LINE_MAX);
    bool done =
        pair->is_quoted ? quoted_decode(pair->value, &text) : buf_append(&text, pair->value);
    char *value = done && is_printable(buf_span(&text)) ? mem_copy_string(buf_span(&text)) : NULL;
    buf_clear(&text);
    return value;
}

static bool is_there(const struct admin_request *request, struct span name)
{
    for (size_t i = 0; i < request->count; i++)
        if (span_equals(request->arguments[i].name, name))
            return true;
    return false;
}

static const char *read_argument(struct admin_request *request, const struct kv_pair *pair)
{
    if (!pair->has_value)
        return "an argument without a value; NAME=VALUE belongs there";
    if (request->count == ADMIN_ARGUMENTS_MAX || is_there(request, pair->key))
        return "too many arguments, or one of them twice";
    char *value = read_value(pair);
    if (!value)
        return "a value that is no printable text";
    request->arguments[request->count++] = (struct admin_argument){pair->key, value};
    return NULL;
}

static const char *read_arguments(struct admin_request *request, struct span rest)
{
    const char *reason = NULL;
    enum kv_result result;
    struct kv_pair pair;

    while (!reason && (result = kv_next(GRAMMAR_QUOTED, &rest, &pair)) != KV_END)
        reason = result == KV_PAIR ? read_argument(request, &pair) : "malformed arguments";
    return reason;
}

enum admin_request_result admin_request_parse(struct span line, struct admin_request *request_out,
                                              const char **reason_out)
{
    struct span version;
    unsigned long number;

    *request_out = (struct admin_request){0};
    *reason_out = "a version, a verb and its arguments belong here, such as \"1 status\"";
    if (!is_printable(line) || !words_next(&line, &version) ||
        !span_to_number(version, 1000000, &number))
        return ADMIN_REQUEST_MALFORMED;
    if (number != ADMIN_PROTOCOL)
        return ADMIN_REQUEST_VERSION;
    if (!words_next(&line, &request_out->verb))
        return ADMIN_REQUEST_MALFORMED;
    *reason_out = read_arguments(request_out, line);
    return *reason_out ? ADMIN_REQUEST_MALFORMED : ADMIN_REQUEST_OK;
}

const char *admin_request_get(const struct admin_request *request, const char *name)
{
    for (size_t i = 0; i < request->count; i++)
        if (span_equals(request->arguments[i].name, span_from_string(name)))
            return request->arguments[i].value;
    return NULL;
}

static bool is_among(struct span names, struct span name)
{
    struct span word;

    while (words_next(&names, &word))
        if (span_equals(word, name))
            return true;
    return false;
}

bool admin_request_has_only(const struct admin_request *request, const char *names)
{
    for (size_t i = 0; i < request->count; i++)
        if (!is_among(span_from_string(names), request->arguments[i].name))
            return false;
    return true;
}

bool admin_request_switch(const struct admin_request *request, const char *name, bool *value_out)
{
    const char *value = admin_request_get(request, name);

    *value_out = value && strcmp(value, "yes") == 0;
    return !value || *value_out || strcmp(value, "no") == 0;
}
