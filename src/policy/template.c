/* Replacement texts (design 3.3): cut into parts once, when the profile is loaded.
 *
 * Every name and number is checked there, so an expansion only copies. Captures are numbered from 0
 * as in the existing implementations, which is Python's str.format() without its format
 * specifications, conversions and attributes. */
#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"

enum part_kind {
    PART_TEXT,
    PART_CAPTURE,
    PART_CLIENT_ADDRESS,
    PART_CLIENT_PORT,
    PART_SERVER_ADDRESS,
    PART_SERVER_PORT,
};

struct part {
    enum part_kind kind;
    size_t capture;   /* PART_CAPTURE: from 0 */
    struct span text; /* PART_TEXT: points into the template's copy */
};

struct template
{
    char *text;
    struct part *parts;
    size_t count;
};

/* A walk over the text of a template under construction. */
struct reader {
    struct template *template;
    struct span text;
    size_t at;
    size_t captures;
    size_t next_auto;
    bool has_auto;
    bool has_number;
    struct buf *error;
};

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static void add_part(struct template *template, struct part part)
{
    template->parts = mem_resize(template->parts, template->count + 1, sizeof *template->parts);
    template->parts[template->count++] = part;
}

static bool refuse(struct reader *reader, const char *reason)
{
    buf_append_string(reader->error, reason);
    return false;
}

static bool add_capture(struct reader *reader, unsigned long number)
{
    if (number < reader->captures) {
        add_part(reader->template, (struct part){.kind = PART_CAPTURE, .capture = number});
        return true;
    }
    if (reader->captures == 0) {
        buf_printf(reader->error,
                   "{%lu} has nothing to stand for: the pattern has no group; put (...) around "
                   "the part that is meant",
                   number);
    } else {
        buf_printf(reader->error, "there is no group {%lu}: the pattern has %zu, {0} to {%zu}",
                   number, reader->captures, reader->captures - 1);
    }
    return false;
}

static bool add_automatic(struct reader *reader)
{
    reader->has_auto = true;
    if (reader->has_number)
        return refuse(reader, "{} and {0} cannot be mixed; number all of them or none");
    return add_capture(reader, reader->next_auto++);
}

static bool add_numbered(struct reader *reader, struct span digits)
{
    unsigned long number = 0;

    reader->has_number = true;
    if (reader->has_auto)
        return refuse(reader, "{} and {0} cannot be mixed; number all of them or none");
    if (!span_to_number(digits, 999999, &number))
        return refuse(reader, "the group number is too large");
    return add_capture(reader, number);
}

static bool add_named(struct reader *reader, struct span name)
{
    static const struct {
        struct span name;
        enum part_kind kind;
    } fields[] = {
        {SPAN("client-address"), PART_CLIENT_ADDRESS},
        {SPAN("client-port"), PART_CLIENT_PORT},
        {SPAN("server-address"), PART_SERVER_ADDRESS},
        {SPAN("server-port"), PART_SERVER_PORT},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!span_equals(fields[i].name, name))
            continue;
        add_part(reader->template, (struct part){.kind = fields[i].kind});
        return true;
    }
    buf_append_string(reader->error, "{");
    buf_append_escaped(reader->error, name, 40);
    buf_append_string(reader->error,
                      "} stands for nothing; known are {}, {0}, {client-address}, {client-port}, "
                      "{server-address}, {server-port}, and {{ and }} for braces");
    return false;
}

static bool is_number(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_digit(s.data[i]))
            return false;
    return s.len > 0;
}

/* At a "{" that is not doubled. */
static bool read_field(struct reader *reader)
{
    struct span rest = span_from(reader->text, reader->at + 1);
    size_t end = span_find(rest, '}');
    struct span name = span_first(rest, end);

    if (end == rest.len)
        return refuse(reader, "a { without its }; write {{ for the character");
    bool done = name.len == 0     ? add_automatic(reader)
                : is_number(name) ? add_numbered(reader, name)
                                  : add_named(reader, name);
    if (done)
        reader->at += end + 2;
    return done;
}

/* At a brace: a field, or a doubled brace that stands for one. */
static bool read_brace(struct reader *reader)
{
    char brace = reader->text.data[reader->at];
    bool is_doubled =
        reader->at + 1 < reader->text.len && reader->text.data[reader->at + 1] == brace;

    if (is_doubled) {
        struct span one = span_make(reader->text.data + reader->at, 1);
        add_part(reader->template, (struct part){.kind = PART_TEXT, .text = one});
        reader->at += 2;
        return true;
    }
    if (brace == '}')
        return refuse(reader, "a } without its {; write }} for the character");
    return read_field(reader);
}

static bool read_text(struct reader *reader)
{
    size_t end = reader->at;

    while (end < reader->text.len && reader->text.data[end] != '{' &&
           reader->text.data[end] != '}') {
        if (is_control(reader->text.data[end])) {
            reader->at = end;
            return refuse(reader, "a line break or another control character, which cannot stand "
                                  "in a line of the control protocol; take it out");
        }
        end++;
    }
    struct span text = span_make(reader->text.data + reader->at, end - reader->at);
    add_part(reader->template, (struct part){.kind = PART_TEXT, .text = text});
    reader->at = end;
    return true;
}

struct template *template_compile(const char *text, size_t captures, size_t *column_out,
                                  struct buf *error)
{
    struct template *template = mem_zalloc(1, sizeof *template);

    *column_out = 0;
    template->text = mem_copy_string(span_from_string(text));
    struct reader reader = {
        .template = template,
        .text = span_from_string(template->text),
        .captures = captures,
        .error = error,
    };
    while (reader.at < reader.text.len) {
        char c = reader.text.data[reader.at];
        bool done = c == '{' || c == '}' ? read_brace(&reader) : read_text(&reader);
        if (!done) {
            *column_out = reader.at;
            template_free(template);
            return NULL;
        }
    }
    return template;
}

void template_free(struct template *template)
{
    if (!template)
        return;
    free(template->parts);
    free(template->text);
    free(template);
}

static struct span part_value(const struct part *part, const struct captures *captures,
                              const struct template_variables *variables)
{
    switch (part->kind) {
    case PART_TEXT:
        return part->text;
    case PART_CAPTURE:
        if (captures && part->capture < captures->count)
            return captures->groups[part->capture];
        break;
    case PART_CLIENT_ADDRESS:
        return variables->client_address;
    case PART_CLIENT_PORT:
        return variables->client_port;
    case PART_SERVER_ADDRESS:
        return variables->server_address;
    case PART_SERVER_PORT:
        return variables->server_port;
    }
    return span_make("", 0);
}

bool template_expand(const struct template *template, const struct captures *captures,
                     const struct template_variables *variables, struct buf *out)
{
    for (size_t i = 0; i < template->count; i++)
        if (!buf_append(out, part_value(&template->parts[i], captures, variables)))
            return false;
    return true;
}

bool template_is_empty(const struct template *template)
{
    return template->text[0] == '\0';
}
