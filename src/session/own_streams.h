/* Which of tor's streams and circuits are the client's own, learnt from STREAM events (design 3.8,
 * control-protocol 4.1).
 *
 * A stream is the client's if its first event shows the client's address, and no longer than until
 * it ends; a circuit is if such a stream used it. A stream that was open before we looked is
 * nobody's: it is never guessed. */
#ifndef OG_OWN_STREAMS_H
#define OG_OWN_STREAMS_H

#include <stdbool.h>

#include "reply.h"
#include "stream_event.h"

#define OWN_STREAMS_MAX 4096 /* at once; of more than that, the client does not hear */
#define OWN_CIRCUITS_MAX (2 * OWN_STREAMS_MAX) /* those that closed streams used included */

struct own_streams;

struct own_streams *own_streams_new(const struct stream_source *client);
void own_streams_free(struct own_streams *own); /* NULL allowed */

/* The connection to tor is gone: another tor's ids mean other streams. */
void own_streams_reset(struct own_streams *own);

/* Takes the first line of any event. False: the client may not have it. What it may have of it is
 * in *line then: of CIRC nothing but "650 CIRC ID CLOSED", borrowed until the next call. Every
 * STREAM event must come by here, also those that the client did not ask for. */
bool own_streams_admit(struct own_streams *own, struct reply_line *line);

/* Whether it is one of the client's streams, and still open. */
bool own_streams_has_stream(const struct own_streams *own, unsigned long id);

/* Whether one of those streams uses the circuit. */
bool own_streams_has_circuit(const struct own_streams *own, unsigned long id);

#endif
