/* The facts about a peer: storage only. Gathering is io's work, judging is policy_match's. */
#include "identity.h"

#include <stdlib.h>

void identity_clear(struct identity *identity)
{
    free(identity->groups);
    *identity = (struct identity){0};
}
