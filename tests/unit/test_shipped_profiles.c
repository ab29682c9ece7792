/* The profiles of profiles/, and profiles that were written for other implementations, by the tables
 * of tests/profiles and tests/compat: the application's whole dialogue passes, attacks do not.
 *
 * Each profile has a table, and each table at least ten attacks. */
#include <criterion/criterion.h>

#include <glob.h>

#include "lint.h"
#include "profile_table.h"

#define LEAST_REFUSALS 10
#define LEAST_PROFILES 30 /* fewer means that the directory was not found */
#define LEAST_COMPAT 4

static char *directory(const char *name)
{
    const char *root = getenv("TEST_SRCDIR");

    cr_assert(root && *root, "TEST_SRCDIR does not name the top of the source tree");
    return mem_printf("%s/%s", root, name);
}

static void find(const char *folder, const char *wildcard, glob_t *found)
{
    char *path = mem_printf("%s/%s", folder, wildcard);

    cr_assert_eq(glob(path, 0, NULL, found), 0, "nothing matches %s", path);
    free(path);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* How many attacks a profile of a folder met, over all tables. */
struct coverage {
    glob_t profiles;
    unsigned *refusals;
};

static void count_refusals(const struct coverage *coverage, const struct table *table)
{
    for (size_t i = 0; i < coverage->profiles.gl_pathc; i++)
        if (table->profile &&
            strcmp(file_name(coverage->profiles.gl_pathv[i]), file_name(table->profile)) == 0)
            coverage->refusals[i] += table->refusals;
}

static void run_tables(const char *folder, struct coverage *coverage)
{
    glob_t tables;

    find(folder, "*.txt", &tables);
    for (size_t i = 0; i < tables.gl_pathc; i++) {
        struct table table;
        table_run(&table, tables.gl_pathv[i]);
        cr_expect(table.profile, "%s names no profile", tables.gl_pathv[i]);
        count_refusals(coverage, &table);
        table_clear(&table);
    }
    globfree(&tables);
}

static void check_folder(const char *profiles, const char *tables, size_t least)
{
    struct coverage coverage;

    find(profiles, "*.yml", &coverage.profiles);
    cr_expect_geq(coverage.profiles.gl_pathc, least, "few profiles in %s", profiles);
    coverage.refusals = mem_zalloc(coverage.profiles.gl_pathc, sizeof *coverage.refusals);
    run_tables(tables, &coverage);
    for (size_t i = 0; i < coverage.profiles.gl_pathc; i++)
        cr_expect_geq(coverage.refusals[i], (unsigned)LEAST_REFUSALS,
                      "%s: %u attacks are tried, %d at least belong into a table of %s",
                      coverage.profiles.gl_pathv[i], coverage.refusals[i], LEAST_REFUSALS, tables);
    free(coverage.refusals);
    globfree(&coverage.profiles);
}

Test(shipped_profiles, tables)
{
    char *profiles = directory("profiles"), *tables = directory("tests/profiles");

    check_folder(profiles, tables, LEAST_PROFILES);
    free(profiles);
    free(tables);
}

/* What `onion-graterctl check` has to say of each: notes at most. */
static void check_lint(const char *path)
{
    struct table table;
    struct diag_list diags;

    table_init(&table, path);
    table_load(&table, path);
    cr_assert(table.file, "%s does not load", path);
    diag_list_init(&diags);
    lint_file(table.file, &diags);
    lint_policy(table.policy, &diags);
    for (size_t i = 0; i < diags.count; i++)
        cr_expect_eq(diags.items[i].severity, DIAG_NOTE, "%s:%u:%u: %s", path, diags.items[i].line,
                     diags.items[i].column, diags.items[i].text);
    diag_list_clear(&diags);
    table_clear(&table);
}

Test(shipped_profiles, check_has_no_warning)
{
    char *profiles = directory("profiles");
    glob_t found;

    find(profiles, "*.yml", &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_lint(found.gl_pathv[i]);
    globfree(&found);
    free(profiles);
}

Test(shipped_profiles, profiles_of_others)
{
    const char *compat = getenv("TEST_COMPAT_DIR");

    if (!compat || !*compat)
        cr_skip_test("TEST_COMPAT_DIR does not name the directory of the existing profiles");
    char *profiles = mem_printf("%s/tails", compat), *tables = directory("tests/compat");
    check_folder(profiles, tables, LEAST_COMPAT);
    free(profiles);
    free(tables);
}
