/* All listening sockets: the shared one and those that profiles ask for (design 3.4). */
#ifndef OG_LISTENER_SET_H
#define OG_LISTENER_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "activation.h"
#include "containment_places.h"
#include "diag.h"
#include "listener.h"
#include "policy.h"

#define LISTENER_SET_SHARED "control.sock"

struct listener_set {
    struct event_base *base;
    const char *runtime_dir;
    const struct containment_places *places;
    listener_callback *accepted;
    void *context;
    struct listener *first;
    size_t count;
    struct listener *passed; /* by the service manager; they stay until the end */
    size_t passed_count;
};

/* Nothing listens yet. All is borrowed. */
void listener_set_init(struct listener_set *set, struct event_base *base, const char *runtime_dir,
                       const struct containment_places *places, listener_callback *accepted,
                       void *context);
void listener_set_clear(struct listener_set *set);

/* Takes over the descriptors that were passed in, and listens. A passed Unix socket takes the place
 * of the one that would be made for the same profile, or of the shared one. */
void listener_set_adopt(struct listener_set *set, struct activation *activation);

/* Makes what exists into what the policy asks for: unchanged sockets go on, others are removed or
 * made. A socket that cannot be made is an error in `diags`, with its profile's place, and keeps
 * nobody else from having one. False: the shared socket is not there. */
bool listener_set_update(struct listener_set *set, const struct policy *policy,
                         struct diag_list *diags);

size_t listener_set_count(const struct listener_set *set);
bool listener_set_has_tcp(const struct listener_set *set);

/* Calls `visit` for each of them. */
void listener_set_each(const struct listener_set *set,
                       void (*visit)(void *context, const struct listener *listener),
                       void *context);

#endif
