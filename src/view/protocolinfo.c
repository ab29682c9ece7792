/* control-spec 3.21. The reply has no data blocks, so its lines are cut by hand. */
#include "protocolinfo.h"

#include <stdlib.h>

#include "kvline.h"
#include "line.h"
#include "mem.h"
#include "quoted.h"

#define PATH_MAX_BYTES 4096

static struct span take_line(struct span *rest)
{
    size_t len = span_find(*rest, '\n');
    struct span line = line_without_cr(span_first(*rest, len));

    *rest = span_from(*rest, len + 1);
    return line;
}

bool protocolinfo_is_complete(struct span reply)
{
    while (span_find(reply, '\n') < reply.len) {
        struct span line = take_line(&reply);
        if (line.len < 4 || line.data[3] == ' ')
            return true;
    }
    return false;
}

/* The text that a pair stands for; NULL: it is no quoted string. */
static char *decode(struct span value)
{
    struct buf text;

    buf_init(&text, PATH_MAX_BYTES);
    char *copy = quoted_decode(value, &text) ? mem_copy_string(buf_span(&text)) : NULL;
    buf_clear(&text);
    return copy;
}

static void take_methods(struct protocolinfo *answer, struct span methods)
{
    while (methods.len > 0) {
        struct span method = span_first(methods, span_find(methods, ','));
        answer->null |= span_equals(method, SPAN("NULL"));
        answer->cookie |=
            span_equals(method, SPAN("COOKIE")) || span_equals(method, SPAN("SAFECOOKIE"));
        answer->password |= span_equals(method, SPAN("HASHEDPASSWORD"));
        methods = span_from(methods, method.len + 1);
    }
}

static void take_pairs(struct protocolinfo *answer, struct span pairs)
{
    struct kv_pair pair;

    while (kv_next(GRAMMAR_QUOTED, &pairs, &pair) == KV_PAIR) {
        if (span_equals(pair.key, SPAN("METHODS")))
            take_methods(answer, pair.value);
        else if (span_equals(pair.key, SPAN("COOKIEFILE")) && !answer->cookie_path)
            answer->cookie_path = decode(pair.value);
        else if (span_equals(pair.key, SPAN("Tor")) && !answer->version)
            answer->version = decode(pair.value);
    }
}

bool protocolinfo_read(struct span reply, struct protocolinfo *answer_out)
{
    bool is_tor = false;

    *answer_out = (struct protocolinfo){.version = NULL};
    while (reply.len > 0) {
        struct span line = take_line(&reply);
        if (span_starts_with(line, SPAN("250-PROTOCOLINFO ")))
            is_tor = true;
        else if (is_tor && span_starts_with(line, SPAN("250-AUTH ")))
            take_pairs(answer_out, span_from(line, 9));
        else if (is_tor && span_starts_with(line, SPAN("250-VERSION ")))
            take_pairs(answer_out, span_from(line, 12));
    }
    return is_tor;
}
