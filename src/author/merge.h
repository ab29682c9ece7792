/* Several profiles to one, for implementations that take one profile for a client (design 5). */
#ifndef OG_MERGE_H
#define OG_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "diag.h"
#include "profile_load.h"
#include "span.h"

#define MERGE_MAX_TEXT (16 * 1024 * 1024)

struct merge_input {
    const char *path; /* for messages; its last part without ".yml" is the default name */
    struct span text;
};

/* Appends one profile with the rules of all profiles of the inputs, in their order, what is the
 * same twice once. Texts stay as written; comments are lost. False, with the reasons and their
 * places in `diags`: an input does not load, the profiles are for different clients, or contradict
 * each other. */
bool merge_profiles(const struct merge_input *inputs, size_t count,
                    const struct name_resolver *resolver, struct diag_list *diags, struct buf *out);

#endif
