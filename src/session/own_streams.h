/* Which of tor's streams and circuits are the client's own, learnt from STREAM events (design 3.8,
 * control-protocol 4.1).
 *
 * A stream is the client's if its first event shows the client's address, and no longer than until
 * it ends; a circuit is if such a stream used it. A stream that was open before we looked is
 * nobody's: it is never guessed.
 *
 * tor 0.4.9 writes names that came in by its DNSPort into these events as they are, line breaks
 * included, so whoever can ask there can forge whole events. Nobody gets another's stream by that:
 * tor counts its ids up, so one that was seen as another's never becomes the client's, those that
 * were there before us are asked for at the login (own_streams_take_status), and where its own
 * streams are tor is asked before each circuit-status. */
#ifndef OG_OWN_STREAMS_H
#define OG_OWN_STREAMS_H

#include <stdbool.h>

#include "reply.h"
#include "stream_event.h"

#define OWN_STREAMS_MAX 4096 /* at once; of more than that, the client does not hear */
#define OWN_CIRCUITS_MAX (2 * OWN_STREAMS_MAX) /* those that closed streams used included */
#define OWN_STREAMS_FOREIGN_MAX 4096           /* ids of others that are remembered one by one */

struct own_streams;

struct own_streams *own_streams_new(const struct stream_source *client);
void own_streams_free(struct own_streams *own); /* NULL allowed */

/* Bytes of memory that it takes. NULL allowed. */
size_t own_streams_held(const struct own_streams *own);

/* The connection to tor is gone: another tor's ids mean other streams. */
void own_streams_reset(struct own_streams *own);

/* Takes the first line of any event. False: the client may not have it. What it may have of it is
 * in *line then: of CIRC nothing but "650 CIRC ID CLOSED", borrowed until the next call. Every
 * STREAM event must come by here, also those that the client did not ask for. */
bool own_streams_admit(struct own_streams *own, struct reply_line *line);

/* Takes one line of the reply to GETINFO stream-status, but for the last: which circuits the
 * client's streams are on now. `is_first`: we have just logged in, and a stream that is there
 * already is nobody's. False: it is no line of such a reply. */
bool own_streams_take_status(struct own_streams *own, const struct reply_line *line, bool is_first);

/* Whether it is one of the client's streams, and still open. */
bool own_streams_has_stream(const struct own_streams *own, unsigned long id);

/* Whether one of those streams uses the circuit: by the last GETINFO stream-status, or by the
 * events as long as there was none. */
bool own_streams_has_circuit(const struct own_streams *own, unsigned long id);

#endif
