/* What is to become of the reply to one command.
 *
 * A reply that does not have the command's own shape (control-protocol 1.6, 2.3, 2.4) may be the
 * reply to another command, and rules would then hit the wrong text (7.6): nothing of it is passed
 * on and the session ends. GETINFO answers key by key in the order asked, and lines of GETCONF
 * begin with the option's name: there each line is given to the rule of its key. Lines that cannot
 * be attributed meet every rule of the command. tor answers one GETINFO key in one line or in a
 * data block as the value happens to be, so a rule that hides the one must not let the other pass.
 * Lines are passed on as they come: a reply has no maximum. */
#include "reply_plan.h"

#include <stdlib.h>

#include "mem.h"
#include "rewrite.h"

enum plan_state {
    PLAN_FIRST,   /* no line seen */
    PLAN_SUCCESS, /* in a 2xx reply */
    PLAN_ERROR,   /* in a 4xx or 5xx reply */
    PLAN_OVER,    /* last line seen, or misfit */
};

#define PLAN_BLOCK 32 /* what a small block of memory takes beside its bytes, at most */

struct plan_part {
    char *key; /* owned */
    size_t key_len;
    const struct rule *rule;
};

/* Response lists that are tried in order, each once. */
struct plan_rules {
    const struct line_rules **lists; /* owned */
    size_t count;
    bool drop_unmatched;
};

struct reply_plan {
    const struct keyword *keyword;
    struct plan_part first;  /* most plans have one part */
    struct plan_part *parts; /* that one, or an array of its own */
    size_t count;
    size_t room;
    size_t keys_held; /* bytes of memory of the keys */
    struct plan_rules all;
    bool has_whole; /* a part without key: what tor sends cannot be told apart by key */
    enum plan_state state;
    bool in_data;
    bool drops_block;            /* its "NNN+" line was left out */
    size_t next;                 /* the first part that has not had its turn in the reply */
    const struct rule *key_rule; /* GETINFO by key: the rule of the key that is being answered */
    struct plan_rules own;       /* GETCONF: those of the option that is being answered */
    const struct line_rule *last_rule; /* what matched the line that was fed last, or NULL */
    struct buf scratch;
    struct buf probe;     /* of a data block: its key's line in the inline form */
    size_t probe_key_len; /* of it: "250-KEY=" */
};

struct reply_plan *reply_plan_new(const struct keyword *keyword)
{
    struct reply_plan *plan = mem_zalloc(1, sizeof(*plan));

    plan->keyword = keyword;
    plan->parts = &plan->first;
    plan->room = 1;
    buf_init(&plan->scratch, REPLY_MAX_LINE);
    buf_init(&plan->probe, 2 * REPLY_MAX_LINE);
    return plan;
}

void reply_plan_free(struct reply_plan *plan)
{
    if (!plan)
        return;
    /* Of SETCONF it is an option with its value. */
    for (size_t i = 0; i < plan->count; i++) {
        mem_wipe(plan->parts[i].key, plan->parts[i].key_len);
        free(plan->parts[i].key);
    }
    if (plan->parts != &plan->first)
        free(plan->parts);
    free(plan->all.lists);
    free(plan->own.lists);
    buf_wipe(&plan->scratch);
    buf_wipe(&plan->probe);
    free(plan);
}

size_t reply_plan_held(const struct reply_plan *plan)
{
    return sizeof *plan + plan->room * sizeof plan->parts[0] + plan->keys_held +
           (plan->all.count + plan->own.count) * sizeof plan->all.lists[0] + plan->scratch.cap +
           plan->probe.cap;
}

static bool plan_part_is_local(const struct plan_part *part)
{
    return part->rule && part->rule->reply;
}

/* A list that several parts share is tried once: a client that repeats keys gains no work. */
static void plan_rules_add(struct plan_rules *rules, const struct line_rules *list)
{
    if (list->count == 0 && !list->drop_unmatched)
        return;
    for (size_t i = 0; i < rules->count; i++)
        if (rules->lists[i] == list)
            return;
    rules->lists = mem_resize(rules->lists, rules->count + 1, sizeof(rules->lists[0]));
    rules->lists[rules->count++] = list;
    rules->drop_unmatched = rules->drop_unmatched || list->drop_unmatched;
}

static void plan_grow(struct reply_plan *plan)
{
    bool is_first = plan->parts == &plan->first;

    plan->room *= 2;
    plan->parts = mem_resize(is_first ? NULL : plan->parts, plan->room, sizeof(plan->parts[0]));
    if (is_first)
        plan->parts[0] = plan->first;
}

void reply_plan_add(struct reply_plan *plan, struct span sent_key, const struct rule *rule)
{
    if (plan->count == plan->room)
        plan_grow(plan);
    struct plan_part *part = &plan->parts[plan->count++];
    *part = (struct plan_part){
        .key = mem_copy_string(sent_key),
        .key_len = sent_key.len,
        .rule = rule,
    };
    plan->keys_held += sent_key.len + PLAN_BLOCK;
    if (plan_part_is_local(part))
        return;
    plan->has_whole = plan->has_whole || sent_key.len == 0;
    if (rule)
        plan_rules_add(&plan->all, &rule->response);
}

/* --- what the profile answers itself --- */

/* The kind of the next line of a `reply`; the loader has checked its framing. */
static bool plan_read_local(const char *text, bool *in_data, struct reply_line *line_out)
{
    struct span wire = span_from_string(text);

    if (*in_data) {
        *in_data = !span_equals(wire, SPAN("."));
        *line_out = (struct reply_line){
            .kind = *in_data ? REPLY_DATA_LINE : REPLY_DATA_END,
            .wire = wire,
            .text = wire,
        };
        return true;
    }
    if (!reply_parse_line(wire, line_out))
        return false;
    *in_data = line_out->kind == REPLY_DATA;
    return true;
}

static bool plan_part_is_error(const struct plan_part *part)
{
    struct reply_line line;
    bool in_data = false;

    if (!plan_part_is_local(part))
        return false;
    for (size_t i = 0; i < part->rule->reply_count; i++)
        if (plan_read_local(part->rule->reply[i], &in_data, &line) && line.kind == REPLY_END)
            return line.code / 100 != 2;
    return false;
}

/* The first part whose own answer is an error, or NULL. */
static const struct plan_part *plan_find_error(const struct reply_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan_part_is_error(&plan->parts[i]))
            return &plan->parts[i];
    return NULL;
}

static bool plan_is_all_local(const struct reply_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!plan_part_is_local(&plan->parts[i]))
            return false;
    return plan->count > 0;
}

bool reply_plan_is_local(const struct reply_plan *plan)
{
    return plan_is_all_local(plan) || plan_find_error(plan);
}

static void plan_write_verbatim(const struct plan_part *part, struct buf *out)
{
    for (size_t i = 0; i < part->rule->reply_count; i++)
        reply_write(out, span_from_string(part->rule->reply[i]));
}

/* The part's lines without its last one, which stands for the whole reply. */
static void plan_write_info(const struct plan_part *part, struct buf *out)
{
    struct reply_line line;
    bool in_data = false;

    for (size_t i = 0; i < part->rule->reply_count; i++)
        if (plan_read_local(part->rule->reply[i], &in_data, &line) && line.kind != REPLY_END)
            reply_write(out, line.wire);
}

static void plan_write_separated(struct buf *out, const struct reply_line *line, char separator)
{
    buf_append(out, span_first(line->wire, 3));
    buf_append_char(out, separator);
    reply_write(out, line->text);
}

/* GETCONF has its last value on the last line, so one line is kept back until it is known whether
 * more follow. A bare "250 OK" is no value. */
static void plan_write_conf(const struct plan_part *part, struct reply_line *kept, struct buf *out)
{
    struct reply_line line;
    bool in_data = false;

    for (size_t i = 0; i < part->rule->reply_count; i++) {
        if (!plan_read_local(part->rule->reply[i], &in_data, &line))
            continue;
        if (line.kind == REPLY_END && span_equals(line.text, SPAN("OK")))
            continue;
        if (kept->wire.data)
            plan_write_separated(out, kept, '-');
        *kept = (struct reply_line){0};
        if (line.kind == REPLY_MID || line.kind == REPLY_END)
            *kept = line;
        else
            reply_write(out, line.wire);
    }
}

static void plan_answer_info(const struct reply_plan *plan, struct buf *out)
{
    for (size_t i = 0; i < plan->count; i++)
        plan_write_info(&plan->parts[i], out);
    reply_write(out, SPAN("250 OK"));
}

static void plan_answer_conf(const struct reply_plan *plan, struct buf *out)
{
    struct reply_line kept = {0};

    for (size_t i = 0; i < plan->count; i++)
        plan_write_conf(&plan->parts[i], &kept, out);
    if (kept.wire.data)
        plan_write_separated(out, &kept, ' ');
    else
        reply_write(out, SPAN("250 OK"));
}

void reply_plan_answer(const struct reply_plan *plan, struct buf *out)
{
    const struct plan_part *error = plan_find_error(plan);

    if (error)
        plan_write_verbatim(error, out);
    else if (!plan_is_all_local(plan))
        return;
    else if (plan->count > 1 && plan->keyword->reply == REPLY_SHAPE_GETINFO)
        plan_answer_info(plan, out);
    else if (plan->count > 1 && plan->keyword->reply == REPLY_SHAPE_GETCONF)
        plan_answer_conf(plan, out);
    else
        plan_write_verbatim(&plan->parts[0], out);
}

/* --- does the line fit the command? --- */

static size_t plan_next_sent(const struct reply_plan *plan)
{
    size_t i = plan->next;

    while (i < plan->count && plan_part_is_local(&plan->parts[i]))
        i++;
    return i;
}

/* "key=value", "key=" before a block, or what tor makes of an echo that it cannot print. */
static bool plan_is_echo(const struct reply_line *line, struct span key)
{
    if (line->kind == REPLY_MID && span_equals(line->text, SPAN("(null)")))
        return true;
    if (!span_starts_with(line->text, key) || line->text.len == key.len ||
        line->text.data[key.len] != '=')
        return false;
    return line->kind == REPLY_MID || line->text.len == key.len + 1;
}

static bool plan_fits_info(const struct reply_plan *plan, const struct reply_line *line)
{
    size_t sent = plan_next_sent(plan);

    if (line->code != 250)
        return false;
    if (line->kind == REPLY_END)
        return span_equals(line->text, SPAN("OK")) && (plan->has_whole || sent == plan->count);
    if (plan->has_whole) {
        /* A block's key ends at its last "=", which is the line's last byte. */
        size_t key = line->kind == REPLY_DATA ? line->text.len - (line->text.len > 0)
                                              : span_find(line->text, '=');
        return plan_is_echo(line, span_first(line->text, key));
    }
    return sent < plan->count &&
           plan_is_echo(line, span_make(plan->parts[sent].key, plan->parts[sent].key_len));
}

static bool plan_fits_success(const struct reply_plan *plan, const struct reply_line *line)
{
    switch (plan->keyword->reply) {
    case REPLY_SHAPE_STATUS:
        return line->kind == REPLY_END;
    case REPLY_SHAPE_GETINFO:
        return plan_fits_info(plan, line);
    case REPLY_SHAPE_GETCONF:
    case REPLY_SHAPE_LINES:
        return line->kind != REPLY_DATA;
    }
    return false;
}

static bool plan_fits(const struct reply_plan *plan, const struct reply_line *line)
{
    bool is_data = line->kind == REPLY_DATA_LINE || line->kind == REPLY_DATA_END;
    bool is_error = line->code / 100 == 4 || line->code / 100 == 5;

    if (plan->state == PLAN_OVER || is_data != plan->in_data)
        return false;
    if (is_data)
        return true;
    if (!is_error && line->code / 100 != 2)
        return false;
    /* MAPADDRESS alone answers pair by pair, good and bad mixed (control-protocol 1.6). */
    if (plan->keyword->reply != REPLY_SHAPE_LINES && plan->state != PLAN_FIRST &&
        (plan->state == PLAN_ERROR) != is_error)
        return false;
    return is_error ? line->kind != REPLY_DATA : plan_fits_success(plan, line);
}

/* --- what the client gets of it --- */

static enum rewrite_result plan_try(struct reply_plan *plan, const struct plan_rules *rules,
                                    const struct reply_line *line,
                                    const struct template_variables *variables)
{
    for (size_t i = 0; i < rules->count; i++) {
        enum rewrite_result result =
            rewrite_line_by(rules->lists[i], line, variables, &plan->scratch, &plan->last_rule);
        if (result != REWRITE_UNMATCHED)
            return result;
    }
    return REWRITE_UNMATCHED;
}

/* A reply must end: where its last line is not for the client, one that says nothing takes its
 * place. */
static void plan_write_end(const struct reply_line *line, struct buf *out)
{
    if (line->code / 100 == 2)
        reply_write(out, SPAN("250 OK"));
    else
        buf_printf(out, "%03u Filtered\r\n", line->code);
}

/* What the rules make of the block's key with this value, had tor written it in one line. */
static enum rewrite_result plan_try_inline(struct reply_plan *plan, const struct plan_rules *rules,
                                           struct span value,
                                           const struct template_variables *variables)
{
    buf_truncate(&plan->probe, plan->probe_key_len);
    if (!buf_append(&plan->probe, value))
        return REWRITE_WITHHOLD;
    struct span wire = buf_span(&plan->probe);
    /* All that fits a block is a success. A block's lines may hold what no other line may, so the
     * line is not read, but made. */
    const struct reply_line line = {REPLY_MID, 250, wire, span_from(wire, 4)};
    return plan_try(plan, rules, &line, variables);
}

/* "250+KEY=", which no pattern matched. A pattern for "250-KEY=..." means the value of this key, in
 * whatever form it comes: its line takes the place of the block. False: there is none. */
static bool plan_pass_as_inline(struct reply_plan *plan, const struct plan_rules *rules,
                                const struct reply_line *line,
                                const struct template_variables *variables, struct buf *out)
{
    static const struct span values[] = {SPAN(""), SPAN("x")};
    enum rewrite_result result = REWRITE_UNMATCHED;

    buf_reset(&plan->probe);
    buf_append(&plan->probe, span_first(line->wire, 3));
    buf_append_char(&plan->probe, '-');
    buf_append(&plan->probe, line->text);
    plan->probe_key_len = plan->probe.len;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]) && result == REWRITE_UNMATCHED; i++)
        result = plan_try_inline(plan, rules, values[i], variables);
    if (result == REWRITE_UNMATCHED)
        return false;
    if (result == REWRITE_LINE)
        reply_write(out, buf_span(&plan->scratch));
    plan->drops_block = true;
    return true;
}

/* Whether a line of a block that no pattern matched is one that a pattern for the inline form would
 * have: it is left out. */
static bool plan_hides_inline(struct reply_plan *plan, const struct plan_rules *rules,
                              const struct reply_line *line,
                              const struct template_variables *variables)
{
    bool has_doubled_dot = span_starts_with(line->wire, SPAN(".."));
    struct span value = span_from(line->wire, has_doubled_dot);

    return rules->count > 0 && plan_try_inline(plan, rules, value, variables) != REWRITE_UNMATCHED;
}

/* Puts one line through the rules. */
static void plan_pass(struct reply_plan *plan, const struct plan_rules *rules,
                      const struct reply_line *line, const struct template_variables *variables,
                      struct buf *out)
{
    enum rewrite_result result = plan_try(plan, rules, line, variables);
    bool is_ok = line->kind == REPLY_END && span_equals(line->wire, SPAN("250 OK"));
    bool is_kept = result == REWRITE_UNMATCHED && (!rules->drop_unmatched || is_ok);

    if (result == REWRITE_UNMATCHED && line->kind == REPLY_DATA &&
        plan_pass_as_inline(plan, rules, line, variables, out))
        return;
    if (is_kept && line->kind == REPLY_DATA_LINE)
        is_kept = !plan_hides_inline(plan, rules, line, variables);
    if (is_kept)
        reply_write(out, line->wire);
    else if (result == REWRITE_LINE)
        reply_write(out, buf_span(&plan->scratch));
    else if (line->kind == REPLY_END)
        plan_write_end(line, out);
    else if (line->kind == REPLY_DATA)
        plan->drops_block = true;
}

/* "Name=value", or "Name" for the default: the rules of the parts that asked for this option.
 * False: none did; tor has other names for some options, and answers some with several others. */
static bool plan_find_option(struct reply_plan *plan, const struct reply_line *line)
{
    struct span name = span_first(line->text, span_find(line->text, '='));
    bool is_asked = false;

    plan->own.count = 0;
    plan->own.drop_unmatched = false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_part *part = &plan->parts[i];
        if (plan_part_is_local(part) ||
            !span_equals_nocase(name, span_make(part->key, part->key_len)))
            continue;
        is_asked = true;
        if (part->rule)
            plan_rules_add(&plan->own, &part->rule->response);
    }
    return is_asked;
}

/* As plan_pass, by the rule of the key that is being answered, or by all of them. */
static void plan_pass_part(struct reply_plan *plan, const struct reply_line *line,
                           const struct template_variables *variables, struct buf *out)
{
    bool is_by_key = plan->keyword->reply == REPLY_SHAPE_GETINFO && !plan->has_whole &&
                     plan->state == PLAN_SUCCESS && line->kind != REPLY_END;
    bool is_option = plan->keyword->reply == REPLY_SHAPE_GETCONF && plan->state == PLAN_SUCCESS;

    if (is_option && plan_find_option(plan, line)) {
        plan_pass(plan, &plan->own, line, variables, out);
        return;
    }
    if (!is_by_key) {
        plan_pass(plan, &plan->all, line, variables, out);
        return;
    }
    const struct line_rules *list = plan->key_rule ? &plan->key_rule->response : NULL;
    struct plan_rules own = {&list, list && list->count > 0, list && list->drop_unmatched};
    plan_pass(plan, &own, line, variables, out);
}

/* Writes the profile's own parts that stand before the line of tor's. */
static void plan_interleave(struct reply_plan *plan, const struct reply_line *line, struct buf *out)
{
    if (plan->keyword->reply == REPLY_SHAPE_GETCONF) {
        struct reply_line kept = {0};
        for (; plan->next < plan->count; plan->next++)
            if (plan_part_is_local(&plan->parts[plan->next]))
                plan_write_conf(&plan->parts[plan->next], &kept, out);
        if (kept.wire.data)
            plan_write_separated(out, &kept, '-');
        return;
    }
    if (plan->keyword->reply != REPLY_SHAPE_GETINFO || (plan->has_whole && line->kind != REPLY_END))
        return;
    for (; plan->next < plan->count; plan->next++) {
        const struct plan_part *part = &plan->parts[plan->next];
        if (plan_part_is_local(part))
            plan_write_info(part, out);
        else if (!plan->has_whole)
            break;
    }
    if (line->kind != REPLY_END)
        plan->key_rule = plan->parts[plan->next++].rule;
}

static void plan_feed_data(struct reply_plan *plan, const struct reply_line *line,
                           const struct template_variables *variables, struct buf *out)
{
    bool is_end = line->kind == REPLY_DATA_END;

    if (!plan->drops_block && is_end)
        reply_write(out, line->wire);
    else if (!plan->drops_block)
        plan_pass_part(plan, line, variables, out);
    if (is_end) {
        plan->in_data = false;
        plan->drops_block = false;
    }
}

static void plan_feed_line(struct reply_plan *plan, const struct reply_line *line,
                           const struct template_variables *variables, struct buf *out)
{
    bool is_success = line->code / 100 == 2;

    plan->state = is_success ? PLAN_SUCCESS : PLAN_ERROR;
    if (is_success)
        plan_interleave(plan, line, out);
    plan_pass_part(plan, line, variables, out);
    plan->in_data = line->kind == REPLY_DATA;
    if (line->kind == REPLY_END)
        plan->state = PLAN_OVER;
}

enum reply_plan_result reply_plan_feed(struct reply_plan *plan, const struct reply_line *line,
                                       const struct template_variables *variables, struct buf *out,
                                       bool *is_success_out)
{
    plan->last_rule = NULL;
    if (!plan_fits(plan, line)) {
        plan->state = PLAN_OVER;
        return REPLY_PLAN_MISFIT;
    }
    if (plan->in_data)
        plan_feed_data(plan, line, variables, out);
    else
        plan_feed_line(plan, line, variables, out);
    if (plan->state != PLAN_OVER)
        return REPLY_PLAN_MORE;
    if (is_success_out)
        *is_success_out = line->code / 100 == 2;
    return REPLY_PLAN_DONE;
}

const struct line_rule *reply_plan_last_rule(const struct reply_plan *plan)
{
    return plan->last_rule;
}
