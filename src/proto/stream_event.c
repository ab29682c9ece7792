/* Strict on purpose: tor writes these lines in one way, and what is read in another way than meant
 * would show one client's stream to another. Whoever chooses a target with spaces in it (a name
 * that comes in by the DNSPort may have them) can add fields in front of tor's own; the second
 * SOURCE_ADDR gives that away. tor escapes with C escapes, of which only the backslash before a
 * quote matters for where a value ends. */
#include "stream_event.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "ascii.h"
#include "line.h"

#define PORT_MAX 65535

/* Takes the next word off *rest; false if there is none. */
static bool take_word(struct span *rest, struct span *word_out)
{
    while (rest->len > 0 && rest->data[0] == ' ')
        *rest = span_from(*rest, 1);
    *word_out = span_first(*rest, span_find(*rest, ' '));
    *rest = span_from(*rest, word_out->len);
    return word_out->len > 0;
}

static bool take_number(struct span *rest, unsigned long *number_out)
{
    struct span word;

    return take_word(rest, &word) && span_to_number(word, ULONG_MAX, number_out);
}

/* --- fields --- */

struct field {
    struct span key;
    struct span value;
};

/* Length of the quoted string at the front, quotes included; 0 if it does not end. */
static size_t quoted_size(struct span text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] == '"')
            return i + 1;
        if (text.data[i] == '\\')
            i++;
    }
    return 0;
}

static size_t key_size(struct span text)
{
    size_t len = 0;

    while (len < text.len && (ascii_is_alpha(text.data[len]) || ascii_is_digit(text.data[len]) ||
                              text.data[len] == '_'))
        len++;
    return len;
}

/* Reads the field at the front of *rest, which begins with no space, and takes it off. */
static bool take_field(struct span *rest, struct field *field_out)
{
    size_t key = key_size(*rest);
    struct span value = span_from(*rest, key + 1);
    bool is_quoted = value.len > 0 && value.data[0] == '"';

    if (key == 0 || key == rest->len || rest->data[key] != '=')
        return false;
    size_t size = is_quoted ? quoted_size(value) : span_find(value, ' ');
    if (is_quoted && (size == 0 || (size < value.len && value.data[size] != ' ')))
        return false;
    field_out->key = span_first(*rest, key);
    field_out->value = span_first(value, size);
    *rest = span_from(value, size);
    return is_quoted || span_find(field_out->value, '"') == field_out->value.len;
}

static bool take_fields(struct span rest, struct stream_event *event)
{
    unsigned sources = 0;
    struct field field;

    while (rest.len > 0) {
        if (rest.data[0] == ' ') {
            rest = span_from(rest, 1);
            continue;
        }
        if (!take_field(&rest, &field))
            return false;
        if (!span_equals_nocase(field.key, SPAN("SOURCE_ADDR")))
            continue;
        /* A Unix socket's path is a legal source, and nobody's. */
        if (++sources > 1 || (field.value.len > 0 && field.value.data[0] == '"'))
            return false;
        stream_source_parse(field.value, &event->source);
    }
    return true;
}

bool stream_event_parse(struct span text, struct stream_event *event_out)
{
    struct span rest = text, name, target;

    *event_out = (struct stream_event){0};
    if (!take_word(&rest, &name) || !span_equals_nocase(name, SPAN("STREAM")))
        return false;
    event_out->has_id = take_number(&rest, &event_out->id);
    if (!event_out->has_id || !take_word(&rest, &event_out->status) ||
        !take_number(&rest, &event_out->circuit) || !take_word(&rest, &target))
        return false;
    return line_is_printable(text) && take_fields(rest, event_out);
}

bool stream_event_begins(const struct stream_event *event)
{
    return span_equals(event->status, SPAN("NEW")) ||
           span_equals(event->status, SPAN("NEWRESOLVE"));
}

bool stream_event_ends(const struct stream_event *event)
{
    return span_equals(event->status, SPAN("CLOSED")) || span_equals(event->status, SPAN("FAILED"));
}

/* --- sources --- */

static void unmap(struct stream_source *source)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (memcmp(source->address, mapped, sizeof mapped) != 0)
        return;
    source->is_ipv6 = false;
    memmove(source->address, source->address + sizeof mapped, 4);
    memset(source->address + 4, 0, sizeof source->address - 4);
}

static bool read_address(struct span text, struct stream_source *source)
{
    char address[INET6_ADDRSTRLEN] = {0};

    if (text.len == 0 || text.len >= sizeof address || !line_is_printable(text))
        return false;
    memcpy(address, text.data, text.len);
    if (inet_pton(AF_INET, address, source->address) == 1)
        return true;
    source->is_ipv6 = inet_pton(AF_INET6, address, source->address) == 1;
    if (!source->is_ipv6)
        return false;
    unmap(source);
    return true;
}

bool stream_source_parse(struct span text, struct stream_source *source_out)
{
    struct stream_source source = {0};
    size_t colon = text.len;
    unsigned long port;

    *source_out = source;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0 || !span_to_number(span_from(text, colon), PORT_MAX, &port) ||
        !read_address(span_first(text, colon - 1), &source))
        return false;
    source.is_known = true;
    *source_out = source;
    return true;
}

bool stream_source_equals(const struct stream_source *a, const struct stream_source *b)
{
    return a->is_known && b->is_known && a->is_ipv6 == b->is_ipv6 &&
           memcmp(a->address, b->address, a->is_ipv6 ? 16 : 4) == 0;
}
