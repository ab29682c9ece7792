/* What the files of the session fuzzer share.
 *
 *   fuzz_session.c       operations, the session's surroundings, the entry point
 *   session_oracle.c     what must follow from the client's bytes, and what does
 *   session_reference.c  what the policy means, worked out plainly
 *   session_lines.c      the client's bytes as commands
 *   session_frame.c      the form of what comes out
 *   session_model.c      a tor that answers what it is asked
 *   session_profiles.c   the profiles
 */
#ifndef OG_SESSION_HARNESS_H
#define OG_SESSION_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "decide.h"
#include "policy.h"
#include "reply.h"
#include "session.h"
#include "session_reference.h"

#define BACKLOG_MAX (2 * 1024 * 1024)
/* What one more read of tor's may add to a full buffer, rewritten, and 64 answers of ours. */
#define OUTPUT_MAX (SESSION_REPLY_BUFFER + 1024 * 1024)
#define TO_TOR_MAX (1024 * 1024)
#define FEED_MAX (32 * 1024)
#define ASKED_MAX 64
#define PROFILES_MAX 16

/* One command of the client's, as the oracle judged it. */
struct expected {
    const struct keyword *keyword;
    enum verdict verdict;
    const char *answer; /* the one line that it must be answered by, or NULL */
    char *arguments;    /* what tor may get, if it is told at all */
    char *data;
    bool is_sent;
    struct reference reference; /* by what tor may get it */
};

/* The oracle's own reader of the client's bytes. */
struct lines {
    size_t max_line, max_data;
    struct buf line, header, data;
    bool in_block;
    bool is_odd;  /* a byte of the block is not printable ASCII */
    bool is_over; /* `line` has been handed out */
};

void lines_init(struct lines *lines, size_t max_line, size_t max_data);
void lines_clear(struct lines *lines);

/* As command_reader_next. */
enum command_result lines_next(struct lines *lines, struct span *input,
                               struct command *command_out);

/* Where in a line, a message, a data block the bytes stand. */
struct frame {
    char head[4];
    size_t at; /* bytes of the line so far */
    bool has_cr, in_block, in_message, is_event;
};

struct harness {
    struct policy *policy;
    bool is_own_policy; /* of this input */
    const struct profile *profiles[PROFILES_MAX];
    struct policy_view view;
    struct session *session;
    struct tor_facts facts;
    bool has_own_streams; /* tor-browser-mode */
    bool follows_streams; /* for that, STREAM events are needed */
    bool has_onions;      /* a profile has `onions: create` */
    bool has_cookie;
    struct onion_registry registry;
    unsigned mood; /* 0 NULL, 1 SAFECOOKIE, 2 COOKIE, 3 refuses the login, 4 and more: errors too */

    struct lines judge;
    struct buf backlog;          /* client bytes that the session has not taken */
    struct expected *expected;
    size_t expected_count, next_sent, replied;
    size_t waiting_max;
    bool judge_stopped; /* QUIT, or a line too long */
    bool has_quit;
    const struct event_rule *asked[ASKED_MAX];
    size_t asked_count;

    struct command_reader tor_reader; /* the model tor's */
    struct buf tor_raw;               /* bytes since the last complete command */
    struct buf tor_out;
    unsigned login; /* commands of the login that were seen on this connection */
    bool is_connected, login_done, first_after_login;
    uint8_t client_nonce[TORAUTH_NONCE_SIZE];

    struct frame client_frame, tor_frame;
    struct reply_reader client_reader;
    bool reply_begun;
    unsigned reply_class; /* first digit of the code of the reply that has begun */
    bool raw_tor; /* tor was not only the model: what it says is not known */
    unsigned services;     /* bits: the onion services that the model has */
    unsigned detached;     /* those of them that do not end with the connection */
    unsigned next_service;
    size_t reports;        /* commands that the observer has heard of */
    bool names_secret; /* the input holds "sekrit" itself, and tor echoes it */
    bool names_tag;    /* or what tor marks its answers with; or a mark may be another's */
    bool was_lost, client_eof, client_gone;
};

extern const struct template_variables harness_variables;

#define ORACLE(condition, text) \
    do { \
        if (!(condition)) \
            oracle_fail(__FILE__, __LINE__, text); \
    } while (0)

void oracle_fail(const char *file, int line, const char *text) __attribute__((noreturn));

/* Reads client bytes that the session has taken. */
void oracle_judge(struct harness *h, struct span bytes);

/* Takes up to `len` bytes of what is for the client. False: there was nothing. */
bool oracle_take_client(struct harness *h, size_t len);

/* Takes up to `len` bytes of what is for tor; the model answers the commands. */
void oracle_take_tor(struct harness *h, size_t len);

/* Which of its services the model means by an address; -1: none. */
int model_find_service(struct span address);

/* Sets view and policy of the harness by the selector, and by the input's first record where that
 * has a say, which is taken off. False: there is no such profile. */
bool profiles_open(struct harness *h, char selector, struct span *rest);
void profiles_close(struct harness *h);

/* Takes bytes that go to the client, or to tor. */
void frame_client(struct frame *frame, struct span bytes);
void frame_tor(struct frame *frame, struct span bytes);

/* The event's rule in the first profile that lists it, or that of complain mode, or NULL. */
const struct event_rule *oracle_find_event(const struct harness *h, struct span name);

/* Answers of the model, appended to tor_out. `expected`: which command of the client's it is; NULL:
 * one of the session's own. */
void model_protocolinfo(struct harness *h);
void model_challenge(struct harness *h, const struct command *command);
void model_authenticate(struct harness *h, const struct command *command);
void model_listeners(struct harness *h);
void model_detached(struct harness *h);
void model_answer(struct harness *h, const struct command *command,
                  const struct expected *expected);
void model_event(struct harness *h, size_t index);

#endif
