/* What is written reads as what was meant, by the reader that profiles are read with. */
#include "yaml_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct yaml_node *parse(struct span text)
{
    struct diag_list diags;
    bool is_empty;

    diag_list_init(&diags);
    struct yaml_node *root = yaml_tree_parse("test", text, &diags, &is_empty);
    cr_assert(root && diags.count == 0, "does not parse: %.*s\n%s", (int)text.len, text.data,
              diags.count ? diags.items[0].text : "");
    diag_list_clear(&diags);
    return root;
}

static const char *const texts[] = {
    "", " ", "a", "true", "null", "~", "0", "'", "''", "\"", "a'b", "it's: #no", "- x", "? y",
    "{}", "[]", "[", "*", "&a", "!t", "%x", "@", "`", "|", ">", "#", " # c", "a: b", "\\d+\\.",
    "a\tb", "a\nb", "a\r\nb", "\n", "  lead", "trail  ", "\x01", "\x7f", "\xc3\xa9", "\xc2\x85",
    "\xc2\xa0", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf", "\xf0\x9f\xa7\x85", "a\\nb",
    "(?:x|y)*?", "...", "---", "=", "<<", "a,b", "}",
};

Test(yaml_writer, texts_come_back)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf out;
        buf_init(&out, 4096);
        buf_append_string(&out, "- ");
        yaml_write_text(&out, span_from_string(texts[i]));
        buf_append_string(&out, "\n- ");
        yaml_write_text(&out, span_from_string(texts[i]));
        buf_append_string(&out, ": ");
        yaml_write_text(&out, span_from_string(texts[i]));
        buf_append_char(&out, '\n');
        struct yaml_node *root = parse(buf_span(&out));
        cr_assert(root->kind == YAML_LIST && root->count == 2, "row %zu", i);
        cr_expect(root->items[0].kind == YAML_SCALAR && !strcmp(root->items[0].text, texts[i]),
                  "row %zu: %.*s", i, (int)out.len, buf_span(&out).data);
        cr_expect(!strcmp(root->items[1].items[0].text, texts[i]), "row %zu: as a key", i);
        cr_expect(!strcmp(root->items[1].items[1].text, texts[i]), "row %zu: as a value", i);
        yaml_tree_free(root);
        buf_clear(&out);
    }
}

Test(yaml_writer, every_byte)
{
    for (int c = 1; c < 128; c++) {
        char text[] = {'a', (char)c, 'b', (char)c, '\0'};
        struct buf out;
        buf_init(&out, 4096);
        yaml_write_text(&out, span_from_string(text));
        buf_append_char(&out, '\n');
        struct yaml_node *root = parse(buf_span(&out));
        cr_expect(root->kind == YAML_SCALAR && !strcmp(root->text, text), "byte %d", c);
        yaml_tree_free(root);
        buf_clear(&out);
    }
}

static void expect_same(const struct yaml_node *a, const struct yaml_node *b, size_t row)
{
    size_t children = a->kind == YAML_MAPPING ? 2 * a->count : a->count;

    cr_assert_eq(a->kind, b->kind, "row %zu", row);
    if (a->kind == YAML_SCALAR)
        cr_expect_str_eq(a->text, b->text, "row %zu", row);
    if (a->kind != YAML_LIST && a->kind != YAML_MAPPING)
        return;
    cr_assert_eq(a->count, b->count, "row %zu", row);
    for (size_t i = 0; i < children; i++)
        expect_same(&a->items[i], &b->items[i], row);
}

Test(yaml_writer, trees_come_back)
{
    static const char *const trees[] = {
        "a: b\n",
        "- a\n- b\n",
        "- [a, [b, [c]], {d: e}]\n- {}\n- []\n- ''\n-\n",
        "a:\nb: []\nc: {}\nd: {e: {f: [g]}}\n",
        "- - - a\n    - b\n  - c\n- - d\n",
        "- a: 1\n  b:\n    - c: d\n      e: f\n    - g\n",
        "'a: b': \"x\\ty\"\n'-': '*'\n? |\n  folded\n  key\n: >\n  folded\n  value\n",
        "- |\n  two\n  lines\n- yes\n- 'yes'\n- 0x10\n- 1:20\n",
    };

    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
        for (unsigned indent = 0; indent <= 6; indent += 2) {
            struct yaml_node *root = parse(span_from_string(trees[i]));
            struct buf out;
            buf_init(&out, 65536);
            yaml_write_indent(&out, indent);
            yaml_write_node(&out, root, indent);
            struct yaml_node *again = parse(buf_span(&out));
            expect_same(root, again, i);
            yaml_tree_free(again);
            yaml_tree_free(root);
            buf_clear(&out);
        }
}

/* To a reader with types, "yes" and 'yes' are different things. */
Test(yaml_writer, plain_stays_plain)
{
    static const struct {
        const char *tree;
        const char *written;
    } rows[] = {
        {"tor-browser-mode: true\n", "tor-browser-mode: true\n"},
        {"tor-browser-mode: 'true'\n", "tor-browser-mode: 'true'\n"},
        {"- 0\n- '0'\n", "- 0\n- '0'\n"},
        {"users: [\"alice\"]\n", "users:\n  - 'alice'\n"},
        {"path: /usr/bin/x\n", "path: /usr/bin/x\n"},
        {"a: b c\n", "a: 'b c'\n"},
        {"+HSPOST: x\n", "'+HSPOST': x\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct yaml_node *root = parse(span_from_string(rows[i].tree));
        struct buf out;
        buf_init(&out, 4096);
        yaml_write_node(&out, root, 0);
        cr_expect(span_equals(buf_span(&out), span_from_string(rows[i].written)), "row %zu: %.*s",
                  i, (int)out.len, buf_span(&out).data);
        yaml_tree_free(root);
        buf_clear(&out);
    }
}

Test(yaml_writer, comments_are_folded_and_end_nowhere)
{
    struct buf text, out;

    buf_init(&text, 4096);
    buf_init(&out, 65536);
    for (int i = 0; i < 60; i++)
        buf_printf(&text, "word%d ", i);
    buf_append_string(&text, "a\nb\x01");
    yaml_write_comment(&out, 4, buf_span(&text));
    struct span rest = buf_span(&out);
    size_t lines = 0;
    while (rest.len > 0) {
        size_t len = span_find(rest, '\n');
        cr_expect(len <= YAML_WRITER_WIDTH, "%zu columns", len);
        cr_expect(span_starts_with(rest, SPAN("    # ")));
        rest = span_from(rest, len + 1);
        lines++;
    }
    cr_expect(lines > 3 && lines < 10, "%zu lines", lines);
    buf_clear(&text);
    buf_clear(&out);
}
