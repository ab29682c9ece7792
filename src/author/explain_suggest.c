/* The rule that would allow a refused command, as lines of YAML.
 *
 * It allows exactly what was asked, nothing more. Before it is named it is tried: a profile with
 * nothing but these lines must load and allow the command, so that no advice is given that does not
 * help. What it would grant stands below it. Commands that hold keys get none: a key does not
 * belong into a profile. */
#include "explain_parts.h"

#include <string.h>

#include "complain.h"
#include "kvline.h"
#include "lint.h"
#include "mem.h"
#include "profile_load.h"
#include "quoted.h"
#include "words.h"

#define SUGGESTION_MAX 4096 /* bytes of arguments that make a sensible rule */

struct author {
    const struct policy_view *view;
    const struct command *command;
    const struct template_variables *variables;
    struct buf *out;
};

/* --- texts as patterns in single quotes --- */

static void append_pattern(struct buf *out, struct span text)
{
    buf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("\\^$.|?*+()[]{}", text.data[i]))
            buf_append_char(out, '\\');
        if (text.data[i] == '\'')
            buf_append_char(out, '\'');
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '\'');
}

/* --- one suggestion for each kind --- */

/* Whether the view allows one key of the command by itself, so that it needs no rule. */
static bool is_allowed_alone(const struct author *author, struct span key)
{
    struct command alone = *author->command;
    struct decision decision;

    alone.arguments = key;
    policy_decide(author->view, &alone, author->variables, &decision);
    bool is_allowed = decision.verdict != VERDICT_REFUSE;
    decision_clear(&decision);
    return is_allowed;
}

static struct span trimmed(struct span text)
{
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

static void suggest_rules(const struct author *author)
{
    struct explain_keys keys;

    buf_printf(author->out,
               author->command->is_block ? "commands:\n  '%s':\n" : "commands:\n  %s:\n",
               keyword_label(author->command->keyword));
    explain_keys_of(author->view, author->command, author->variables, &keys);
    for (size_t i = 0; i < keys.count; i++) {
        if (keys.items[i].is_allowed)
            continue;
        buf_append_string(author->out, "    - ");
        append_pattern(author->out, keys.items[i].text);
        buf_append_char(author->out, '\n');
    }
    if (keys.count == 0) {
        buf_append_string(author->out, "    - ");
        append_pattern(author->out, trimmed(author->command->arguments));
        buf_append_char(author->out, '\n');
    }
    explain_keys_clear(&keys);
}

static void append_value(struct buf *out, const struct kv_pair *pair)
{
    struct buf meaning;

    buf_init(&meaning, SUGGESTION_MAX);
    if (!pair->is_quoted)
        buf_append(&meaning, pair->value);
    else
        quoted_decode(pair->value, &meaning);
    append_pattern(out, buf_span(&meaning));
    buf_wipe(&meaning);
}

static void suggest_options(const struct author *author)
{
    struct span rest = author->command->arguments;
    struct kv_pair pair;

    buf_append_string(author->out, "confs:\n");
    while (kv_next(author->command->keyword->grammar, &rest, &pair) == KV_PAIR) {
        if (is_allowed_alone(author, pair.text))
            continue;
        buf_append_string(author->out, "  ");
        buf_append(author->out, pair.key);
        buf_append_string(author->out, ": [");
        append_value(author->out, &pair);
        buf_append_string(author->out, "]\n");
    }
}

/* GETCONF, SETEVENTS: names alone. */
static void suggest_names(const struct author *author, const char *section)
{
    struct span rest = author->command->arguments, word;

    buf_printf(author->out, "%s:\n", section);
    while (words_next(&rest, &word)) {
        if (is_allowed_alone(author, word))
            continue;
        buf_append_string(author->out, "  ");
        buf_append(author->out, word);
        buf_append_string(author->out, ":\n");
    }
}

static void write_suggestion(const struct author *author)
{
    enum keyword_id id = author->command->keyword->id;

    if (id == KEYWORD_SETEVENTS)
        suggest_names(author, "events");
    else if (id == KEYWORD_GETCONF)
        suggest_names(author, "confs");
    else if (id == KEYWORD_SETCONF || id == KEYWORD_RESETCONF)
        suggest_options(author);
    else
        suggest_rules(author);
}

/* --- does it help? --- */

static bool no_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    (void)name;
    (void)uid_out;
    return false;
}

static bool no_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    (void)name;
    (void)gid_out;
    return false;
}

/* Whether the view with this profile behind it allows the command. */
static bool allows(const struct author *author, const struct profile *profile)
{
    struct policy_view view = {.count = author->view->count + 1};
    struct decision decision;

    view.profiles = mem_zalloc(view.count, sizeof(const struct profile *));
    for (size_t i = 0; i < author->view->count; i++)
        view.profiles[i] = author->view->profiles[i];
    view.profiles[author->view->count] = profile;
    policy_decide(&view, author->command, author->variables, &decision);
    bool is_allowed = decision.verdict != VERDICT_REFUSE;
    decision_clear(&decision);
    policy_view_clear(&view);
    return is_allowed;
}

static void append_indented(struct buf *out, struct span text)
{
    while (text.len > 0) {
        size_t len = span_find(text, '\n');
        buf_append_string(out, "  ");
        buf_append(out, span_first(text, len));
        buf_append_char(out, '\n');
        text = span_from(text, len + 1);
    }
}

/* What the lines would grant, as comments below them. */
static void append_grants(const struct profile_file *file, struct buf *out)
{
    struct diag_list diags;

    diag_list_init(&diags);
    lint_file(file, &diags);
    for (size_t i = 0; i < diags.count; i++)
        if (diags.items[i].code && strncmp(diags.items[i].code, "grants-", 7) == 0)
            buf_printf(out, "# %s\n", diags.items[i].text);
    diag_list_clear(&diags);
}

static bool helps(const struct author *author)
{
    static const struct name_resolver nobody = {no_user, no_group, NULL};
    struct diag_list diags;
    struct buf text;

    buf_init(&text, EXPLAIN_MAX_TEXT);
    buf_append_string(&text, "- name: suggestion\n  apparmor-profiles: ['*']\n  users: ['*']\n");
    append_indented(&text, buf_span(author->out));
    diag_list_init(&diags);
    struct profile_file *file = profile_load("suggestion.yml", buf_span(&text), &nobody, &diags);
    bool is_help = file && file->count == 1 && allows(author, &file->profiles[0]);
    if (is_help)
        append_grants(file, author->out);
    profile_file_unref(file);
    diag_list_clear(&diags);
    buf_wipe(&text);
    return is_help;
}

/* --- advice where no rule is sensible --- */

static const char *advice_for(const struct command *command)
{
    enum keyword_id id = command->keyword->id;

    if (id == KEYWORD_ADD_ONION)
        return "onion services are best described by onions, see onion-grater-profile(5)";
    if (complain_refusal(command->keyword, command->arguments, command->data))
        return "it has power over tor itself, so no rule is proposed";
    if ((command->keyword->flags & KEYWORD_IS_SECRET) && id != KEYWORD_SETCONF &&
        id != KEYWORD_RESETCONF)
        return "it holds a key or a password, so a rule for it is yours to write";
    if (command->arguments.len > SUGGESTION_MAX || command->data.len > 0)
        return "it is too long for a rule of its own";
    return NULL;
}

void explain_suggest(const struct policy_view *view, const struct command *command,
                     const struct template_variables *variables, struct explain_hints *hints)
{
    const struct author author = {view, command, variables, &hints->suggestion};

    hints->advice = advice_for(command);
    if (hints->advice)
        return;
    write_suggestion(&author);
    if (!hints->suggestion.overflow && helps(&author))
        return;
    buf_reset(&hints->suggestion);
    hints->advice = "no rule can allow it in this form";
}
