/* What the two files of the reference share. */
#ifndef OG_SESSION_REFERENCE_PARTS_H
#define OG_SESSION_REFERENCE_PARTS_H

#include "session_reference.h"

struct judge {
    const struct policy_view *view;
    const struct command *command;
    struct span sent;
    struct reference *reference;
};

void reference_note_rule(struct reference *reference, const struct rule *rule);

/* Whether the rules of the profile, or those of all where it is NULL, match the complete text: then
 * they have decided. */
bool reference_judge_whole(const struct judge *judge, const struct profile *profile,
                           bool *is_allowed);

/* Whether `onions` of the profile judges that command. */
bool reference_has_key_for(const struct onion_rules *onions, enum keyword_id id);

/* The commands that `onions` of some profile judges. */
bool reference_judge_onions(const struct judge *judge);

#endif
