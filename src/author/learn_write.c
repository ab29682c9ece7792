/* The draft as text: who the client is, and then what it may do.
 *
 * All that depends on the input's order is sorted, so the same input gives the same text. Comments
 * hold shapes and facts, never values. */
#include "learn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "learn_parts.h"
#include "mem.h"
#include "yaml_writer.h"

#define NAME_MAX 56
#define PLACEHOLDER "CHANGE-ME"

void learn_write_note(struct buf *out, unsigned indent, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0)
        abort();
    yaml_write_comment(out, indent, span_from_string(text));
    free(text);
}

void learn_append_times(struct buf *out, unsigned long count)
{
    if (count == 1)
        buf_append_string(out, "once");
    else
        buf_printf(out, "%lu times", count);
}

/* --- who it is --- */

static struct span base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return span_from_string(slash ? slash + 1 : path);
}

/* Whether the path says nothing of the script that it runs. */
static bool is_interpreter(const char *path)
{
    static const char *const names[] = {"bash",   "dash",  "gjs",  "java", "lua",    "node",
                                        "nodejs", "perl",  "php",  "pypy", "python", "ruby",
                                        "sh",     "tclsh", "wish", "zsh",  NULL};
    struct span name = base_name(path);
    size_t len = 0;

    while (len < name.len && ascii_is_alpha(name.data[len]))
        len++;
    for (size_t i = 0; names[i]; i++)
        if (span_equals(span_first(name, len), span_from_string(names[i])))
            return true;
    return false;
}

/* What the profile is called if nobody says it. */
static struct span natural_name(const struct learn_client *client)
{
    if (client->profile[0])
        return span_from_string(client->profile);
    if (client->label[0] && !client->is_unconfined)
        return base_name(client->label);
    if (client->executable[0] && !is_interpreter(client->executable))
        return base_name(client->executable);
    return SPAN("draft");
}

static void append_name(struct buf *out, struct span name, size_t number)
{
    for (size_t i = 0; i < name.len && i < NAME_MAX; i++) {
        char c = name.data[i];
        bool is_kept = ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '_' || c == '-';
        buf_append_char(out, is_kept ? c : '-');
    }
    if (number > 1)
        buf_printf(out, "-%zu", number);
}

static void write_list(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "  %s:\n    - ", key);
    yaml_write_text(out, span_from_string(value));
    buf_append_char(out, '\n');
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (!ascii_is_printable(*text))
            return false;
    return true;
}

static void write_label(const struct learn_client *client, struct buf *out)
{
    bool has_path = client->executable[0] && is_printable(client->executable);
    bool is_script = has_path && is_interpreter(client->executable);

    if (client->label[0] && !client->is_unconfined && is_printable(client->label)) {
        write_list(out, "apparmor-profiles", client->label);
    } else if (has_path && !is_script) {
        learn_write_note(out, 2,
                         "AppArmor does not confine it, so it goes by its path, which is "
                         "weaker evidence.");
        write_list(out, "apparmor-profiles", client->is_unconfined ? client->executable : "*");
        if (!client->is_unconfined)
            write_list(out, "executables", client->executable);
    } else {
        if (is_script)
            learn_write_note(out, 2,
                             "A script shows as its interpreter, which is no evidence of "
                             "what it is: nothing but its user is asked.");
        else
            learn_write_note(out, 2, "Which program it was is not known.");
        write_list(out, "apparmor-profiles", "*");
    }
}

static void write_users(const struct learn_client *client, struct buf *out)
{
    if (client->user_count == 0) {
        learn_write_note(out, 2, "Nor whose: put the user here.");
        write_list(out, "users", PLACEHOLDER);
        return;
    }
    buf_append_string(out, "  users:\n");
    for (size_t i = 0; i < client->user_count; i++)
        buf_printf(out, "    - '%lu'\n", client->users[i]);
}

/* --- the whole --- */

static void write_grants(const struct learn_client *client, struct buf *out)
{
    learn_write_commands(client, out);
    learn_write_confs(client, out);
    learn_write_onions(client, out);
    learn_write_events(client, out);
}

bool learn_write_grants(const struct learn *learn, struct buf *out)
{
    if (learn_counts(learn).commands == 0)
        return false;
    write_grants(&learn->clients[0], out);
    return !out->overflow;
}

static void write_profile(const struct learn_client *client, struct span name, size_t number,
                          struct buf *out)
{
    buf_append_string(out, "- name: '");
    append_name(out, name, number);
    buf_append_string(out, "'\n");
    write_label(client, out);
    write_users(client, out);
    write_grants(client, out);
}

static int compare_texts(const char *a, const char *b, const char *c, const char *d)
{
    int order = strcmp(a, b);

    return order ? order : strcmp(c, d);
}

static int compare_clients(const void *left, const void *right)
{
    const struct learn_client *a = *(const struct learn_client *const *)left;
    const struct learn_client *b = *(const struct learn_client *const *)right;
    int order = strcmp(a->profile, b->profile);

    return order ? order : compare_texts(a->label, b->label, a->executable, b->executable);
}

/* The how-manieth of the clients up to this one has the name. */
static size_t name_number(const struct learn_client *const *sorted, size_t index, struct span name)
{
    size_t number = 1;

    for (size_t i = 0; i < index; i++)
        number += span_equals(natural_name(sorted[i]), name);
    return number;
}

static void write_profiles(const struct learn_client *const *sorted, size_t count, const char *name,
                           struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        struct span own = name ? span_from_string(name) : natural_name(sorted[i]);
        if (i > 0)
            buf_append_char(out, '\n');
        write_profile(sorted[i], own, name ? i + 1 : name_number(sorted, i, own), out);
    }
}

bool learn_write(const struct learn *learn, const char *name, struct buf *out)
{
    struct learn_counts counts = learn_counts(learn);
    const struct learn_client **sorted =
        mem_zalloc(learn->client_count + 1, sizeof(const struct learn_client *));

    for (size_t i = 0; i < learn->client_count; i++)
        sorted[i] = &learn->clients[i];
    qsort(sorted, learn->client_count, sizeof(const struct learn_client *), compare_clients);
    learn_write_note(out, 0,
                     "A draft by onion-graterctl learn, from %lu commands. Read it before "
                     "you use it: what an application did once may be less than it needs, "
                     "and more than it should have. Rules that are comments are left out "
                     "on purpose; each says why.",
                     counts.commands);
    if (counts.ignored > 0)
        learn_write_note(out, 0, "Lines that were no commands, or none that tor would answer: %lu",
                         counts.ignored);
    write_profiles(sorted, learn->client_count, name, out);
    free(sorted);
    return counts.commands > 0 && !out->overflow;
}
