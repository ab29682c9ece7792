/* check: what the loader says of profiles, and then what lint does.
 *
 * Files named on the command line are each looked at by itself, as their author has them at hand.
 * Without any, the directories of the daemon are, with their precedence and masks, and what comes
 * of several profiles together. */
#include "ctl_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_input.h"
#include "ctl_options.h"
#include "diag.h"
#include "json.h"
#include "language.h"
#include "lint.h"
#include "mem.h"
#include "names.h"
#include "profile_dir.h"
#include "profile_load.h"
#include "yaml_tree.h"

#define LOADER_CODE "load" /* of messages that have none of their own */
#define STANDARD_INPUT "stdin"

struct check {
    bool is_json;
    bool is_verbose; /* notes, too */
    bool is_strict;  /* a warning fails */
    const char **dirs;
    size_t dir_count;
    struct diag_list *lists; /* owned; one a file, and more */
    size_t list_count;
    struct language_probes *probes; /* owned */
    size_t files;
    size_t profiles;
    bool is_unreadable;
};

/* The list is gone with the next call. */
static struct diag_list *check_add_list(struct check *check)
{
    check->lists = mem_resize(check->lists, check->list_count + 1, sizeof *check->lists);
    diag_list_init(&check->lists[check->list_count]);
    return &check->lists[check->list_count++];
}

static void check_clear(struct check *check)
{
    for (size_t i = 0; i < check->list_count; i++)
        diag_list_clear(&check->lists[i]);
    language_probes_free(check->probes);
    free(check->lists);
    free(check->dirs);
}

/* --- what is looked at --- */

static void check_policy(struct check *check, const struct policy *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        check->profiles += policy->files[i]->count;
        lint_next_file(policy->files[i], check->probes, check_add_list(check));
    }
    lint_policy(policy, check_add_list(check));
}

static void check_text(struct check *check, const char *path, struct span text)
{
    struct profile_file *file = profile_load(path, text, &names_of_system, check_add_list(check));

    check->files++;
    if (!file)
        return;
    struct policy *policy = policy_new();
    policy_add_file(policy, file);
    check_policy(check, policy);
    policy_unref(policy);
}

/* `path`: "-" is standard input. */
static void check_file(struct check *check, const char *path)
{
    struct buf text;

    if (ctl_read_input("check", path, YAML_MAX_SIZE, &text))
        check_text(check, strcmp(path, "-") == 0 ? STANDARD_INPUT : path, buf_span(&text));
    else
        check->is_unreadable = true;
    buf_clear(&text);
}

static void check_dirs(struct check *check)
{
    const struct profile_dirs given = {.paths = check->dirs, .count = check->dir_count};
    const struct profile_dirs *dirs = check->dir_count ? &given : &profile_dirs_default;
    struct profile_dir_counts counts;
    struct policy *policy =
        profile_dirs_load(dirs, NULL, &names_of_system, check_add_list(check), &counts);

    check->files = counts.files;
    if (!policy) {
        check->is_unreadable = true;
        return;
    }
    check_policy(check, policy);
    policy_unref(policy);
}

/* --- what is said --- */

struct message_list {
    const struct diag **items; /* owned array */
    size_t count;
    size_t counts[3]; /* by severity */
    size_t left_out;
};

static int compare_numbers(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

/* By file and place; of one place the graver first. */
static int compare_messages(const void *left, const void *right)
{
    const struct diag *a = *(const struct diag *const *)left;
    const struct diag *b = *(const struct diag *const *)right;
    int order = strcmp(a->file, b->file);

    order = order ? order : compare_numbers(a->line, b->line);
    order = order ? order : compare_numbers(a->column, b->column);
    order = order ? order : compare_numbers(b->severity, a->severity);
    return order ? order : strcmp(a->text, b->text);
}

static void collect(const struct check *check, struct message_list *messages)
{
    *messages = (struct message_list){0};
    for (size_t i = 0; i < check->list_count; i++) {
        const struct diag_list *list = &check->lists[i];
        messages->left_out += list->left_out;
        messages->items =
            mem_resize(messages->items, messages->count + list->count + 1, sizeof *messages->items);
        for (size_t j = 0; j < list->count; j++) {
            messages->counts[list->items[j].severity]++;
            messages->items[messages->count++] = &list->items[j];
        }
    }
    if (messages->count > 0)
        qsort(messages->items, messages->count, sizeof *messages->items, compare_messages);
}

static bool is_shown(const struct check *check, const struct diag *diag)
{
    return check->is_verbose || diag->severity != DIAG_NOTE;
}

static const char *code_of(const struct diag *diag)
{
    return diag->code ? diag->code : LOADER_CODE;
}

static const char *severity_name(enum diag_severity severity)
{
    switch (severity) {
    case DIAG_NOTE:
        return "note";
    case DIAG_WARNING:
        return "warning";
    case DIAG_ERROR:
        break;
    }
    return "error";
}

/* "1 file", "2 files". */
static void print_count(const char *before, size_t count, const char *what)
{
    printf("%s%zu %s%s", before, count, what, count == 1 ? "" : "s");
}

static void print_summary(const struct check *check, const struct message_list *messages)
{
    bool hides_notes = messages->counts[DIAG_NOTE] > 0 && !check->is_verbose;

    print_count("", check->files, "file");
    print_count(", ", check->profiles, "profile");
    print_count(": ", messages->counts[DIAG_ERROR], "error");
    print_count(", ", messages->counts[DIAG_WARNING], "warning");
    print_count(", ", messages->counts[DIAG_NOTE], "note");
    printf("%s\n", hides_notes ? " (--verbose shows them)" : "");
    if (messages->left_out)
        printf("%zu further messages are not shown\n", messages->left_out);
}

static void print_text(const struct check *check, const struct message_list *messages)
{
    struct buf line;

    buf_init(&line, SIZE_MAX / 2);
    for (size_t i = 0; i < messages->count; i++) {
        if (!is_shown(check, messages->items[i]))
            continue;
        buf_reset(&line);
        diag_format(&line, messages->items[i]);
        buf_printf(&line, " [%s]\n", code_of(messages->items[i]));
        fwrite(buf_span(&line).data, 1, line.len, stdout);
    }
    buf_clear(&line);
    print_summary(check, messages);
}

static void write_message(struct json *json, const struct diag *diag)
{
    json_open_object(json);
    json_member_text(json, "file", diag->file);
    json_member_number(json, "line", diag->line);
    json_member_number(json, "column", diag->column);
    json_member_text(json, "severity", severity_name(diag->severity));
    json_member_text(json, "code", code_of(diag));
    json_member_text(json, "text", diag->text);
    json_close_object(json);
}

static void print_json(const struct check *check, const struct message_list *messages)
{
    struct json json;
    struct buf out;

    buf_init(&out, SIZE_MAX / 2);
    json_init(&json, &out);
    json_open_object(&json);
    json_member_number(&json, "files", check->files);
    json_member_number(&json, "profiles", check->profiles);
    json_member_number(&json, "errors", messages->counts[DIAG_ERROR]);
    json_member_number(&json, "warnings", messages->counts[DIAG_WARNING]);
    json_member_number(&json, "notes", messages->counts[DIAG_NOTE]);
    json_member_number(&json, "left-out", messages->left_out);
    json_key(&json, "messages");
    json_open_array(&json);
    for (size_t i = 0; i < messages->count; i++)
        if (is_shown(check, messages->items[i]))
            write_message(&json, messages->items[i]);
    json_close_array(&json);
    json_close_object(&json);
    buf_append_char(&out, '\n');
    fwrite(buf_span(&out).data, 1, out.len, stdout);
    buf_clear(&out);
}

static int check_report(const struct check *check)
{
    struct message_list messages;

    collect(check, &messages);
    if (check->is_json)
        print_json(check, &messages);
    else
        print_text(check, &messages);
    bool is_bad =
        messages.counts[DIAG_ERROR] > 0 || (check->is_strict && messages.counts[DIAG_WARNING] > 0);
    free(messages.items);
    int status = is_bad ? CTL_FAILED : EXIT_SUCCESS;
    return ctl_finish_output("check", check->is_unreadable ? CTL_USAGE : status);
}

/* --- the verb --- */

static void add_dir(struct check *check, const char *path)
{
    check->dirs = mem_resize(check->dirs, check->dir_count + 1, sizeof *check->dirs);
    check->dirs[check->dir_count++] = path;
}

/* False: wrong usage, reported. */
static bool read_options(struct check *check, int argc, char **argv)
{
    static const struct option rows[] = {
        {"profiles", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"verbose", no_argument, NULL, 'v'},
        {"werror", no_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_check, argc, argv, ":", rows, NULL)) != -1) {
        if (option == 'p')
            add_dir(check, optarg);
        else if (option == 'j')
            check->is_json = true;
        else if (option == 'v')
            check->is_verbose = true;
        else if (option == 'w')
            check->is_strict = true;
        else
            return false;
    }
    if (check->dir_count > 0 && optind < argc) {
        ctl_usage_error(argv[0], "--profiles and FILE exclude each other");
        return false;
    }
    return true;
}

static int check_run(int argc, char **argv)
{
    struct check check = {.probes = language_probes_new()};
    int status = CTL_USAGE;

    if (read_options(&check, argc, argv)) {
        if (optind == argc)
            check_dirs(&check);
        for (int i = optind; i < argc; i++)
            check_file(&check, argv[i]);
        status = check_report(&check);
    }
    check_clear(&check);
    return status;
}

const struct ctl_verb ctl_check = {
    .name = "check",
    .arguments = "[OPTION...] [FILE...]",
    .summary = "errors of profiles, and rules wider than they look",
    .options = "  --profiles DIR    a directory in place of the default ones; may be repeated\n"
               "  --json            one JSON object\n"
               "  --verbose         notes, too\n"
               "  --werror          a warning fails\n",
    .run = check_run,
};
