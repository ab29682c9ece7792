/* Whether a process may write into a session that another process opened (design 2). */
#ifndef OG_WRITER_RULE_H
#define OG_WRITER_RULE_H

#include "identity.h"
#include "identity_needs.h"

/* `session`: the client as it was identified when it connected. `writer`: the same facts about the
 * process that wrote, learnt now. `needs`: of the profiles that serve the session. NULL: it may;
 * else why not, as static text that can end a session. */
const char *writer_rule_refusal(const struct identity *session, const struct identity *writer,
                                const struct identity_needs *needs);

#endif
