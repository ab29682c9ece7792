/* What a policy means, worked out the slow and plain way: every rule of every profile in order, by
 * PCRE2 alone.
 *
 * The manual onion-grater-profile(5) in code, once more and by itself, as far as something that
 * must not happen can follow from it. Of the program's own it uses what other targets of this
 * folder are for: templates, values in quotes, ADD_ONION as a set. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "session_reference_parts.h"

#include <pcre2.h>
#include <stdlib.h>
#include <strings.h>

#include "add_onion.h"
#include "mem.h"
#include "quoted.h"
#include "session_harness.h"

/* --- patterns --- */

static struct cached {
    const struct pattern *pattern;
    pcre2_code *code;
} * cache;
static size_t cache_count;

void reference_forget(void)
{
    for (size_t i = 0; i < cache_count; i++)
        pcre2_code_free(cache[i].code);
    free(cache);
    cache = NULL;
    cache_count = 0;
}

static pcre2_code *compile(const struct pattern *pattern)
{
    int number;
    PCRE2_SIZE offset;

    for (size_t i = 0; i < cache_count; i++)
        if (cache[i].pattern == pattern)
            return cache[i].code;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern_text(pattern), PCRE2_ZERO_TERMINATED,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_UTF, &number, &offset, NULL);
    ORACLE(code, "a pattern that loads and does not compile");
    cache = mem_resize(cache, cache_count + 1, sizeof *cache);
    cache[cache_count++] = (struct cached){pattern, code};
    return code;
}

static void copy_groups(pcre2_match_data *data, uint32_t count, struct span subject,
                        struct captures *captures)
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);

    *captures = (struct captures){.count = count};
    for (uint32_t i = 0; i < count; i++)
        if (offsets[2 * i + 2] != PCRE2_UNSET)
            captures->groups[i] = span_make(subject.data + offsets[2 * i + 2],
                                            offsets[2 * i + 3] - offsets[2 * i + 2]);
}

/* One that gives up does not match: what then follows claims less, or is refused, too. */
static bool matches(const struct pattern *pattern, struct span subject, struct captures *captures)
{
    pcre2_code *code = compile(pattern);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    uint32_t count;
    bool is_match = pcre2_match(code, (PCRE2_SPTR)(subject.len ? subject.data : ""), subject.len, 0,
                                0, data, NULL) > 0;

    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &count);
    if (is_match)
        copy_groups(data, count, subject, captures);
    pcre2_match_data_free(data);
    return is_match;
}

/* --- one text and the rules of commands --- */

enum outcome {
    OUTCOME_UNMATCHED,
    OUTCOME_LOCAL, /* the profile answers it */
    OUTCOME_SENT,
};

static enum outcome apply_rule(const struct rule *rule, struct span text, struct buf *out,
                               bool *is_match)
{
    struct captures captures;

    *is_match = matches(rule->pattern, text, &captures);
    if (!*is_match)
        return OUTCOME_UNMATCHED;
    if (rule->reply)
        return OUTCOME_LOCAL;
    if (rule->replacement)
        template_expand(rule->replacement, &captures, &harness_variables, out);
    else
        buf_append(out, text);
    return OUTCOME_SENT;
}

static enum outcome apply_profile(const struct profile *profile, enum keyword_id id,
                                  struct span text, struct buf *out, const struct rule **rule_out)
{
    bool is_match = false;

    for (size_t i = 0; i < profile->command_count; i++) {
        const struct command_rules *command = &profile->commands[i];
        for (size_t j = 0; command->keyword->id == id && j < command->count; j++) {
            enum outcome outcome = apply_rule(&command->rules[j], text, out, &is_match);
            *rule_out = &command->rules[j];
            if (is_match)
                return outcome;
        }
    }
    return OUTCOME_UNMATCHED;
}

static enum outcome apply_view(const struct policy_view *view, enum keyword_id id, struct span text,
                               struct buf *out, const struct rule **rule_out)
{
    enum outcome outcome = OUTCOME_UNMATCHED;

    for (size_t i = 0; i < view->count && outcome == OUTCOME_UNMATCHED; i++)
        outcome = apply_profile(view->profiles[i], id, text, out, rule_out);
    return outcome;
}

/* --- what a command comes to --- */

void reference_clear(struct reference *reference)
{
    free(reference->rules);
    *reference = (struct reference){0};
}

void reference_note_rule(struct reference *reference, const struct rule *rule)
{
    reference->rules = mem_resize(reference->rules, reference->count + 1, sizeof(struct rule *));
    reference->rules[reference->count++] = rule;
}

static struct span without_spaces_in_front(struct span text)
{
    while (text.len > 0 && text.data[0] == ' ')
        text = span_from(text, 1);
    return text;
}

static struct span trimmed(struct span text)
{
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* Whether that text, which a rule made, is what was sent. */
static bool is_sent(const struct judge *judge, struct span text)
{
    struct add_onion_facts facts;
    struct buf canonical;

    text = without_spaces_in_front(text);
    if (judge->command->keyword->id != KEYWORD_ADD_ONION)
        return span_equals(text, judge->sent);
    buf_init(&canonical, COMMAND_MAX_LINE);
    bool is_same = add_onion_canonical(text, &canonical, &facts) == TARGET_OK &&
                   span_equals(buf_span(&canonical), judge->sent);
    buf_clear(&canonical);
    return is_same;
}

/* The whole text by one profile, or by all of them. True: a rule matched, and has decided. */
static bool judge_text(const struct judge *judge, const struct profile *profile, struct span text,
                       bool *is_allowed)
{
    enum keyword_id id = judge->command->keyword->id;
    const struct rule *rule = NULL;
    struct buf out;

    buf_init(&out, COMMAND_MAX_LINE);
    enum outcome outcome = profile ? apply_profile(profile, id, text, &out, &rule)
                                   : apply_view(judge->view, id, text, &out, &rule);
    *is_allowed = outcome == OUTCOME_SENT && is_sent(judge, buf_span(&out));
    if (*is_allowed) {
        reference_clear(judge->reference);
        judge->reference->is_known = judge->reference->is_whole = true;
        reference_note_rule(judge->reference, rule);
    }
    buf_clear(&out);
    return outcome != OUTCOME_UNMATCHED;
}

bool reference_judge_whole(const struct judge *judge, const struct profile *profile,
                           bool *is_allowed)
{
    struct span text = judge->command->arguments, short_text = trimmed(text);

    return judge_text(judge, profile, text, is_allowed) ||
           (short_text.len < text.len && judge_text(judge, profile, short_text, is_allowed));
}

/* --- keys and options --- */

struct item {
    struct span text, key, value;
    bool has_value;
};

static size_t length_in_quotes(struct span text)
{
    size_t i = 1;

    while (i < text.len && text.data[i] != '"')
        i += text.data[i] == '\\' ? 2 : 1;
    return i < text.len ? i + 1 : text.len;
}

/* Takes the next word off, or for SETCONF and RESETCONF the next pair. */
static bool next_item(enum keyword_id id, struct span *rest, struct item *item)
{
    bool has_pairs = id == KEYWORD_SETCONF || id == KEYWORD_RESETCONF;
    struct span text = without_spaces_in_front(*rest);
    size_t len = span_find(text, ' '), equals = span_find(span_first(text, len), '=');

    *item = (struct item){.text = text, .key = span_first(text, len)};
    if (has_pairs && equals < len) {
        struct span value = span_from(text, equals + 1);
        bool is_quoted = value.len > 0 && value.data[0] == '"';
        item->has_value = true;
        item->key = span_first(text, equals);
        item->value = span_first(value, is_quoted ? length_in_quotes(value) : len - equals - 1);
        len = equals + 1 + item->value.len;
    }
    item->text = span_first(text, len);
    *rest = span_from(text, len);
    return len > 0;
}

static bool is_simply_quoted(struct span value)
{
    for (size_t i = 0; i + 1 < value.len; i++) {
        if (value.data[i] != '\\')
            continue;
        if (!memchr("\\\"'", value.data[++i], 3))
            return false;
    }
    return true;
}

static bool value_is_allowed(const struct conf_rule *rule, struct span value)
{
    bool is_quoted = value.len > 0 && value.data[0] == '"';
    struct captures unused;
    struct buf meaning;
    bool is_allowed = false;

    buf_init(&meaning, COMMAND_MAX_LINE);
    if (!is_quoted)
        buf_append(&meaning, value);
    else if (!quoted_decode(value, &meaning))
        return false;
    for (size_t i = 0; i < rule->count && !is_allowed; i++) {
        const struct pattern *pattern = rule->values[i];
        is_allowed = matches(pattern, buf_span(&meaning), &unused) ||
                     (is_quoted && strchr(pattern_text(pattern), '"') && is_simply_quoted(value) &&
                      matches(pattern, value, &unused));
    }
    buf_clear(&meaning);
    return is_allowed;
}

/* Appends the option as it would be sent. */
static bool apply_confs(const struct judge *judge, const struct item *item, struct buf *out)
{
    bool sets = judge->command->keyword->id != KEYWORD_GETCONF;

    for (size_t i = 0; i < judge->view->count; i++) {
        const struct profile *profile = judge->view->profiles[i];
        for (size_t j = 0; j < profile->conf_count; j++) {
            const struct conf_rule *rule = &profile->confs[j];
            bool is_allowed =
                !sets || (item->has_value ? value_is_allowed(rule, item->value) : rule->may_reset);
            if (strlen(rule->name) != item->key.len ||
                strncasecmp(rule->name, item->key.data, item->key.len) != 0 || !is_allowed)
                continue;
            buf_append_string(out, rule->name);
            if (item->has_value)
                buf_append_char(out, '=');
            return buf_append(out, item->value);
        }
    }
    return false;
}

/* Appends what becomes of one key. False: nothing allows it. */
static bool apply_key(const struct judge *judge, const struct item *item, struct buf *out)
{
    enum keyword_id id = judge->command->keyword->id;
    const struct rule *rule = NULL;
    enum outcome outcome = OUTCOME_UNMATCHED;

    if (out->len > 0)
        buf_append_char(out, ' ');
    size_t len = out->len;
    if (id != KEYWORD_SETCONF)
        outcome = apply_view(judge->view, id, item->text, out, &rule);
    if (outcome == OUTCOME_UNMATCHED && id != KEYWORD_GETINFO && apply_confs(judge, item, out)) {
        outcome = OUTCOME_SENT;
        rule = NULL;
    }
    if (outcome == OUTCOME_UNMATCHED && judge->view->complain) {
        buf_append(out, item->text);
        outcome = OUTCOME_SENT;
        rule = NULL;
    }
    if (outcome == OUTCOME_SENT)
        reference_note_rule(judge->reference, rule);
    else
        buf_truncate(out, len > 0 ? len - 1 : 0);
    return outcome != OUTCOME_UNMATCHED;
}

static bool judge_items(const struct judge *judge)
{
    struct span rest = judge->command->arguments;
    struct item item;
    struct buf out;
    bool is_allowed = true;

    reference_clear(judge->reference);
    buf_init(&out, COMMAND_MAX_LINE);
    while (is_allowed && next_item(judge->command->keyword->id, &rest, &item))
        is_allowed = apply_key(judge, &item, &out);
    is_allowed = is_allowed && span_equals(buf_span(&out), judge->sent);
    judge->reference->is_known = is_allowed;
    buf_clear(&out);
    return is_allowed;
}

/* --- complain mode --- */

/* Whether a line of options begins with one that would open tor to others. */
static bool is_guarded(struct span text)
{
    static const char *const names[] = {"ControlPort",           "ControlSocket",
                                        "HashedControlPassword", "ServerTransportPlugin",
                                        "ClientTransportPlugin", "HiddenServiceDir",
                                        "HiddenServicePort",     "DataDirectory"};

    text = without_spaces_in_front(text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text.len >= strlen(names[i]) && strncasecmp(text.data, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static bool complain_may_send(const struct judge *judge)
{
    enum keyword_id id = judge->command->keyword->id;
    struct span rest = judge->sent, data = judge->command->data;
    struct item item;

    if (id == KEYWORD_TAKEOWNERSHIP)
        return false;
    if (id == KEYWORD_SIGNAL)
        for (const char *const *name =
                 (const char *const[]){"HALT", "TERM", "INT", "SHUTDOWN", NULL};
             *name; name++)
            if (span_equals_nocase(trimmed(rest), span_from_string(*name)))
                return false;
    while ((id == KEYWORD_SETCONF || id == KEYWORD_RESETCONF) && next_item(id, &rest, &item))
        if (is_guarded(item.key))
            return false;
    while (id == KEYWORD_LOADCONF && data.len > 0) {
        if (is_guarded(data))
            return false;
        data = span_from(data, span_find(data, '\n') + 1);
    }
    return true;
}

bool reference_allows(const struct policy_view *view, const struct command *command,
                      struct span sent, struct reference *reference_out)
{
    const struct judge judge = {view, command, sent, reference_out};
    enum keyword_id id = command->keyword->id;
    bool is_of_onions = false, is_allowed = false;

    *reference_out = (struct reference){0};
    for (size_t i = 0; i < view->count; i++)
        is_of_onions |= reference_has_key_for(&view->profiles[i]->onions, id);
    if (is_of_onions)
        is_allowed = reference_judge_onions(&judge);
    else if (!reference_judge_whole(&judge, NULL, &is_allowed) &&
             ((command->keyword->flags & KEYWORD_HAS_KEYS) || id == KEYWORD_SETCONF))
        is_allowed = judge_items(&judge);
    if (is_allowed) {
        /* Complain mode stands behind what is not the client's own. */
        reference_out->must_own &= !view->complain;
        if (view->complain)
            reference_out->max_services = 0;
        return true;
    }
    reference_clear(reference_out);
    return view->complain && complain_may_send(&judge);
}

/* --- what the client may see --- */

static bool holds(struct span text, struct span secret)
{
    return text.len > 0 && memmem(text.data, text.len, secret.data, secret.len);
}

/* What the list makes of the line: shown with the secret, or not; or that nothing in it matches. */
static bool find_line(const struct line_rules *rules, struct span wire, struct span secret,
                      bool *is_shown)
{
    struct captures captures;
    struct buf out;

    for (size_t i = 0; i < rules->count; i++) {
        if (!matches(rules->items[i].pattern, wire, &captures))
            continue;
        buf_init(&out, REPLY_MAX_LINE);
        template_expand(rules->items[i].replacement, &captures, &harness_variables, &out);
        *is_shown = holds(buf_span(&out), secret);
        buf_clear(&out);
        return true;
    }
    return false;
}

bool reference_shows_reply(const struct reference *reference, size_t key, struct span wire,
                           struct span secret)
{
    size_t index = reference->is_whole ? 0 : key;
    bool is_shown = true;

    if (!reference->is_known || index >= reference->count)
        return true;
    const struct rule *rule = reference->rules[index];
    if (!rule)
        return !reference->hides_key;
    if (!find_line(&rule->response, wire, secret, &is_shown))
        is_shown = !rule->response.drop_unmatched;
    return is_shown;
}

bool reference_shows_event(const struct event_rule *rule, bool is_first, struct span wire,
                           struct span secret)
{
    bool is_shown = false;

    if (!rule || rule->suppress || rule->own_onions_only)
        return false;
    if (!find_line(&rule->response, wire, secret, &is_shown)) {
        is_shown = is_first ? !rule->response.drop_unmatched : rule->response.count == 0;
        is_shown &= !rule->response.drop_unmatched || is_first;
    }
    return is_shown;
}
