/* Rules, options and events of a draft.
 *
 * A part of which nothing is granted is written as comments with its heading, since a heading alone
 * would be another thing than a part that is not there. */
#include <string.h>

#include "learn_parts.h"
#include "lint_facts.h"
#include "yaml_writer.h"

#define NOTE_MAX 4096
#define SEEN_MAX 300

/* --- commands --- */

static void write_seen(const struct learn_rule *rule, struct buf *out)
{
    struct span seen = span_from_string(rule->seen);
    struct buf note;

    buf_init(&note, NOTE_MAX);
    buf_append_string(&note, "seen ");
    learn_append_times(&note, rule->count);
    buf_append_string(&note, ": ");
    buf_append(&note, span_first(seen, SEEN_MAX));
    buf_append_string(&note, seen.len > SEEN_MAX ? "..." : "");
    if (rule->varied)
        buf_printf(&note, "; generalised: %s", rule->varied);
    if (rule->why)
        buf_printf(&note, ". Left out: %s%s", rule->how, rule->why);
    if (rule->kind == LEARN_ANSWER_OK)
        buf_append_string(&note, "; answered here, since tor would exit with the application");
    if (rule->kind == LEARN_BOOTSTRAP)
        buf_append_string(&note, "; without the relay or bridge that tor may have trouble with");
    yaml_write_comment(out, 6, buf_span(&note));
    buf_clear(&note);
}

static void write_rule(const struct learn_rule *rule, struct buf *out)
{
    write_seen(rule, out);
    buf_append_string(out, rule->why ? "      # - " : "      - ");
    if (rule->kind != LEARN_PATTERN)
        buf_append_string(out, "pattern: ");
    yaml_write_text(out, span_from_string(rule->pattern));
    buf_append_char(out, '\n');
    if (rule->kind == LEARN_ANSWER_OK)
        buf_append_string(out, "        reply: ['250 OK']\n");
    if (rule->kind == LEARN_BOOTSTRAP)
        buf_append_string(
            out,
            "        response:\n"
            "          - pattern: '250-status/bootstrap-phase=[A-Z]+ BOOTSTRAP PROGRESS=([0-9]+) "
            "TAG=([a-z_]+) SUMMARY=\"([^\"]*)\"(?: .*)?'\n"
            "            replacement: '250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS={} "
            "TAG={} SUMMARY=\"{}\"'\n"
            "        unmatched-response: drop\n");
}

static bool grants_any(const struct learn_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!rules[i].why)
            return true;
    return false;
}

/* How many rules from here on are of the same command. */
static size_t same_command(const struct learn_rule *rules, size_t count)
{
    size_t same = 1;

    while (same < count && rules[same].keyword == rules[0].keyword)
        same++;
    return same;
}

void learn_write_commands(const struct learn_client *client, struct buf *out)
{
    bool is_granted = grants_any(client->rules, client->rule_count);
    size_t same;

    if (client->rule_count == 0)
        return;
    buf_append_string(out, is_granted ? "  commands:\n" : "  # commands:\n");
    for (size_t i = 0; i < client->rule_count; i += same) {
        const struct learn_rule *rules = &client->rules[i];
        const char *label = keyword_label(rules->keyword);
        same = same_command(rules, client->rule_count - i);
        buf_append_string(out, grants_any(rules, same) ? "    " : "    # ");
        buf_printf(out, label[0] == '+' ? "'%s':\n" : "%s:\n", label);
        for (size_t j = 0; j < same; j++)
            write_rule(&rules[j], out);
    }
    if (client->has_more_rules)
        learn_write_note(out, 4, "There was more than fits into a draft.");
}

/* --- options --- */

/* What of an option is granted, and why the rest is not. */
struct conf_grant {
    const char *tells; /* why it may not even be read */
    const char *does;  /* why it may not be set */
    bool is_set;
    bool has_hidden; /* values that the input does not show */
    size_t shown;
};

static struct conf_grant judge_conf(const struct learn_conf *conf)
{
    const struct option_fact *fact = option_fact_find(conf->name);
    struct conf_grant grant = {.is_set = conf->resets > 0 || conf->value_count > 0};

    for (size_t i = 0; i < conf->value_count; i++) {
        grant.shown += conf->values[i].pattern != NULL;
        grant.has_hidden = grant.has_hidden || !conf->values[i].pattern;
    }
    grant.tells = fact ? fact->tells : NULL;
    grant.does = fact && grant.is_set ? fact->does : NULL;
    return grant;
}

static bool is_granted(const struct learn_conf *conf, const struct conf_grant *grant)
{
    bool may_be_set = !grant->does && (conf->resets > 0 || grant->shown > 0);

    return !grant->tells && (conf->reads > 0 || may_be_set);
}

static void write_conf_note(const struct learn_conf *conf, const struct conf_grant *grant,
                            struct buf *out)
{
    unsigned long sets = conf->resets;
    struct buf note;

    buf_init(&note, NOTE_MAX);
    for (size_t i = 0; i < conf->value_count; i++)
        sets += conf->values[i].count;
    if (conf->reads > 0) {
        buf_append_string(&note, "read ");
        learn_append_times(&note, conf->reads);
    }
    if (sets > 0) {
        buf_append_string(&note, conf->reads > 0 ? ", set " : "set ");
        learn_append_times(&note, sets);
    }
    if (grant->tells)
        buf_printf(&note, ". Left out: it tells %s", grant->tells);
    else if (grant->does)
        buf_printf(&note, ". Setting it is left out: it %s", grant->does);
    else if (grant->has_hidden)
        buf_append_string(&note, ". Values that are not shown here are left out: write a pattern "
                                 "for them");
    if (conf->has_more)
        buf_append_string(&note, ". There were more values than fit into a draft");
    yaml_write_comment(out, 4, buf_span(&note));
    buf_clear(&note);
}

static void write_conf(const struct learn_conf *conf, struct buf *out)
{
    struct conf_grant grant = judge_conf(conf);
    bool has_values = is_granted(conf, &grant) && !grant.does;

    write_conf_note(conf, &grant, out);
    buf_printf(out, is_granted(conf, &grant) ? "    %s:\n" : "    # %s:\n", conf->name);
    if (!has_values)
        return;
    if (conf->resets > 0)
        buf_append_string(out, "      - ''\n");
    for (size_t i = 0; i < conf->value_count; i++) {
        if (!conf->values[i].pattern)
            continue;
        buf_append_string(out, "      - ");
        yaml_write_text(out, span_from_string(conf->values[i].pattern));
        buf_append_char(out, '\n');
    }
}

void learn_write_confs(const struct learn_client *client, struct buf *out)
{
    bool any = false;

    for (size_t i = 0; i < client->conf_count && !any; i++) {
        struct conf_grant grant = judge_conf(&client->confs[i]);
        any = is_granted(&client->confs[i], &grant);
    }
    if (client->conf_count > 0)
        buf_append_string(out, any ? "  confs:\n" : "  # confs:\n");
    for (size_t i = 0; i < client->conf_count; i++)
        write_conf(&client->confs[i], out);
    if (client->unknown_options > 0)
        learn_write_note(out, 4, "Options that tor does not know by these names are left out.");
}

/* --- events --- */

static bool is_of_onions(const struct learn_event *event)
{
    return strcmp(event->name, "HS_DESC") == 0 || strcmp(event->name, "HS_DESC_CONTENT") == 0;
}

static void write_event(const struct learn_event *event, struct buf *out)
{
    const struct event_fact *fact = event_fact_find(event->name);
    struct buf note;

    buf_init(&note, NOTE_MAX);
    buf_append_string(&note, "asked for ");
    learn_append_times(&note, event->count);
    if (fact)
        buf_printf(&note, ". It tells %s, so it is accepted and never delivered%s", fact->tells,
                   fact->is_of_streams ? "; if the application needs it, see tor-browser-mode"
                                       : "");
    yaml_write_comment(out, 4, buf_span(&note));
    buf_printf(out, "    %s:\n%s", event->name, fact ? "      suppress: true\n" : "");
    buf_clear(&note);
}

void learn_write_events(const struct learn_client *client, struct buf *out)
{
    bool has_heading = false;

    for (size_t i = 0; i < client->event_count; i++) {
        if (is_of_onions(&client->events[i]))
            continue;
        buf_append_string(out, has_heading ? "" : "  events:\n");
        has_heading = true;
        write_event(&client->events[i], out);
    }
    if (client->unknown_events > 0)
        learn_write_note(out, 4,
                         "Events that tor does not know are left out. A SETEVENTS that "
                         "names one is refused as a whole.");
}
