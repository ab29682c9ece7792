/* What the files of explain share; nobody else includes this.
 *
 *   explain.c          who is served, commands and dialogues, in order
 *   explain_session.c  the session and the tor that it speaks to (explain_session.h)
 *   explain_item.c     what is collected of a command or event
 *   explain_lines.c    what becomes of each line of tor's
 *   explain_client.c   who is served, and who is not
 *   explain_rule.c     which rule stands at a place
 *   explain_keys.c     each key of a command by itself
 *   explain_near.c     what a refused command came near to
 *   explain_suggest.c  the rule that would allow it
 *   explain_text.c     all of it for people
 *   explain_json.c     all of it for programs
 */
#ifndef OG_EXPLAIN_PARTS_H
#define OG_EXPLAIN_PARTS_H

#include "add_onion.h"
#include "command.h"
#include "decide.h"
#include "explain.h"
#include "explain_units.h"
#include "json.h"
#include "reply.h"
#include "session.h"

#define EXPLAIN_MAX_OUT (512 * 1024 * 1024) /* of one item, written out */
#define EXPLAIN_MAX_NEAR 3                  /* that are named, of each kind */
#define EXPLAIN_MAX_NOTES 4
#define EXPLAIN_MAX_LINES 10000 /* of one message, that are told one by one */
#define EXPLAIN_MAX_QUALIFIERS 8
#define EXPLAIN_MAX_PROFILES 5 /* that are named where none serves the client */

/* --- rules --- */

/* A rule of a profile, and where it stands. */
struct explain_rule {
    const char *profile; /* its name */
    const char *section; /* "commands", "confs", "events", "onions"; static */
    const char *name;    /* the command, option or event; "" for onions */
    struct source where;
    const char *text;   /* the pattern; the name where there is none */
    const char *action; /* what else the rule does, static; or NULL */
};

/* The rule at that place in one of the view's profiles. */
bool explain_find_rule(const struct policy_view *view, struct source where,
                       struct explain_rule *rule_out);

/* --- what is explained --- */

enum explain_verdict {
    EXPLAIN_REFUSED = 0,
    EXPLAIN_ALLOWED,
    EXPLAIN_REWRITTEN,  /* allowed, with other arguments */
    EXPLAIN_ANSWERED,   /* by `reply` of the profile */
    EXPLAIN_SUBSCRIBED, /* SETEVENTS */
    EXPLAIN_LOCAL,      /* by onion-grater itself */
    EXPLAIN_NOT_READ,   /* the session had ended before */
};

enum explain_fate {
    EXPLAIN_PASSED,
    EXPLAIN_CHANGED,
    EXPLAIN_WITHHELD,
    EXPLAIN_UNFIT, /* no line of a reply to that command: the session ends */
};

/* One line of tor's and what becomes of it. */
struct explain_line {
    struct buf wire;
    enum explain_fate fate;
    struct buf becomes; /* EXPLAIN_CHANGED: whole lines */
    struct explain_rule rule;
    bool has_rule;
    const char *reason; /* static, or NULL */
};

/* A command with its reply, or an event. */
struct explain_item {
    const struct explain_unit *unit; /* borrowed */
    bool is_event;
    bool is_read;     /* it is a whole command, in `command` */
    bool is_reported; /* the session has said what it does with it */
    bool is_done;     /* nothing more can come */

    enum explain_verdict verdict;
    char *reason;          /* owned, or NULL */
    const char *condition; /* "if ...": what else an allowed command depends on; static, or NULL */
    struct source rule;
    struct command command; /* is_read; the next three hold its text */
    struct buf name;
    struct buf arguments;
    struct buf data;
    struct reply_plan *plan; /* what the session does with the reply, done here once more */
    struct buf expected;     /* the command as it may go to tor */

    bool is_sent;      /* tor got it */
    struct buf to_tor; /* as tor got it */
    bool is_given;     /* the dialogue has the reply */
    bool is_supplied;  /* it has not, and one was made up */
    bool is_answered;  /* the client has the whole reply */
    bool is_remade;    /* the session itself changed lines of the message */
    bool is_cut;       /* not all lines are told */
    struct buf client; /* what the client gets */
    struct explain_line *lines;
    size_t line_count;
    size_t line_room;
    char *notes[EXPLAIN_MAX_NOTES]; /* owned */
    size_t note_count;

    struct explain_item *next;
};

struct explain_item *explain_item_new(const struct explain_unit *unit);
void explain_item_free(struct explain_item *item);
void explain_item_note(struct explain_item *item, const char *note);
void explain_item_set_reason(struct explain_item *item, const char *reason);
struct explain_line *explain_item_add_line(struct explain_item *item, struct span wire);

/* --- the session --- */

struct explain_session;

enum explain_form {
    EXPLAIN_SINGLE,       /* a command by itself: what it depends on is said, not asked */
    EXPLAIN_RECORDED,     /* tor's replies belong to certain commands of the client's */
    EXPLAIN_CONVERSATION, /* tor's replies belong to what it was asked, in order */
};

/* `registry`: of all sessions of the dialogue. Everything is borrowed. */
struct explain_session *explain_session_new(const struct explain_setup *setup,
                                            const struct policy_view *view,
                                            struct onion_registry *registry,
                                            enum explain_form form);
void explain_session_free(struct explain_session *session);

/* A command of the client's; the item is filled in, now or later. */
void explain_session_command(struct explain_session *session, struct explain_item *item);

/* tor's reply to the item; NULL: to whatever tor was asked. */
void explain_session_reply(struct explain_session *session, struct explain_item *item,
                           const struct explain_unit *reply);

void explain_session_event(struct explain_session *session, struct explain_item *item);

/* Answers what tor was asked and the dialogue has no reply to. */
void explain_session_supply(struct explain_session *session);

/* Nothing more comes. */
void explain_session_close(struct explain_session *session);

/* --- lines of tor's --- */

/* Notes what becomes of one line of a reply. */
void explain_reply_line(struct explain_item *item, const struct reply_line *line,
                        const struct template_variables *variables);

/* The same for one of an event; `rule` NULL: it has none. */
void explain_event_line(struct explain_item *item, const struct event_rule *rule,
                        const struct reply_line *line, const struct template_variables *variables);

/* A line that is not the control protocol. */
void explain_unfit_line(struct explain_item *item, struct span wire);

/* Makes the lines' fates agree with what the client got. */
void explain_lines_settle(struct explain_item *item);

/* --- a command in its parts --- */

/* One key, option or event of a command, or the whole command. */
struct explain_key {
    struct span text; /* borrowed from the command's arguments */
    bool is_allowed;
    bool has_rule;
    struct explain_rule rule;
};

struct explain_keys {
    struct explain_key *items; /* owned */
    size_t count;
};

/* Judges each key by itself; none, if the command has but one or cannot be cut. */
void explain_keys_of(const struct policy_view *view, const struct command *command,
                     const struct template_variables *variables, struct explain_keys *keys_out);
void explain_keys_clear(struct explain_keys *keys);

/* --- refused commands --- */

/* A rule that almost allowed it. */
struct explain_near {
    struct explain_rule rule;
    struct span subject; /* what it was tried on */
    size_t agreed;       /* so much of the subject could begin a match */
    bool is_over;        /* the rule ends there */
};

/* A profile that would have allowed it, but is not for this client. */
struct explain_other {
    const struct profile *profile;
    struct explain_rule rule;
    bool has_rule;
    char *lacks; /* owned: which qualifier is not met */
};

struct explain_hints {
    struct explain_near near[EXPLAIN_MAX_NEAR]; /* best first */
    size_t near_count;
    struct explain_other others[EXPLAIN_MAX_NEAR];
    size_t other_count;
    size_t more_others;
    struct buf suggestion; /* lines of YAML; empty: none */
    const char *advice;    /* static, or NULL */
    bool is_cut;           /* the search was given up */
};

/* Bounds what all searches of one run cost. */
struct explain_budget {
    struct pattern_budget patterns;
    size_t decisions;
};

void explain_hints_of(const struct explain_setup *setup, const struct policy_view *view,
                      const struct command *command, struct explain_budget *budget,
                      struct explain_hints *hints_out);
void explain_hints_clear(struct explain_hints *hints);

/* Adds the nearest rules of the view for the command. */
void explain_find_near(const struct policy_view *view, const struct command *command,
                       const struct template_variables *variables, struct explain_budget *budget,
                       struct explain_hints *hints);

/* Writes the YAML that would allow the command, if there is a sensible one. */
void explain_suggest(const struct policy_view *view, const struct command *command,
                     const struct template_variables *variables, struct explain_hints *hints);

/* Appends which qualifier of the profile is not met by the client, and where it stands. */
void explain_append_lack(struct buf *out, const struct explain_setup *setup,
                         const struct profile *profile);

/* --- who is served --- */

struct explain_qualifier {
    const char *key; /* "users" */
    struct source where;
    bool is_any;
    struct buf value; /* what of the client met it */
};

/* The qualifiers by which the profile serves the client. */
size_t explain_qualifiers_of(const struct explain_setup *setup, const struct profile *profile,
                             struct explain_qualifier out[EXPLAIN_MAX_QUALIFIERS]);

/* The key of the qualifier that the profile does not meet; NULL: it serves the client. */
const char *explain_lack_key(const struct explain_setup *setup, const struct profile *profile);

/* Of the profiles that do not serve the client those that came farthest; how many. */
size_t explain_nearest_profiles(const struct explain_setup *setup,
                                const struct profile *out[EXPLAIN_MAX_PROFILES]);

/* --- writing --- */

struct explain_report {
    const struct explain_item *item;
    const struct explain_keys *keys;
    const struct explain_hints *hints; /* refused: else NULL */
    const struct policy_view *view;
    unsigned long connection; /* its number */
    bool has_connections;     /* and whether it is worth telling */
    bool has_place;           /* it stands in a dialogue */
};

void explain_text_client(struct buf *out, const struct explain_setup *setup,
                         const struct policy_view *view);
void explain_text_item(struct buf *out, const struct explain_report *report);
void explain_text_end(struct buf *out, const struct explain_counts *counts);

void explain_json_client(struct json *json, const struct explain_setup *setup,
                         const struct policy_view *view);
void explain_json_item(struct json *json, const struct explain_report *report);
void explain_json_end(struct json *json, const struct explain_counts *counts);

/* Printable text as it is, other text escaped: what people typed comes back as they typed it. */
void explain_append_shown(struct buf *out, struct span text);

#endif
