/* The files of tests/policy: those in good/ load, those in bad/ do not, and the messages are the
 * ones that each file announces in its first lines, no more and no fewer:
 *
 *   # expect: LINE:COLUMN: error: PART OF THE TEXT
 *
 * or "warning" in place of "error". alice is a user, staff a group, nobody else exists. */
#include <criterion/criterion.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "profile_fixture.h"

#define EXPECT "# expect: "
#define MAX_EXPECTED 64

/* A check that finds few files has not looked in the right place. */
#define LEAST_FILES 8

static struct buf read_whole(const char *path)
{
    char piece[4096];
    struct buf text;
    size_t len;

    buf_init(&text, 1 << 20);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s cannot be read", path);
    while ((len = fread(piece, 1, sizeof piece, file)) > 0)
        buf_append(&text, span_make(piece, len));
    fclose(file);
    cr_assert_not(text.overflow, "%s is too large", path);
    return text;
}

/* One line of what is expected, and whether a message met it. */
struct expected {
    char *text;
    bool is_met;
};

static size_t read_expected(struct span text, struct expected *expected)
{
    size_t count = 0;

    while (span_starts_with(text, SPAN(EXPECT))) {
        size_t end = span_find(text, '\n');
        struct span line = span_from(span_first(text, end), sizeof EXPECT - 1);
        cr_assert_lt(count, (size_t)MAX_EXPECTED);
        expected[count++] = (struct expected){.text = mem_copy_string(line)};
        text = span_from(text, end + 1);
    }
    return count;
}

static bool fits(const struct diag *diag, const char *expected)
{
    char *place = mem_printf("%u:%u: %s: ", diag->line, diag->column,
                             diag->severity == DIAG_ERROR ? "error" : "warning");
    size_t len = strlen(place);
    bool does = strncmp(expected, place, len) == 0 && expected[len] != '\0' &&
                strstr(diag->text, expected + len) != NULL;

    free(place);
    return does;
}

static bool meet(const struct diag *diag, struct expected *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (expected[i].is_met || !fits(diag, expected[i].text))
            continue;
        expected[i].is_met = true;
        return true;
    }
    return false;
}

static void check_messages(const char *path, const struct diag_list *diags, struct span text)
{
    struct expected expected[MAX_EXPECTED];
    size_t count = read_expected(text, expected);

    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        cr_expect(meet(diag, expected, count), "%s: not announced: %u:%u: %s", path, diag->line,
                  diag->column, diag->text);
        cr_expect_str_eq(diag->file, path);
    }
    for (size_t i = 0; i < count; i++) {
        cr_expect(expected[i].is_met, "%s: announced, but did not come: %s", path,
                  expected[i].text);
        free(expected[i].text);
    }
}

static void check_file(const char *path, bool is_good)
{
    const struct name_resolver resolver = {fixture_user, fixture_group, NULL};
    struct buf text = read_whole(path);
    struct diag_list diags;

    diag_list_init(&diags);
    struct profile_file *file = profile_load(path, buf_span(&text), &resolver, &diags);
    cr_expect_eq(file != NULL, is_good, "%s", path);
    cr_expect_eq(diags.errors == 0, is_good, "%s", path);
    check_messages(path, &diags, buf_span(&text));
    profile_file_unref(file);
    diag_list_clear(&diags);
    buf_clear(&text);
}

static const char *directory(void)
{
    const char *name = getenv("TEST_POLICY_DIR");

#ifdef TEST_POLICY_DIR
    if (!name)
        name = TEST_POLICY_DIR;
#endif
    cr_assert(name && *name, "TEST_POLICY_DIR does not name the directory tests/policy");
    return name;
}

static void check_directory(const char *name, bool is_good)
{
    char *wildcard = mem_printf("%s/%s/*.yml", directory(), name);
    glob_t found;

    cr_assert_eq(glob(wildcard, 0, NULL, &found), 0, "nothing matches %s", wildcard);
    cr_expect_geq(found.gl_pathc, (size_t)LEAST_FILES, "few files match %s", wildcard);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(found.gl_pathv[i], is_good);
    globfree(&found);
    free(wildcard);
}

Test(policy_files, good)
{
    check_directory("good", true);
}

Test(policy_files, bad)
{
    check_directory("bad", false);
}

/* Profiles that were written for the existing implementations, unchanged. */
Test(policy_files, existing_profiles_load)
{
    const char *name = getenv("TEST_COMPAT_DIR");
    glob_t found;

    if (!name || !*name)
        cr_skip_test("TEST_COMPAT_DIR does not name the directory of the existing profiles");
    char *wildcard = mem_printf("%s/tails/*.yml", name);
    cr_assert_eq(glob(wildcard, 0, NULL, &found), 0, "nothing matches %s", wildcard);
    cr_expect_geq(found.gl_pathc, (size_t)4);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buf text = read_whole(found.gl_pathv[i]);
        buf_append_char(&text, '\0');
        struct profile_file *file = fixture_file(found.gl_pathv[i], buf_span(&text).data);
        cr_expect_eq(file->count, 1, "%s", found.gl_pathv[i]);
        profile_file_unref(file);
        buf_clear(&text);
    }
    globfree(&found);
    free(wildcard);
}
