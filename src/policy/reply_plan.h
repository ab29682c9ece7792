/* What is to become of the reply to one command.
 *
 * Made by the decision, kept in the session's queue until tor answers. It knows which keys were
 * asked in which order, the rule of each, and the parts that the profile answers itself; it checks
 * that tor's reply fits the command (control-protocol 7.6) and writes the lines for the client. */
#ifndef OG_REPLY_PLAN_H
#define OG_REPLY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "keyword.h"
#include "profile.h"
#include "reply.h"
#include "span.h"
#include "template.h"

struct reply_plan;

/* A plan without parts. The profiles that rules belong to must outlive it. */
struct reply_plan *reply_plan_new(const struct keyword *keyword);
void reply_plan_free(struct reply_plan *plan);

/* Bytes of memory that it takes; more while a reply is being read. */
size_t reply_plan_held(const struct reply_plan *plan);

/* Adds the next key in the client's order. `sent_key`: the key as sent to tor, copied; empty data
 * for a command that is judged as a whole (one part for all). `rule` may be NULL (confs). A rule
 * with `reply` is a part that tor is not asked for. */
void reply_plan_add(struct reply_plan *plan, struct span sent_key, const struct rule *rule);

/* Whether tor need not be asked at all: every part is answered by the profile, or one of them is
 * answered by an error, which then answers the whole command. */
bool reply_plan_is_local(const struct reply_plan *plan);

/* Writes the whole reply of a local plan. */
void reply_plan_answer(const struct reply_plan *plan, struct buf *out);

enum reply_plan_result {
    REPLY_PLAN_MORE,   /* line taken, the reply goes on */
    REPLY_PLAN_DONE,   /* that was its last line */
    REPLY_PLAN_MISFIT, /* this is no reply to that command: end the session */
};

/* Takes one line of tor's reply and appends what the client gets of it (nothing, one line, or
 * several where local parts stand before it). `is_success_out`, if not NULL, is set at
 * REPLY_PLAN_DONE: the reply was a 2xx one. */
enum reply_plan_result reply_plan_feed(struct reply_plan *plan, const struct reply_line *line,
                                       const struct template_variables *variables, struct buf *out,
                                       bool *is_success_out);

/* Which rule of a `response` decided on the line that was fed last; NULL: none did. */
const struct line_rule *reply_plan_last_rule(const struct reply_plan *plan);

#endif
