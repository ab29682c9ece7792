/* Which program a profile is for: AppArmor labels, executables, systemd units, and how sure one has
 * to be (design 2, 3.2).
 *
 * Names are taken as the kernel and systemd write them and compared whole. What could never match,
 * or would match more than it says, is pointed out here: the daemon cannot tell later. */
#include <string.h>

#include "ascii.h"
#include "identity.h"
#include "mem.h"
#include "path.h"
#include "profile_load_parts.h"

/* systemd's limit for names of units. */
#define UNIT_MAX_LENGTH 255

typedef void check_name(struct load *load, const struct yaml_node *item);

static void load_qualifier(struct load *load, struct qualifier *qualifier,
                           const struct yaml_node *key, const struct yaml_node *value,
                           check_name *check)
{
    if (!load_begin_list(load, key, value, &qualifier->is_present, &qualifier->where))
        return;
    qualifier->names = mem_zalloc(value->count, sizeof *qualifier->names);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *item = &value->items[i];
        if (!load_expect_item(load, key, item))
            continue;
        if (strcmp(item->text, "*") == 0)
            qualifier->is_any = true;
        else
            check(load, item);
        qualifier->names[qualifier->count++] = mem_copy_string(span_from_string(item->text));
    }
}

/* The name of a program's file without the version that many interpreters have behind it. */
static struct span program_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct span name = span_from_string(slash ? slash + 1 : path);

    while (name.len > 0 && (ascii_is_digit(name.data[name.len - 1]) ||
                            name.data[name.len - 1] == '.' || name.data[name.len - 1] == '-'))
        name.len--;
    return name;
}

/* Programs that run whatever file they are given. */
static bool is_interpreter(const char *path)
{
    static const char *const names[] = {
        "python", "pypy", "perl",   "ruby", "node",    "nodejs", "deno", "bun",   "java",
        "sh",     "bash", "dash",   "zsh",  "ksh",     "mksh",   "csh",  "tcsh",  "fish",
        "ash",    "lua",  "luajit", "php",  "tclsh",   "wish",   "gjs",  "guile", "mono",
        "awk",    "gawk", "mawk",   "erl",  "busybox", "julia",  "R",    "rakudo"};
    struct span name = program_name(path);

    if (path[0] != '/')
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equals(name, span_from_string(names[i])))
            return true;
    return span_starts_with(name, SPAN("ld-linux")) || span_starts_with(name, SPAN("ld-musl"));
}

static void warn_of_interpreter(struct load *load, const struct yaml_node *item)
{
    if (is_interpreter(item->text))
        load_warning(load, item,
                     "'%s' is an interpreter: an interpreter says nothing about the script; give "
                     "the script an AppArmor profile",
                     load_quote(load, item->text));
}

/* "NAME (enforce)", as aa-status and ps show it. */
static void check_label(struct load *load, const struct yaml_node *item)
{
    struct identity shown = {0};

    identity_set_label(&shown, item->text, strlen(item->text), EVIDENCE_NONE);
    if (shown.label_state == IDENTITY_CONFINED)
        load_warning(load, item,
                     "'%s' ends in a mode, which is no part of a profile's name; write '%s'",
                     load_quote(load, item->text), load_quote(load, shown.label));
    identity_clear(&shown);
    warn_of_interpreter(load, item);
}

void load_apparmor_profiles(struct load *load, void *target, const struct yaml_node *key,
                            const struct yaml_node *value)
{
    struct profile *profile = target;

    load_qualifier(load, &profile->apparmor_profiles, key, value, check_label);
}

static void check_executable(struct load *load, const struct yaml_node *item)
{
    if (item->text[0] != '/') {
        load_error(load, item, "the path '%s' is not absolute; begin it with /, or write '*'",
                   load_quote(load, item->text));
        return;
    }
    if (!path_is_normal(span_from_string(item->text)))
        load_error(load, item,
                   "'%s' is no path of a file as the kernel writes it; take out empty, '.' and "
                   "'..' parts and a '/' at the end",
                   load_quote(load, item->text));
    else if (strchr(item->text, '*'))
        load_warning(load, item, "'*' inside the path '%s' is a plain character; name each program",
                     load_quote(load, item->text));
    warn_of_interpreter(load, item);
}

void load_executables(struct load *load, void *target, const struct yaml_node *key,
                      const struct yaml_node *value)
{
    struct profile *profile = target;

    load_qualifier(load, &profile->executables, key, value, check_executable);
}

/* What systemd allows in names of units, and "*". */
static bool is_unit_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!ascii_is_alpha(*c) && !ascii_is_digit(*c) && !strchr(":-_.\\@*", *c))
            return false;
    return strlen(name) <= UNIT_MAX_LENGTH;
}

static void check_unit(struct load *load, const struct yaml_node *item)
{
    const char *name = item->text;

    if (!is_unit_name(name))
        load_error(load, item,
                   "'%s' is no name of a systemd unit; it has letters, digits and : - _ . \\ @ "
                   "only, and '*' for any text",
                   load_quote(load, name));
    else if (!strchr(name, '.') && name[strlen(name) - 1] != '*')
        load_warning(load, item,
                     "'%s' has no suffix and matches no unit; write the whole name, such as "
                     "%s.service",
                     load_quote(load, name), load_quote(load, name));
}

void load_units(struct load *load, void *target, const struct yaml_node *key,
                const struct yaml_node *value)
{
    struct profile *profile = target;

    load_qualifier(load, &profile->units, key, value, check_unit);
}

/* Whether the value is the first word; reports it if it is neither of the two. */
static bool load_is_first(struct load *load, const struct yaml_node *key,
                          const struct yaml_node *value, const char *first, const char *second)
{
    if (value->kind != YAML_SCALAR)
        load_error(load, value, "'%s' is %s; write %s or %s", key->text,
                   yaml_kind_text(value->kind), first, second);
    else if (strcmp(value->text, first) == 0)
        return true;
    else if (strcmp(value->text, second) != 0)
        load_error(load, value, "'%s' is '%s'; write %s or %s", key->text,
                   load_quote(load, value->text), first, second);
    return false;
}

void load_writer(struct load *load, void *target, const struct yaml_node *key,
                 const struct yaml_node *value)
{
    struct profile *profile = target;

    profile->writer_any = load_is_first(load, key, value, "any", "connector");
}

void load_apparmor_evidence(struct load *load, void *target, const struct yaml_node *key,
                            const struct yaml_node *value)
{
    struct profile *profile = target;

    profile->apparmor_evidence = load_is_first(load, key, value, "any", "kernel-only")
                                     ? PROFILE_EVIDENCE_ANY
                                     : PROFILE_EVIDENCE_KERNEL_ONLY;
}
