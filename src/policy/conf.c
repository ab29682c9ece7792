/* `confs`: one option, or one option and its value, against the profiles that list it.
 *
 * tor takes the first option of its table that begins with what it was given, and knows aliases
 * (control-protocol 7.7); so names are compared whole here, and the caller sends the profile's
 * spelling. Values are judged one by one (7.8): a pattern never sees a second pair. Where several
 * profiles list an option, each may allow it; the first that does decides. */
#include "conf.h"

#include <string.h>

#include "command.h"
#include "line.h"
#include "quoted.h"

/* The forms of one value that patterns may look at. */
struct value_forms {
    struct span meaning; /* what tor will read */
    struct span written;
    bool is_written_judged;        /* written is another form, and hides nothing */
    struct pattern_budget *budget; /* for the patterns that are tried on it */
};

/* Whether a quoted value has an escape that does not stand for the character that it shows. A
 * pattern that looked at such a text would not see what it means: "\x2f" holds no slash. */
static bool hides_characters(struct span quoted)
{
    for (size_t i = 0; i < quoted.len; i++) {
        if (quoted.data[i] != '\\')
            continue;
        i++;
        if (i == quoted.len ||
            (quoted.data[i] != '\\' && quoted.data[i] != '"' && quoted.data[i] != '\''))
            return true;
    }
    return false;
}

/* Works out the forms; `storage` keeps the unquoted one. False: no pattern may allow this value. */
static bool value_read(const struct kv_pair *pair, struct buf *storage, struct value_forms *forms)
{
    forms->meaning = forms->written = pair->value;
    if (pair->is_quoted) {
        if (!quoted_decode(pair->value, storage))
            return false;
        forms->meaning = buf_span(storage);
        forms->is_written_judged = !hides_characters(pair->value);
    }
    return line_is_printable(forms->meaning);
}

static enum conf_result value_matches(const struct pattern *pattern,
                                      const struct value_forms *forms)
{
    enum pattern_result result = pattern_try(pattern, forms->meaning, forms->budget, NULL);
    bool asks_for_quotes = strchr(pattern_text(pattern), '"') != NULL;

    if (result == PATTERN_NO_MATCH && forms->is_written_judged && asks_for_quotes)
        result = pattern_try(pattern, forms->written, forms->budget, NULL);
    switch (result) {
    case PATTERN_MATCH:
        return CONF_ALLOWED;
    case PATTERN_NO_MATCH:
        return CONF_REFUSED;
    case PATTERN_LIMIT:
        break;
    }
    return CONF_LIMIT;
}

/* Judges a value by one profile's option. */
static enum conf_result rule_judges(const struct conf_rule *rule, const struct value_forms *forms)
{
    for (size_t i = 0; i < rule->count; i++) {
        enum conf_result result = value_matches(rule->values[i], forms);
        if (result != CONF_REFUSED)
            return result;
    }
    return CONF_REFUSED;
}

enum conf_result conf_may_get(const struct policy_view *view, struct span name,
                              const struct conf_rule **rule_out)
{
    *rule_out = NULL;
    for (size_t i = 0; i < view->count && !*rule_out; i++)
        *rule_out = profile_find_conf(view->profiles[i], name);
    return *rule_out ? CONF_ALLOWED : CONF_REFUSED;
}

/* Asks each profile that lists the option; `forms` NULL: the option alone. */
static enum conf_result view_judges(const struct policy_view *view, struct span name,
                                    const struct value_forms *forms,
                                    const struct conf_rule **rule_out)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct conf_rule *rule = profile_find_conf(view->profiles[i], name);
        enum conf_result result = CONF_REFUSED;
        if (!rule)
            continue;
        if (forms)
            result = rule_judges(rule, forms);
        else if (rule->may_reset)
            result = CONF_ALLOWED;
        if (result != CONF_REFUSED || !*rule_out)
            *rule_out = rule;
        if (result != CONF_REFUSED)
            return result;
    }
    return CONF_REFUSED;
}

enum conf_result conf_may_set(const struct policy_view *view, const struct kv_pair *pair,
                              struct pattern_budget *budget, const struct conf_rule **rule_out)
{
    *rule_out = NULL;
    if (!pair->has_value)
        return view_judges(view, pair->key, NULL, rule_out);

    struct buf storage;
    struct value_forms forms = {.budget = budget};
    enum conf_result result = CONF_REFUSED;
    buf_init(&storage, COMMAND_MAX_LINE);
    if (value_read(pair, &storage, &forms))
        result = view_judges(view, pair->key, &forms, rule_out);
    buf_wipe(&storage);
    return result;
}
