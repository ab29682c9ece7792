/* Redaction in replies, held against the forms in which tor answers (control-protocol 2.3, 2.4).
 *
 * tor writes the value of a GETINFO key in one line or in a data block, as the value happens to be,
 * and all lines of GETCONF but the last with a "-". Values as tor writes them are sent through the
 * plan that the session would use: where it changes some of them and leaves others as they are,
 * the rule has a gap. */
#include "describe.h"
#include "lint_parts.h"
#include "option.h"
#include "reply_plan.h"

#define FINGERPRINT "$0123456789ABCDEF0123456789ABCDEF01234567"
#define ONION "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"
#define CIRCUIT " BUILD_FLAGS=NEED_CAPACITY PURPOSE=GENERAL TIME_CREATED=2026-01-01T00:00:00.000000"

/* A value of a key, or one entry of it. */
static const struct info_sample {
    struct span key;
    struct span value;
    const char *what;
    bool is_list; /* several entries make a data block */
} info_samples[] = {
    {SPAN("circuit-status"), SPAN("7 BUILT " FINGERPRINT "~guard," FINGERPRINT "~exit" CIRCUIT),
     "a circuit that is BUILT", true},
    {SPAN("circuit-status"), SPAN("7 EXTENDED " FINGERPRINT "~guard" CIRCUIT),
     "a circuit that is EXTENDED", true},
    {SPAN("circuit-status"), SPAN("7 GUARD_WAIT " FINGERPRINT "~guard" CIRCUIT),
     "a circuit in GUARD_WAIT", true},
    {SPAN("circuit-status"),
     SPAN("7 BUILT " FINGERPRINT "~guard" CIRCUIT " SOCKS_USERNAME=\"a b\" SOCKS_PASSWORD=\"c\""),
     "a circuit with SOCKS credentials", true},
    {SPAN("circuit-status"),
     SPAN("7 BUILT " FINGERPRINT "~guard BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_CLIENT_REND "
          "HS_STATE=HSCR_JOINED REND_QUERY=" ONION " TIME_CREATED=2026-01-01T00:00:00.000000"),
     "a circuit to an onion site", true},
    {SPAN("stream-status"), SPAN("12 SUCCEEDED 7 www.example.com:443"),
     "a stream that is SUCCEEDED", true},
    {SPAN("stream-status"), SPAN("12 NEW 0 www.example.com:443"), "a stream that is NEW", true},
    {SPAN("stream-status"), SPAN("12 SENTCONNECT 7 www.example.com:443"), "a stream in SENTCONNECT",
     true},
    {SPAN("orconn-status"), SPAN(FINGERPRINT "~guard CONNECTED"), "a relay that is CONNECTED",
     true},
    {SPAN("orconn-status"), SPAN("198.51.100.7:443 LAUNCHED"),
     "a relay with an address in place of a name", true},
    {SPAN("entry-guards"), SPAN(FINGERPRINT "~guard up"), "a guard that is up", true},
    {SPAN("entry-guards"), SPAN(FINGERPRINT "~guard unusable 2026-01-01 00:00:00"),
     "a guard that is unusable", true},
    {SPAN("entry-guards"), SPAN(FINGERPRINT "~guard never-connected"),
     "a guard that is never-connected", true},
    {SPAN("address-mappings/all"), SPAN("www.example.com 198.51.100.7 NEVER"),
     "a mapping that never expires", true},
    {SPAN("address-mappings/all"), SPAN("www.example.com 198.51.100.7 \"2026-01-01 00:00:00\""),
     "a mapping with a date", true},
    {SPAN("onions/detached"), SPAN(ONION), "a service", true},
    {SPAN("status/bootstrap-phase"),
     SPAN("NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\""), NULL, false},
    {SPAN("status/bootstrap-phase"),
     SPAN("WARN BOOTSTRAP PROGRESS=10 TAG=conn_done SUMMARY=\"Connected to a relay\" "
          "WARNING=\"Connection refused\" REASON=CONNECTREFUSED COUNT=3 RECOMMENDATION=warn "
          "HOSTID=\"0123456789ABCDEF0123456789ABCDEF01234567\" HOSTADDR=\"198.51.100.7:443\""),
     "the WARN form, which names a relay", false},
};

static bool holds(struct span text, struct span part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (span_starts_with(span_from(text, i), part))
            return true;
    return false;
}

/* What the client gets of this reply to a command with this one key. */
static void run_plan(const struct lint_rule *rule, struct span key, struct span reply,
                     struct buf *out)
{
    const struct template_variables variables = {SPAN("127.0.0.1"), SPAN("0"), SPAN("127.0.0.1"),
                                                 SPAN("0")};
    struct reply_plan *plan = reply_plan_new(rule->command->keyword);
    struct reply_reader reader;
    struct reply_line line;

    reply_plan_add(plan, key, rule->rule);
    reply_reader_init(&reader);
    while (reply_reader_next(&reader, &reply, &line) == REPLY_LINE)
        reply_plan_feed(plan, &line, &variables, out, NULL);
    reply_reader_clear(&reader);
    reply_plan_free(plan);
}

/* Whether the value is still there behind the plan. `format` makes the reply of key and value. */
static bool value_passes(const struct lint_rule *rule, struct span key, struct span value,
                         const char *const parts[3])
{
    struct buf reply, out;

    buf_init(&reply, 16 * 1024);
    buf_init(&out, 16 * 1024);
    buf_append_string(&reply, parts[0]);
    buf_append(&reply, key);
    buf_append_string(&reply, parts[1]);
    buf_append(&reply, value);
    buf_append_string(&reply, parts[2]);
    run_plan(rule, key, buf_span(&reply), &out);
    bool passes = holds(buf_span(&out), value);
    buf_clear(&out);
    buf_clear(&reply);
    return passes;
}

static const char *const inline_form[3] = {"250-", "=", "\r\n250 OK\r\n"};
static const char *const block_form[3] = {"250+", "=\r\n", "\r\nend\r\n.\r\n250 OK\r\n"};

/* What came of the values of one key. */
struct outcome {
    bool is_changed;  /* one of them at least */
    const char *what; /* the first that passed, and in which form */
    const char *form;
};

static void try_sample(const struct lint_rule *rule, const struct info_sample *sample,
                       const char *const parts[3], const char *form, struct outcome *outcome)
{
    if (!value_passes(rule, sample->key, sample->value, parts)) {
        outcome->is_changed = true;
    } else if (sample->what && !outcome->what) {
        outcome->what = sample->what;
        outcome->form = form;
    }
}

static void lint_info_forms(struct lint *lint, const struct lint_rule *rule, struct span key)
{
    struct outcome outcome = {0};

    for (size_t i = 0; i < sizeof info_samples / sizeof *info_samples; i++) {
        const struct info_sample *sample = &info_samples[i];
        if (!span_equals(sample->key, key))
            continue;
        try_sample(rule, sample, inline_form,
                   sample->is_list ? " as the only entry, in one line with the key" : "", &outcome);
        if (sample->is_list)
            try_sample(rule, sample, block_form, " among others, in a data block", &outcome);
    }
    if (outcome.what)
        lint_warning(lint, rule->rule->where, "redaction-gap",
                     "'response' changes %s of what %s says and lets %s%s pass as it is; add a "
                     "pattern that covers the whole line, and unmatched-response: drop",
                     outcome.is_changed ? "some" : "nothing", lint_quote(lint, key), outcome.what,
                     outcome.form);
}

/* "250-Name=..." and "250 Name=...": the last line alone has the space. */
static void lint_conf_forms(struct lint *lint, const struct lint_rule *rule, const char *name)
{
    static const char *const last_form[3] = {"250 ", "=", "\r\n"};
    static const char *const middle_form[3] = {"250-", "=", "\r\n250 OK\r\n"};
    static const struct span values[] = {SPAN("obfs4 198.51.100.7:443 x"), SPAN("198.51.100.7:443"),
                                         SPAN("17"), SPAN("text")};
    struct span key = span_from_string(name);

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        bool last = value_passes(rule, key, values[i], last_form);
        if (last == value_passes(rule, key, values[i], middle_form))
            continue;
        lint_warning(lint, rule->rule->where, "redaction-gap",
                     "'response' covers '250%c%s=', but not '250%c%s=': of several values tor "
                     "writes the last with a space and the others with '-'; write '250[- ]%s=' "
                     "with a group, such as '(250[- ])'",
                     last ? '-' : ' ', name, last ? ' ' : '-', name, name);
        return;
    }
}

/* --- patterns of lines that do not exist --- */

static void append_quoted(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_printf(out, "[%s%c]", text.data[i] == '^' || text.data[i] == '\\' ? "\\" : "",
                   text.data[i]);
}

static void append_info_grammar(struct buf *out, const struct text_list *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        buf_append_string(out, "|250[-+]");
        append_quoted(out, span_from_string(keys->items[i]));
        buf_append_string(out, "=.*");
    }
}

static void append_conf_grammar(struct buf *out, const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *known = option_find(span_from_string(names->items[i]));
        buf_append_string(out, "|250[- ]");
        buf_append_string(out, known ? known : names->items[i]);
        buf_append_string(out, "(?:=.*)?");
    }
}

static void append_shape_grammar(struct buf *out, const struct keyword *keyword)
{
    if (keyword->id == KEYWORD_ADD_ONION)
        buf_append_string(out, "|250-(?:ServiceID|PrivateKey|ClientAuthV3)=.*");
    else if (keyword->reply == REPLY_SHAPE_GETINFO)
        buf_append_string(out, "|250[-+][!-~]+=.*");
    else if (keyword->reply == REPLY_SHAPE_STATUS)
        buf_append_string(out, "|2[0-9]{2} .*");
    else
        buf_append_string(out, "|2[0-9]{2}[- ].*");
}

/* `texts` has one key each, or nothing is known of the keys. */
static void make_grammar(struct buf *out, const struct keyword *keyword,
                         const struct text_list *texts)
{
    buf_append_string(out, "250 OK|250-\\(null\\)|[45][0-9]{2}[- ].*");
    if (texts->count > 0 && keyword->id == KEYWORD_GETINFO)
        append_info_grammar(out, texts);
    else if (texts->count > 0 && keyword->id == KEYWORD_GETCONF)
        append_conf_grammar(out, texts);
    else
        append_shape_grammar(out, keyword);
    buf_append_char(out, '\0');
}

static bool are_single_words(const struct text_list *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        if (span_find(span_from_string(texts->items[i]), ' ') < strlen(texts->items[i]))
            return false;
    return true;
}

#define MAX_KEYS 32

static void lint_forms(struct lint *lint, const struct lint_rule *rule,
                       const struct text_list *texts)
{
    enum keyword_id id = rule->command->keyword->id;

    for (size_t i = 0; i < texts->count; i++) {
        const char *known = option_find(span_from_string(texts->items[i]));
        if (id == KEYWORD_GETINFO)
            lint_info_forms(lint, rule, span_from_string(texts->items[i]));
        else if (id == KEYWORD_GETCONF)
            lint_conf_forms(lint, rule, known ? known : texts->items[i]);
    }
}

/* What a `reply` says of a key that it is not asked for. */
static void lint_reply_key(struct lint *lint, const struct lint_rule *rule,
                           const struct text_list *texts)
{
    struct span line = span_from_string(rule->rule->reply[0]), text = span_from(line, 4);
    struct span key = texts->count ? span_from_string(texts->items[0]) : span_make("", 0);
    bool is_value = line.len > 4 && line.data[0] == '2' && line.data[3] != ' ';

    if (rule->command->keyword->id != KEYWORD_GETINFO || texts->count != 1 || !is_value)
        return;
    if (!span_starts_with(text, key) || span_from(text, key.len).len == 0 ||
        text.data[key.len] != '=')
        lint_warning(lint, rule->rule->where, "reply-key",
                     "the answer to '%s' begins with '%s', but applications look for the key that "
                     "they asked for: '250-%s='",
                     lint_quote(lint, key), lint_quote(lint, line), lint_quote(lint, key));
}

void lint_response(struct lint *lint, const struct lint_rule *rule)
{
    const struct line_rules *rules = &rule->rule->response;
    const struct language *asked = rule->sent ? rule->sent : rule->asked;
    struct text_list texts = {0};
    struct buf grammar;

    if (rules->count == 0 && !rule->rule->reply)
        return;
    if (!language_enumerate(asked, MAX_KEYS, &texts) || !are_single_words(&texts))
        text_list_clear(&texts);
    if (rule->rule->reply) {
        lint_reply_key(lint, rule, &texts);
    } else {
        buf_init(&grammar, 64 * 1024);
        make_grammar(&grammar, rule->command->keyword, &texts);
        lint_line_rules(lint, rules, buf_span(&grammar).data,
                        keyword_label(rule->command->keyword));
        buf_clear(&grammar);
        if (!rules->drop_unmatched)
            lint_forms(lint, rule, &texts);
    }
    text_list_clear(&texts);
}
