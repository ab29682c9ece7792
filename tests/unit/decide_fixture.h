/* Tables of whole commands before a policy: the outcome, the place that decided, and the exact
 * bytes for tor or for the client. */
#ifndef OG_DECIDE_FIXTURE_H
#define OG_DECIDE_FIXTURE_H

#include "profile_fixture.h"

#include "command.h"
#include "decide.h"

enum expectation {
    REFUSE,    /* output: the reason */
    FORWARD,   /* output: the bytes for tor, without the last CRLF */
    REWRITE,   /* the same, and a replacement changed the arguments */
    ANSWER,    /* output: the bytes for the client */
    SUBSCRIBE, /* output: the arguments */
};

struct row {
    const char *input; /* the line, or all lines of a block, without the last CRLF */
    enum expectation expectation;
    const char *output;
    unsigned line; /* of what decided; 0: nothing */
};

#define NO_RULE "no rule for this command"
#define NO_MATCH "no rule allows these arguments"
#define ONE_OF "one of several keys is not allowed"
#define BY_CONFS "an option or value is not allowed by confs"
#define NO_EVENT "event not listed in events"
#define LIMIT "a pattern hit its match limit"
#define NOT_LITERAL "a target that is no literal address"
#define BAD_PORT "a port that is not 1 to 65535 in plain digits"
#define BAD_PATH "a socket path that is not absolute and plain"
#define NO_ANSWER "ClientAuth=, which tor never answers"
#define MALFORMED "the arguments do not parse as tor reads them"
#define BAD_TEXT "the replacement is no legal argument text"
#define NOT_ONE "the replacement for one of several keys is not one key"

#define FOR_ANYBODY "- apparmor-profiles: ['*']\n  users: ['*']\n" /* two lines */

/* Bytes with their length, NUL included. */
#define B(literal)                   \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct template_variables variables = {
    .client_address = B("10.0.0.2"),
    .client_port = B("4711"),
    .server_address = B("127.0.0.1"),
    .server_port = B("951"),
};

/* What was decided, as a row would write it. */
static inline void outcome_write(const struct decision *decision, const struct command *command,
                                 struct buf *out)
{
    switch (decision->verdict) {
    case VERDICT_REFUSE:
        buf_append_string(out, decision->reason);
        break;
    case VERDICT_FORWARD:
        cr_expect(
            command_write(out, command->keyword, buf_span(&decision->arguments), command->data));
        buf_truncate(out, out->len - 2);
        break;
    case VERDICT_ANSWER:
        reply_plan_answer(decision->plan, out);
        break;
    case VERDICT_SUBSCRIBE:
        buf_append(out, buf_span(&decision->arguments));
        break;
    }
}

static inline enum expectation outcome_of(const struct decision *decision)
{
    switch (decision->verdict) {
    case VERDICT_REFUSE:
        return REFUSE;
    case VERDICT_FORWARD:
        return decision->is_rewritten ? REWRITE : FORWARD;
    case VERDICT_ANSWER:
        return ANSWER;
    case VERDICT_SUBSCRIBE:
        break;
    }
    return SUBSCRIBE;
}

/* What tor gets must read as what was decided; a refusal leaves nothing to send. */
static inline void expect_consistent(const struct decision *decision, const struct command *command,
                                     struct span sent, const char *name)
{
    struct command again;

    if (decision->verdict == VERDICT_REFUSE) {
        cr_expect(decision->arguments.len == 0 && !decision->plan && !decision->is_rewritten,
                  "%s: a refusal leaves something to send", name);
        return;
    }
    cr_expect_null(decision->reason, "%s: only refusals have a reason", name);
    cr_expect_eq(decision->plan != NULL, decision->verdict != VERDICT_SUBSCRIBE, "%s: plan", name);
    if (decision->verdict != VERDICT_FORWARD || command->is_block)
        return;
    command_parse_line(sent, &again);
    cr_expect(again.defect == COMMAND_SOUND && again.keyword == command->keyword &&
                  span_equals(again.arguments, buf_span(&decision->arguments)),
              "%s: does not read as it was written", name);
}

/* Reads one command of a client's bytes; it is borrowed from the reader. */
static inline void command_take(struct command_reader *reader, struct span bytes,
                                struct command *command)
{
    struct buf wire;

    buf_init(&wire, COMMAND_MAX_LINE + COMMAND_MAX_DATA);
    buf_append(&wire, bytes);
    buf_append_string(&wire, "\r\n");
    struct span rest = buf_span(&wire);
    /* The last byte by itself makes the reader keep what it hands out. */
    rest.len--;
    cr_assert_eq(command_reader_next(reader, &rest, command), COMMAND_NONE);
    rest = span_from(buf_span(&wire), wire.len - 1);
    cr_assert_eq(command_reader_next(reader, &rest, command), COMMAND_READY);
    buf_clear(&wire);
}

static inline void expect_row(const struct policy_view *view, const struct row *row, size_t number)
{
    struct command_reader reader;
    struct command command;
    struct decision decision;
    struct buf output, name;

    buf_init(&output, COMMAND_MAX_LINE + COMMAND_MAX_DATA);
    buf_init(&name, 1024);
    buf_printf(&name, "row %zu '%.200s'", number, row->input);
    buf_append_char(&name, '\0');
    const char *title = buf_span(&name).data;

    command_reader_init(&reader);
    command_take(&reader, span_from_string(row->input), &command);
    policy_decide(view, &command, &variables, &decision);
    outcome_write(&decision, &command, &output);

    cr_expect_eq(outcome_of(&decision), row->expectation, "%s: outcome %d for %d", title,
                 (int)outcome_of(&decision), (int)row->expectation);
    cr_expect(span_equals(buf_span(&output), span_from_string(row->output)),
              "%s:\n got '%.*s'\n for '%s'", title, (int)output.len, buf_span(&output).data,
              row->output);
    unsigned line = decision.rule.file ? decision.rule.line : 0;
    cr_expect_eq(line, row->line, "%s: decided by line %u for %u", title, line, row->line);
    expect_consistent(&decision, &command, buf_span(&output), title);

    decision_clear(&decision);
    command_reader_clear(&reader);
    buf_clear(&output);
    buf_clear(&name);
}

static inline void expect_rows(const char *yaml, const struct row *rows, size_t count)
{
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < count; i++)
        expect_row(&view, &rows[i], i);
    policy_view_clear(&view);
    policy_unref(policy);
}

#define EXPECT_ROWS(yaml, rows) expect_rows(yaml, rows, sizeof(rows) / sizeof *(rows))

#endif
