/* JSON and YAML as we write them: what is read back is what was written, whatever the text, and
 * nothing of it ends a string, a line or a document early.
 *
 * Input: any bytes; they are one text, several texts parted by NUL, a YAML document and a JSON
 * line. */
#include <string.h>

#include "fuzz_check.h"
#include "json.h"
#include "json_line.h"
#include "mem.h"
#include "yaml_tree.h"
#include "yaml_writer.h"

#define OUT_MAX (4 * 1024 * 1024)

/* --- JSON --- */

static void check_member(struct json_line *reader, const char *key, struct span text)
{
    struct json_member member;
    struct buf bytes;

    buf_init(&bytes, OUT_MAX);
    require(json_line_next(reader, &member) == JSON_MEMBER);
    require(span_equals(member.key, span_from_string(key)));
    require(json_string_bytes(member.value, &bytes));
    require(span_equals(buf_span(&bytes), text));
    buf_clear(&bytes);
}

static void check_json(struct span text)
{
    struct json_line reader;
    struct json_member member;
    struct json json;
    struct buf out;

    buf_init(&out, OUT_MAX);
    json_init(&json, &out);
    json_open_object(&json);
    json_member_string(&json, "first", text);
    json_key(&json, "list");
    json_open_array(&json);
    json_string(&json, text);
    json_number(&json, text.len);
    json_open_object(&json);
    json_member_string(&json, "x", text);
    json_close_object(&json);
    json_close_array(&json);
    json_member_string(&json, "last", text);
    json_close_object(&json);
    require(!out.overflow);
    for (size_t i = 0; i < out.len; i++)
        require(out.data[i] >= 0x20 && out.data[i] < 0x7f);
    json_line_init(&reader, buf_span(&out));
    check_member(&reader, "first", text);
    require(json_line_next(&reader, &member) == JSON_MEMBER);
    require(span_equals(member.key, SPAN("list")));
    check_member(&reader, "last", text);
    require(json_line_next(&reader, &member) == JSON_END);
    buf_clear(&out);
}

static void read_json(struct span text)
{
    struct json_line reader;
    struct json_member member;
    struct buf bytes;
    size_t members = 0;

    json_line_init(&reader, text);
    while (json_line_next(&reader, &member) == JSON_MEMBER) {
        buf_init(&bytes, OUT_MAX);
        json_string_bytes(member.value, &bytes);
        require(bytes.len <= member.value.len);
        require(member.key.data >= text.data);
        require(member.value.data + member.value.len <= text.data + text.len);
        buf_clear(&bytes);
        require(++members <= text.len);
    }
}

/* --- YAML --- */

static struct yaml_node *parse(struct span text)
{
    struct diag_list diags;
    bool is_empty;

    diag_list_init(&diags);
    struct yaml_node *root = yaml_tree_parse("x", text, &diags, &is_empty);
    diag_list_clear(&diags);
    return root;
}

static void check_equal(const struct yaml_node *a, const struct yaml_node *b)
{
    require(a->kind == b->kind && a->count == b->count);
    if (a->kind == YAML_SCALAR)
        require(strcmp(a->text, b->text) == 0);
    for (size_t i = 0; i < a->count * (a->kind == YAML_MAPPING ? 2 : 1); i++)
        check_equal(&a->items[i], &b->items[i]);
}

/* A profile's keys are words: what has others is not written. */
static bool has_plain_keys(const struct yaml_node *node)
{
    bool is_mapping = node->kind == YAML_MAPPING;

    for (size_t i = 0; i < node->count * (is_mapping ? 2 : 1); i++) {
        const struct yaml_node *item = &node->items[i];
        bool is_key = is_mapping && i % 2 == 0;
        if (is_key ? item->kind != YAML_SCALAR || strlen(item->text) > 100 : !has_plain_keys(item))
            return false;
    }
    return true;
}

/* A document is the same one when it was written anew. */
static void check_document(struct span text)
{
    struct yaml_node *root = parse(text);
    struct buf out;

    if (!root || !has_plain_keys(root)) {
        yaml_tree_free(root);
        return;
    }
    buf_init(&out, OUT_MAX);
    yaml_write_node(&out, root, 0);
    struct yaml_node *again = parse(buf_span(&out));
    /* What is written may be longer than what was read, and too long. Nothing is written as
     * nothing, which is no document. */
    require(again || root->kind == YAML_NULL || out.overflow || out.len > YAML_MAX_SIZE);
    if (again)
        check_equal(root, again);
    yaml_tree_free(root);
    yaml_tree_free(again);
    buf_clear(&out);
}

/* Whether libyaml takes the text at all: then it must come back, as an element, a key, a value. */
static bool is_utf8(struct span text)
{
    size_t follow = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (follow > 0) {
            if (c < 0x80 || c > 0xbf)
                return false;
            follow--;
        } else if (c >= 0x80) {
            /* Two bytes are enough: longer forms have gaps that are libyaml's matter. */
            if (c < 0xc2 || c > 0xdf)
                return false;
            follow = 1;
        }
    }
    return follow == 0;
}

static void check_text(struct span text)
{
    struct buf out;
    char *string = mem_copy_string(text);

    buf_init(&out, OUT_MAX);
    yaml_write_comment(&out, 0, text);
    buf_append_string(&out, "- ");
    yaml_write_text(&out, text);
    buf_append_string(&out, "\n- k: ");
    yaml_write_text(&out, text);
    buf_append_char(&out, '\n');
    yaml_write_comment(&out, 2, text);
    buf_append_string(&out, "- ");
    /* Without quotes it would be nothing. */
    if (yaml_is_plain(text) && !span_equals_nocase(text, SPAN("null")))
        buf_append(&out, text);
    else
        yaml_write_text(&out, text);
    buf_append_char(&out, '\n');
    struct yaml_node *root = parse(buf_span(&out));
    require(root && root->kind == YAML_LIST && root->count == 3);
    require(root->items[0].kind == YAML_SCALAR && strcmp(root->items[0].text, string) == 0);
    require(root->items[1].kind == YAML_MAPPING && root->items[1].count == 1);
    require(strcmp(root->items[1].items[1].text, string) == 0);
    require(root->items[2].kind == YAML_SCALAR && strcmp(root->items[2].text, string) == 0);
    yaml_tree_free(root);
    buf_clear(&out);
    free(string);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_make((const char *)data, size), rest = all;

    if (size > 64 * 1024)
        return 0;
    check_json(all);
    read_json(all);
    check_document(all);
    while (rest.len > 0) {
        struct span text = span_first(rest, span_find(rest, '\0'));
        rest = span_from(rest, text.len + 1);
        if (is_utf8(text))
            check_text(text);
    }
    return 0;
}
