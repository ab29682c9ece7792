/* The strict YAML reader: shapes, places, and all that is refused. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "yaml_tree.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Writes a tree in one line: null ~, text in <> if plain, else in "", places after @. */
static void dump(const struct yaml_node *node, bool with_places, struct buf *out)
{
    switch (node->kind) {
    case YAML_NULL:
        buf_append_char(out, '~');
        break;
    case YAML_SCALAR:
        buf_append_char(out, node->is_plain ? '<' : '"');
        buf_append_escaped(out, span_from_string(node->text), 0);
        buf_append_char(out, node->is_plain ? '>' : '"');
        break;
    case YAML_LIST:
        buf_append_char(out, '[');
        for (size_t i = 0; i < node->count; i++)
            dump(&node->items[i], with_places, out);
        buf_append_char(out, ']');
        break;
    case YAML_MAPPING:
        buf_append_char(out, '{');
        for (size_t i = 0; i < 2 * node->count; i++)
            dump(&node->items[i], with_places, out);
        buf_append_char(out, '}');
        break;
    }
    if (with_places)
        buf_printf(out, "@%u:%u", node->where.line, node->where.column);
}

static const struct {
    const char *text;
    bool with_places;
    const char *tree;
} good_rows[] = {
    {"a", false, "<a>"},
    {"---\na", false, "<a>"},
    {"# comment\n---\n# another\n- a\n- b\n...\n", false, "[<a><b>]"},
    {"[a, 'b', \"c\"]", false, "[<a>\"b\"\"c\"]"},
    {"a: 1\nb: [x]\n", false, "{<a><1><b>[<x>]}"},
    {"a:\nb: ~\nc: null\nd: Null\ne: NULL\nf: nULL\n", false, "{<a>~<b>~<c>~<d>~<e>~<f><nULL>}"},
    {"['', '~', 'null', \"\"]", false, "[\"\"\"~\"\"null\"\"\"]"},
    {"[0, 0x10, yes, 1.0, 2001-01-01]", false, "[<0><0x10><yes><1.0><2001-01-01>]"},
    {"[]", false, "[]"},
    {"{}", false, "{}"},
    {"a: |\n  x\n  y\n", false, "{<a>\"x\\x0Ay\\x0A\"}"},
    {"- a\n-   b: c\n", true, "[<a>@1:3{<b>@2:5<c>@2:8}@2:5]@1:1"},
    {"\n\n a: 'x'\n", true, "{<a>@3:2\"x\"@3:5}@3:2"},
    {"['\xc3\xa4', b]", true, "[\"\\xC3\\xA4\"@1:2<b>@1:7]@1:1"},
    {"\xef\xbb\xbf" "a: b", false, "{<a><b>}"},
    {"\xef\xbb\xbf" "a: b\nc: d\n", true, "{<a>@1:1<b>@1:4<c>@2:1<d>@2:4}@1:1"},
    {"\xef\xbb\xbf" "- a\n- b\n", true, "[<a>@1:3<b>@2:3]@1:1"},
    {"\xef\xbb\xbf" "# comment\n---\na: b\nc: d\n", false, "{<a><b><c><d>}"},
    {"a: b\r\nc: d\r\n", false, "{<a><b><c><d>}"},
    {"[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]", false, "[[[[[[[[[[[[[[[[<a>]]]]]]]]]]]]]]]]"},
};

Test(yaml_tree, shapes_and_places)
{
    for (size_t i = 0; i < COUNT(good_rows); i++) {
        struct diag_list diags;
        struct buf out;
        bool is_empty = true;
        diag_list_init(&diags);
        buf_init(&out, 10000);
        struct yaml_node *root =
            yaml_tree_parse("f", span_from_string(good_rows[i].text), &diags, &is_empty);
        cr_assert(root, "row %zu: %s", i, diags.count ? diags.items[0].text : "nothing");
        cr_expect_not(is_empty, "row %zu", i);
        cr_expect_eq(diags.count, 0, "row %zu", i);
        dump(root, good_rows[i].with_places, &out);
        cr_expect(span_equals(buf_span(&out), span_from_string(good_rows[i].tree)),
                  "row %zu: %.*s", i, (int)out.len, buf_span(&out).data);
        yaml_tree_free(root);
        buf_clear(&out);
        diag_list_clear(&diags);
    }
}

#define ROW(text, line, column, part) {"" text, sizeof(text) - 1, line, column, part}

static const struct {
    const char *text;
    size_t len;
    unsigned line;
    unsigned column;
    const char *part;
} bad_rows[] = {
    ROW("a: &x b", 1, 4, "anchor &x"),
    ROW("- &x [b]", 1, 3, "anchor &x"),
    ROW("- &x {b: c}", 1, 3, "anchor &x"),
    ROW("a: *x", 1, 4, "alias *x"),
    ROW("users: [*]", 1, 10, "put a * that is meant as text in quotes"),
    ROW("a: !!str b", 1, 4, "tag tag:yaml.org,2002:str"),
    ROW("a: !include b", 1, 4, "tag !include"),
    ROW("!x [a]", 1, 1, "tag !x"),
    ROW("!x {a: b}", 1, 1, "tag !x"),
    ROW("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key 'a' is already in line 1"),
    ROW("a: 1\n'a': 3\n", 2, 1, "duplicate key 'a'"),
    ROW("- a\n---\n- b\n", 2, 1, "second document"),
    ROW("---\n---\n", 2, 1, "second document"),
    ROW("a\n...\nb\n", 3, 1, "not YAML"),
    ROW("%YAML 1.1\n---\na\n", 1, 1, "directives"),
    ROW("[a", 2, 1, "this is not YAML"),
    ROW("a: b: c", 1, 5, "put text that holds \": \" in quotes"),
    ROW("a:\n\t- b", 2, 1, "not tabs"),
    ROW("a: @b", 1, 4, "in quotes"),
    ROW("a: 'b", 1, 6, "this is not YAML"),
    ROW("a: \"\\0\"", 1, 4, "NUL character"),
    ROW("a: \"x\\0y\"", 1, 4, "NUL character"),
    ROW("a: b\nc: \xff\n", 2, 4, "UTF-8"),
    ROW("a: b\nc: \xc3", 2, 4, "UTF-8"),
    ROW("\xff\xfe" "a\0", 1, 1, "UTF-8"),
    ROW("a: \x01", 1, 4, "control characters"),
    ROW("\xef\xbb\xbf" "a: \x01", 1, 4, "control characters"),
    ROW("\xef\xbb\xbf" "a:\n\t- b", 2, 1, "not tabs"),
    ROW("a: b\0c", 1, 5, "control characters"),
    ROW("\xed\xa0\x80", 1, 1, "UTF-8"),
    ROW("[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]", 1, 17, "deeper than 16"),
};

Test(yaml_tree, refuses_with_place_and_reason)
{
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        struct diag_list diags;
        bool is_empty = true;
        diag_list_init(&diags);
        struct yaml_node *root =
            yaml_tree_parse("f", span_make(bad_rows[i].text, bad_rows[i].len), &diags, &is_empty);
        cr_expect_null(root, "row %zu", i);
        cr_expect_not(is_empty, "row %zu", i);
        cr_assert_eq(diags.count, 1, "row %zu: %zu messages", i, diags.count);
        const struct diag *diag = &diags.items[0];
        cr_expect_eq(diag->severity, DIAG_ERROR, "row %zu", i);
        cr_expect_str_eq(diag->file, "f", "row %zu", i);
        cr_expect(diag->line == bad_rows[i].line && diag->column == bad_rows[i].column,
                  "row %zu: %u:%u: %s", i, diag->line, diag->column, diag->text);
        cr_expect(strstr(diag->text, bad_rows[i].part), "row %zu: %s", i, diag->text);
        diag_list_clear(&diags);
        yaml_tree_free(root);
    }
}

static const char *const empty_rows[] = {"", "\n\n", "# only a comment\n", "   ",
                                         "\xef\xbb\xbf", "\xef\xbb\xbf# only a comment\n"};

Test(yaml_tree, no_document)
{
    for (size_t i = 0; i < COUNT(empty_rows); i++) {
        struct diag_list diags;
        bool is_empty = false;
        diag_list_init(&diags);
        cr_expect_null(yaml_tree_parse("f", span_from_string(empty_rows[i]), &diags, &is_empty));
        cr_expect(is_empty, "row %zu", i);
        cr_expect_eq(diags.count, 0, "row %zu", i);
        diag_list_clear(&diags);
    }
}

Test(yaml_tree, all_decorations_are_reported_at_once)
{
    struct diag_list diags;
    bool is_empty = false;
    struct span text = SPAN("- &a x\n- *a\n- !t y\n- {k: 1, k: 2, k: 3}\n");

    diag_list_init(&diags);
    cr_expect_null(yaml_tree_parse("f", text, &diags, &is_empty));
    cr_expect_eq(diags.errors, 5);
    struct yaml_node *root = yaml_tree_parse_to_check("f", text, &diags, &is_empty);
    cr_expect(root, "the tree for further checks");
    cr_expect_eq(diags.errors, 10);
    yaml_tree_free(root);
    diag_list_clear(&diags);
}

Test(yaml_tree, size_is_bounded)
{
    char *text = mem_zalloc(YAML_MAX_SIZE + 2, 1);
    struct diag_list diags;
    bool is_empty = false;

    memset(text, ' ', YAML_MAX_SIZE + 1);
    text[0] = '#';
    diag_list_init(&diags);
    cr_expect_null(yaml_tree_parse("f", span_make(text, YAML_MAX_SIZE), &diags, &is_empty));
    cr_expect(is_empty);
    cr_expect_eq(diags.count, 0);
    cr_expect_null(yaml_tree_parse("f", span_make(text, YAML_MAX_SIZE + 1), &diags, &is_empty));
    cr_expect_not(is_empty);
    cr_assert_eq(diags.count, 1);
    cr_expect_eq(diags.items[0].line, 0);
    diag_list_clear(&diags);
    free(text);
}

/* Cut anywhere, flipped anywhere: a tree, or a message, or nothing at all. */
Test(yaml_tree, any_bytes_give_a_tree_or_a_message)
{
    struct span sample = SPAN("# x\n---\n- a: ['b', \"c\\n\"]\n  d: {e: ~, f: |\n   }\n"
                              "- &g *h !i j\n");
    char *text = mem_copy_string(sample);

    for (size_t cut = 0; cut <= sample.len; cut++) {
        for (unsigned flip = 0; flip < 8; flip++) {
            struct diag_list diags;
            bool is_empty = false;
            diag_list_init(&diags);
            if (cut < sample.len)
                text[cut] = (char)(sample.data[cut] ^ (1 << flip));
            struct span whole = span_make(text, sample.len);
            struct yaml_node *root = yaml_tree_parse("f", whole, &diags, &is_empty);
            cr_expect((root != NULL) + is_empty + (diags.errors > 0) == 1, "%zu/%u", cut, flip);
            yaml_tree_free(root);
            root = yaml_tree_parse("f", span_first(sample, cut), &diags, &is_empty);
            yaml_tree_free(root);
            diag_list_clear(&diags);
            if (cut < sample.len)
                text[cut] = sample.data[cut];
        }
    }
    free(text);
}

Test(yaml_tree, many_keys_are_compared_quickly, .timeout = 20)
{
    struct buf text;
    struct diag_list diags;
    bool is_empty = false;

    buf_init(&text, YAML_MAX_SIZE);
    for (unsigned i = 0; i < 60000; i++)
        buf_printf(&text, "k%u: a\n", i);
    buf_append_string(&text, "k0: a\n");
    diag_list_init(&diags);
    cr_expect_null(yaml_tree_parse("f", buf_span(&text), &diags, &is_empty));
    cr_assert_eq(diags.count, 1);
    cr_expect_eq(diags.items[0].line, 60001);
    diag_list_clear(&diags);
    buf_clear(&text);
}

Test(yaml_tree, mapping_get)
{
    struct diag_list diags;
    bool is_empty = false;

    diag_list_init(&diags);
    struct yaml_node *root = yaml_tree_parse("f", SPAN("a: 1\nB: 2\n"), &diags, &is_empty);
    cr_assert(root);
    const struct yaml_node *value = yaml_mapping_get(root, "B");
    cr_assert(value);
    cr_expect_str_eq(value->text, "2");
    cr_expect_null(yaml_mapping_get(root, "b"));
    cr_expect_null(yaml_mapping_get(value, "a"));
    cr_expect_str_eq(yaml_kind_text(root->kind), "a mapping");
    yaml_tree_free(root);
    diag_list_clear(&diags);
}

Test(diag, formats_and_bounds)
{
    struct diag_list list;
    struct buf out;

    diag_list_init(&list);
    buf_init(&out, 10000);
    diag_add(&list, DIAG_WARNING, (struct source){"a.yml", 3, 7}, "what %s", "now");
    diag_add(&list, DIAG_ERROR, (struct source){"a\n.yml", 0, 0}, "all\nof it");
    diag_format(&out, &list.items[0]);
    buf_append_char(&out, '|');
    diag_format(&out, &list.items[1]);
    cr_expect(span_equals(buf_span(&out),
                          SPAN("a.yml:3:7: warning: what now|a\\x0A.yml: error: all?of it")),
              "%.*s", (int)out.len, buf_span(&out).data);
    for (int i = 0; i < 2 * DIAG_MAX; i++)
        diag_add(&list, DIAG_ERROR, (struct source){"f", 1, 1}, "x");
    cr_expect_eq(list.count, DIAG_MAX);
    cr_expect_eq(list.errors, 2 * DIAG_MAX + 1);
    diag_list_clear(&list);
    cr_expect_eq(list.count + list.errors, 0);
    buf_clear(&out);
}
