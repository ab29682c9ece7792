/* A YAML file as a tree, on libyaml's events (design 3.1).
 *
 * The events show what the finished document would hide: anchors, tags, further documents, keys
 * given twice. Such errors are noted and reading goes on; text that is no YAML, nesting that is too
 * deep and bytes that are no UTF-8 end it at once. */
#include "yaml_tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "hash.h"
#include "mem.h"

/* How much of a file's text a message shows. */
#define SHOWN_TEXT 60

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; valid while has_event */
    bool has_event;
    const char *file;
    struct span text;
    struct diag_list *diags;
};

static unsigned to_place(size_t from_zero)
{
    return from_zero < UINT32_MAX - 1 ? (unsigned)from_zero + 1 : UINT32_MAX;
}

static struct source source_at(const struct reader *reader, yaml_mark_t mark)
{
    return (struct source){reader->file, to_place(mark.line), to_place(mark.column)};
}

/* libyaml gives errors of its reader as a byte offset only. */
static struct source source_of_offset(const struct reader *reader, size_t offset)
{
    struct source where = {reader->file, 1, 1};

    for (size_t i = 0; i < offset && i < reader->text.len; i++) {
        unsigned char byte = (unsigned char)reader->text.data[i];
        if (byte == '\n') {
            where.line++;
            where.column = 1;
        } else if ((byte & 0xc0) != 0x80) {
            where.column++;
        }
    }
    return where;
}

static void report_reader_error(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct source where = source_of_offset(reader, parser->problem_offset);

    if (parser->problem_value >= 0)
        diag_add(reader->diags, DIAG_ERROR, where,
                 "%s (value 0x%X); a profile file is UTF-8 text without control characters",
                 parser->problem, (unsigned)parser->problem_value);
    else
        diag_add(reader->diags, DIAG_ERROR, where,
                 "%s; a profile file is UTF-8 text without control characters", parser->problem);
}

/* The byte at a mark, which counts characters; NUL past the end. */
static char byte_at(const struct reader *reader, size_t index)
{
    size_t seen = 0;

    for (size_t i = 0; i < reader->text.len; i++) {
        if (((unsigned char)reader->text.data[i] & 0xc0) == 0x80)
            continue;
        if (seen++ == index)
            return reader->text.data[i];
    }
    return '\0';
}

/* What usually is the matter where libyaml stops. */
static const char *syntax_hint(const yaml_parser_t *parser, char found)
{
    if (parser->context && strstr(parser->context, "alias"))
        return "; put a * that is meant as text in quotes";
    switch (found) {
    case '\t':
        return "; indent with spaces, not tabs";
    case '@':
    case '`':
    case '%':
        return "; put text that begins with this character in quotes";
    case ':':
        return "; put text that holds \": \" in quotes";
    default:
        return "";
    }
}

static void report_syntax_error(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct source where = source_at(reader, parser->problem_mark);
    const char *hint = syntax_hint(parser, byte_at(reader, parser->problem_mark.index));
    const char *problem = parser->problem ? parser->problem : "not readable";

    if (parser->context)
        diag_add(reader->diags, DIAG_ERROR, where,
                 "this is not YAML: %s, %s that begins in line %u%s", problem, parser->context,
                 to_place(parser->context_mark.line), hint);
    else
        diag_add(reader->diags, DIAG_ERROR, where, "this is not YAML: %s%s", problem, hint);
}

/* Goes to the next event; false after an error of libyaml's, which is reported. */
static bool reader_next(struct reader *reader)
{
    if (reader->has_event)
        yaml_event_delete(&reader->event);
    reader->has_event = yaml_parser_parse(&reader->parser, &reader->event) == 1;
    if (reader->has_event)
        return true;
    if (reader->parser.error == YAML_MEMORY_ERROR)
        abort();
    if (reader->parser.error == YAML_READER_ERROR)
        report_reader_error(reader);
    else
        report_syntax_error(reader);
    return false;
}

static void report_escaped(const struct reader *reader, struct source where, const char *before,
                           const char *text, const char *after)
{
    struct buf shown;

    buf_init(&shown, SIZE_MAX / 2);
    buf_append_escaped(&shown, span_from_string(text), SHOWN_TEXT);
    buf_append_char(&shown, '\0');
    diag_add(reader->diags, DIAG_ERROR, where, "%s%s%s", before, buf_span(&shown).data, after);
    buf_clear(&shown);
}

static void check_decoration(const struct reader *reader, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    struct source where = source_at(reader, reader->event.start_mark);

    if (anchor)
        report_escaped(reader, where, "anchor &", (const char *)anchor,
                       ": anchors are not taken; write the text where it is used");
    if (tag)
        report_escaped(reader, where, "tag ", (const char *)tag,
                       ": tags are not taken; put text that begins with ! in quotes");
}

static bool is_null_text(struct span text)
{
    static const struct span nulls[] = {
        SPAN(""), SPAN("~"), SPAN("null"), SPAN("Null"), SPAN("NULL"),
    };

    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (span_equals(nulls[i], text))
            return true;
    return false;
}

static void read_scalar(const struct reader *reader, struct yaml_node *node)
{
    const yaml_event_t *event = &reader->event;
    struct span text = span_make((const char *)event->data.scalar.value, event->data.scalar.length);

    check_decoration(reader, event->data.scalar.anchor, event->data.scalar.tag);
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (node->is_plain && is_null_text(text))
        return;
    node->kind = YAML_SCALAR;
    node->text = mem_copy_string(text);
    if (span_find(text, '\0') < text.len)
        diag_add(reader->diags, DIAG_ERROR, node->where,
                 "text with a NUL character, which no line of the control protocol can hold");
}

static void node_clear(struct yaml_node *node)
{
    size_t items = node->kind == YAML_MAPPING ? 2 * node->count : node->count;

    for (size_t i = 0; i < items; i++)
        node_clear(&node->items[i]);
    free(node->items);
    free(node->text);
}

void yaml_tree_free(struct yaml_node *root)
{
    if (!root)
        return;
    node_clear(root);
    free(root);
}

/* For qsort: by text, then by place. */
static int compare_keys(const void *left, const void *right)
{
    const struct yaml_node *a = *(const struct yaml_node *const *)left;
    const struct yaml_node *b = *(const struct yaml_node *const *)right;
    int order = strcmp(a->text, b->text);

    return order ? order : (a > b) - (a < b);
}

static size_t collect_text_keys(const struct yaml_node *mapping, const struct yaml_node **keys)
{
    size_t count = 0;

    for (size_t i = 0; i < mapping->count; i++)
        if (mapping->items[2 * i].kind == YAML_SCALAR)
            keys[count++] = &mapping->items[2 * i];
    return count;
}

static void check_duplicate_keys(const struct reader *reader, const struct yaml_node *mapping)
{
    const struct yaml_node **keys = mem_zalloc(mapping->count, sizeof(struct yaml_node *));
    size_t count = collect_text_keys(mapping, keys);
    char *after = NULL;

    qsort(keys, count, sizeof(struct yaml_node *), compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(keys[i - 1]->text, keys[i]->text) != 0)
            continue;
        after = mem_printf("' is already in line %u; keep one of them", keys[i - 1]->where.line);
        report_escaped(reader, keys[i]->where, "duplicate key '", keys[i]->text, after);
        free(after);
    }
    free(keys);
}

static bool read_node(struct reader *reader, struct yaml_node *node, unsigned depth);

/* A zeroed element at the end of `node->items`, which holds `used` of them. */
static struct yaml_node *add_item(struct yaml_node *node, size_t used)
{
    bool is_full = used == 0 || (used >= 4 && (used & (used - 1)) == 0);

    if (is_full)
        node->items = mem_resize(node->items, used < 4 ? 4 : 2 * used, sizeof *node->items);
    node->items[used] = (struct yaml_node){.kind = YAML_NULL};
    return &node->items[used];
}

static bool read_list(struct reader *reader, struct yaml_node *node, unsigned depth)
{
    node->kind = YAML_LIST;
    check_decoration(reader, reader->event.data.sequence_start.anchor,
                     reader->event.data.sequence_start.tag);
    for (;;) {
        if (!reader_next(reader))
            return false;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        struct yaml_node *item = add_item(node, node->count);
        node->count++;
        if (!read_node(reader, item, depth))
            return false;
    }
}

static bool read_mapping(struct reader *reader, struct yaml_node *node, unsigned depth)
{
    node->kind = YAML_MAPPING;
    check_decoration(reader, reader->event.data.mapping_start.anchor,
                     reader->event.data.mapping_start.tag);
    for (;;) {
        if (!reader_next(reader))
            return false;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            break;
        /* Both halves exist before the pair is counted, so a pair is never half. */
        add_item(node, 2 * node->count);
        add_item(node, 2 * node->count + 1);
        node->count++;
        if (!read_node(reader, &node->items[2 * node->count - 2], depth) || !reader_next(reader) ||
            !read_node(reader, &node->items[2 * node->count - 1], depth))
            return false;
    }
    check_duplicate_keys(reader, node);
    return true;
}

static bool is_too_deep(const struct reader *reader, unsigned depth)
{
    if (depth < YAML_MAX_DEPTH)
        return false;
    diag_add(reader->diags, DIAG_ERROR, source_at(reader, reader->event.start_mark),
             "nested deeper than %d levels", YAML_MAX_DEPTH);
    return true;
}

/* Reads the node that the current event begins, to its last event. False: reading has to end. */
static bool read_node(struct reader *reader, struct yaml_node *node, unsigned depth)
{
    yaml_event_type_t type = reader->event.type;

    node->where = source_at(reader, reader->event.start_mark);
    if (type == YAML_SCALAR_EVENT) {
        read_scalar(reader, node);
        return true;
    }
    if (type == YAML_ALIAS_EVENT) {
        report_escaped(reader, node->where, "alias *",
                       (const char *)reader->event.data.alias.anchor,
                       ": aliases are not taken; write the text out, and put a * that is meant "
                       "as text in quotes");
        return true;
    }
    if (is_too_deep(reader, depth))
        return false;
    return type == YAML_SEQUENCE_START_EVENT ? read_list(reader, node, depth + 1)
                                             : read_mapping(reader, node, depth + 1);
}

/* The document's start: directives would change what plain text means. */
static void check_directives(const struct reader *reader)
{
    const yaml_event_t *event = &reader->event;

    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
        diag_add(reader->diags, DIAG_ERROR, source_at(reader, event->start_mark),
                 "YAML directives (lines that begin with %%) are not taken; take them out");
}

/* From the document's start to the end of the file. */
static bool read_document(struct reader *reader, struct yaml_node *root)
{
    check_directives(reader);
    if (!reader_next(reader) || !read_node(reader, root, 0))
        return false;
    if (!reader_next(reader) || !reader_next(reader))
        return false;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return true;
    diag_add(reader->diags, DIAG_ERROR, source_at(reader, reader->event.start_mark),
             "a second document begins here; a file holds one, so join them in one list");
    return false;
}

/* From the file's start. NULL: nothing there, or an error that ends reading. */
static struct yaml_node *read_stream(struct reader *reader, bool *is_empty_out)
{
    if (!reader_next(reader) || !reader_next(reader))
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        *is_empty_out = true;
        return NULL;
    }
    struct yaml_node *root = mem_zalloc(1, sizeof *root);
    if (read_document(reader, root))
        return root;
    yaml_tree_free(root);
    return NULL;
}

/* Some editors put a byte order mark at the front. libyaml would count it as a column, and the
 * second line would not stand below the first. */
static struct span without_byte_order_mark(struct span text)
{
    struct span mark = SPAN("\xef\xbb\xbf");

    return span_starts_with(text, mark) ? span_from(text, mark.len) : text;
}

struct yaml_node *yaml_tree_parse_to_check(const char *file, struct span text,
                                           struct diag_list *diags, bool *is_empty_out)
{
    struct reader reader = {.file = file, .text = without_byte_order_mark(text), .diags = diags};

    *is_empty_out = false;
    if (text.len > YAML_MAX_SIZE) {
        diag_add(diags, DIAG_ERROR, (struct source){file, 0, 0},
                 "the file has %zu bytes, but at most %d are read", text.len, YAML_MAX_SIZE);
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser))
        abort();
    /* Said, not guessed: a byte order mark must not switch to UTF-16. */
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser,
                                 (const unsigned char *)(reader.text.len ? reader.text.data : ""),
                                 reader.text.len);
    struct yaml_node *root = read_stream(&reader, is_empty_out);
    if (reader.has_event)
        yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return root;
}

struct yaml_node *yaml_tree_parse(const char *file, struct span text, struct diag_list *diags,
                                  bool *is_empty_out)
{
    size_t errors = diags->errors;
    struct yaml_node *root = yaml_tree_parse_to_check(file, text, diags, is_empty_out);

    if (diags->errors == errors)
        return root;
    yaml_tree_free(root);
    return NULL;
}

static uint64_t digest_add(uint64_t digest, const struct yaml_node *node)
{
    size_t items = node->count * (node->kind == YAML_MAPPING ? 2 : 1);
    size_t shape[] = {node->kind, node->count};

    digest = hash_add(digest, span_make((const char *)shape, sizeof shape));
    if (node->kind == YAML_SCALAR)
        digest = hash_add(digest, span_make(node->text, strlen(node->text) + 1));
    for (size_t i = 0; i < items; i++)
        digest = digest_add(digest, &node->items[i]);
    return digest;
}

uint64_t yaml_tree_digest(const struct yaml_node *root)
{
    return digest_add(HASH_BEGIN, root);
}

const struct yaml_node *yaml_mapping_get(const struct yaml_node *mapping, const char *key)
{
    if (mapping->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *name = &mapping->items[2 * i];
        if (name->kind == YAML_SCALAR && strcmp(name->text, key) == 0)
            return &mapping->items[2 * i + 1];
    }
    return NULL;
}

const char *yaml_kind_text(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_NULL:
        return "nothing";
    case YAML_SCALAR:
        return "text";
    case YAML_LIST:
        return "a list";
    case YAML_MAPPING:
        return "a mapping";
    }
    return "nothing";
}
