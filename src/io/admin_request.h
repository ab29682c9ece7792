/* A request on the admin socket: "1 VERB [NAME=VALUE]..." on one line (onion-grater(8), "Admin
 * socket"). Values are quoted as the control protocol quotes them. */
#ifndef OG_ADMIN_REQUEST_H
#define OG_ADMIN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

#define ADMIN_PROTOCOL 1
#define ADMIN_LINE_MAX 4096
#define ADMIN_ARGUMENTS_MAX 8

struct admin_argument {
    struct span name; /* of the line */
    char *value;      /* NUL-terminated, printable ASCII; owned */
};

struct admin_request {
    struct span verb; /* of the line */
    struct admin_argument arguments[ADMIN_ARGUMENTS_MAX];
    size_t count;
};

enum admin_request_result {
    ADMIN_REQUEST_OK,
    ADMIN_REQUEST_VERSION,   /* another version of the protocol */
    ADMIN_REQUEST_MALFORMED, /* why is in `reason` */
};

/* Reads the line, without its end. The result is borrowed from it, but for the values;
 * admin_request_clear in any case. */
enum admin_request_result admin_request_parse(struct span line, struct admin_request *request_out,
                                              const char **reason_out);
void admin_request_clear(struct admin_request *request);

/* The value of that name, or NULL. */
const char *admin_request_get(const struct admin_request *request, const char *name);

/* Whether there are no arguments but those in `names`, which are parted by spaces. */
bool admin_request_has_only(const struct admin_request *request, const char *names);

/* "yes" or "no" of that name; absent is no. False: it is neither. */
bool admin_request_switch(const struct admin_request *request, const char *name, bool *value_out);

#endif
