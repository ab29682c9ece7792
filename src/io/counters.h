/* What happened so far, for whoever asks how the daemon is. Nothing decides by these numbers. */
#ifndef OG_COUNTERS_H
#define OG_COUNTERS_H

#include "session_limits.h"
#include "tally.h"

struct counters {
    struct tally tally;                /* of all sessions together, those that are over included */
    unsigned long long sessions;       /* begun */
    unsigned long long at_sessions;    /* clients turned away: no session for anybody, */
    unsigned long long at_user;        /* or for this user */
    unsigned long long at_address;     /* or this machine */
    unsigned long long no_descriptor;  /* or none left for it */
    unsigned long long pauses;         /* of accepting */
    unsigned long long reply_timeouts; /* sessions ended for each of these */
    unsigned long long write_timeouts;
    unsigned long long at_all_buffers;    /* times that memory became short, */
    unsigned long long closed_for_memory; /* and sessions closed for it */
    unsigned long long log_lines_left_out;
    unsigned long long at[SESSION_LIMIT_COUNT]; /* limits of one session reached */
    unsigned long long reloads;                 /* that took, and that did not */
    unsigned long long reload_failures;
};

#endif
