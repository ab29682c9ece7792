/* Accepting clients where descriptors or memory run out. */
#ifndef OG_GATE_H
#define OG_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"

struct listener;

struct gate {
    struct counters *counters;
    int reserve;             /* given up for a moment to turn a client away; -1: none */
    struct listener *paused; /* listeners that wait */
    unsigned pause_ms;       /* the last pause; 0 after an accept that succeeded */
    uint64_t quiet_until_ms; /* no line in the log before */
};

void gate_init(struct gate *gate, struct counters *counters);
void gate_clear(struct gate *gate);

/* accept(2) failed on the listener with this errno. True: the client in front of the queue was
 * turned away, go on; false: nobody waits, or the listener pauses. */
bool gate_exhausted(struct gate *gate, struct listener *listener, int error);

/* Whether an accepted client has to go, as what is left of descriptors is for those that are there
 * already: then it is turned away, and its descriptor closed. */
bool gate_is_closed(struct gate *gate, int fd);

/* Sends one line that ends in CRLF, and closes. */
void gate_turn_away(int fd, const char *line);

/* Something was closed: listeners that pause try again. */
void gate_open(struct gate *gate);

#endif
