/* Walks a profile and asks each part's question; the answers are in lint_*.c. */
#include "lint.h"

#include <stdint.h>
#include <stdlib.h>

#include "lint_parts.h"
#include "mem.h"

#define SHOWN_TEXT 60

void lint_begin(struct lint *lint, struct language_probes *probes, struct diag_list *diags)
{
    *lint = (struct lint){.diags = diags, .probes = probes};
    for (size_t i = 0; i < LINT_QUOTES; i++)
        buf_init(&lint->quotes[i], SIZE_MAX / 2);
}

void lint_end(struct lint *lint)
{
    for (size_t i = 0; i < LINT_QUOTES; i++)
        buf_clear(&lint->quotes[i]);
}

struct language *lint_language(const struct lint *lint, const char *text,
                               enum automaton_text alphabet)
{
    struct language *language = language_new(text, alphabet);

    if (language)
        language_use_probes(language, lint->probes);
    return language;
}

const char *lint_quote(struct lint *lint, struct span text)
{
    struct buf *quote = &lint->quotes[lint->next_quote];

    lint->next_quote = (lint->next_quote + 1) % LINT_QUOTES;
    buf_reset(quote);
    buf_append(quote, span_first(text, SHOWN_TEXT));
    buf_append_string(quote, text.len > SHOWN_TEXT ? "..." : "");
    buf_append_char(quote, '\0');
    return buf_span(quote).data;
}

/* Where the profile is for other machines alone, the client's address is none of this one's. */
struct template_variables lint_variables(const struct profile *profile)
{
    bool is_remote = profile->hosts.is_present && !profile->socket.is_wanted &&
                     !(profile->users.is_present && profile->apparmor_profiles.is_present);

    return (struct template_variables){
        .client_address = is_remote ? SPAN("192.0.2.77") : SPAN("127.0.0.1"),
        .client_port = SPAN("0"),
        .server_address = is_remote ? SPAN("192.0.2.1") : SPAN("127.0.0.1"),
        .server_port = SPAN("0"),
    };
}

static void rule_open(const struct lint *lint, const struct command_rules *command,
                      const struct rule *rule, struct lint_rule *opened)
{
    const struct template_variables variables = lint_variables(lint->profile);

    *opened = (struct lint_rule){.command = command, .rule = rule};
    opened->asked = lint_language(lint, pattern_text(rule->pattern), AUTOMATON_COMMAND);
    if (!opened->asked || rule->reply)
        return;
    if (rule->replacement)
        opened->made = language_of_template(opened->asked, rule->replacement, &variables);
    opened->sent = rule->replacement ? opened->made : opened->asked;
}

static void rule_close(struct lint_rule *opened)
{
    language_free(opened->made);
    language_free(opened->asked);
}

static void lint_command(struct lint *lint, const struct command_rules *command)
{
    struct lint_rule *rules = mem_zalloc(command->count + 1, sizeof *rules);
    struct lint_entry *entries = mem_zalloc(command->count + 1, sizeof *entries);

    for (size_t i = 0; i < command->count; i++) {
        rule_open(lint, command, &command->rules[i], &rules[i]);
        entries[i] = (struct lint_entry){rules[i].rule->where, rules[i].asked};
        if (rules[i].asked)
            lint_rule(lint, &rules[i]);
    }
    lint_order(lint, entries, command->count, "rule");
    for (size_t i = 0; i < command->count; i++)
        rule_close(&rules[i]);
    free(entries);
    free(rules);
}

/* Commands that are answered without a look at the rules; the loader has said so. */
static bool is_judged(const struct keyword *keyword)
{
    return !(keyword->flags & (KEYWORD_IS_LOCAL | KEYWORD_IS_OBSOLETE)) &&
           keyword->id != KEYWORD_SETEVENTS;
}

static void lint_profile(struct lint *lint, const struct profile *profile)
{
    lint->profile = profile;
    lint_clients(lint, profile);
    for (size_t i = 0; i < profile->command_count; i++)
        if (is_judged(profile->commands[i].keyword))
            lint_command(lint, &profile->commands[i]);
    lint_confs(lint, profile);
    lint_events(lint, profile);
    if (profile->onions.is_present)
        lint_onions(lint, &profile->onions);
}

void lint_next_file(const struct profile_file *file, struct language_probes *probes,
                    struct diag_list *diags)
{
    struct lint lint;

    lint_begin(&lint, probes, diags);
    for (size_t i = 0; i < file->count; i++)
        lint_profile(&lint, &file->profiles[i]);
    lint_end(&lint);
}

void lint_file(const struct profile_file *file, struct diag_list *diags)
{
    struct language_probes *probes = language_probes_new();

    lint_next_file(file, probes, diags);
    language_probes_free(probes);
}

void lint_policy(const struct policy *policy, struct diag_list *diags)
{
    struct language_probes *probes = language_probes_new();
    struct lint lint;

    lint_begin(&lint, probes, diags);
    lint_overlaps(&lint, policy);
    lint_end(&lint);
    language_probes_free(probes);
}
