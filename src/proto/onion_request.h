/* ADD_ONION's arguments as a set (design 3.9; control-protocol 6.1): what they ask for, whatever
 * their order and however often they are repeated, and one canonical text for it. */
#ifndef OG_ONION_REQUEST_H
#define OG_ONION_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "add_onion.h"
#include "arguments.h"
#include "buf.h"
#include "span.h"

enum onion_key {
    ONION_KEY_NEW_BEST,
    ONION_KEY_NEW_ED25519,
    ONION_KEY_STORED, /* the client brings it along */
};

/* The keywords that take one number, and may stand once. */
enum onion_number {
    ONION_NUMBER_MAX_STREAMS,
    ONION_NUMBER_POW_ENABLED,
    ONION_NUMBER_POW_RATE,
    ONION_NUMBER_POW_BURST,
};

#define ONION_NUMBERS 4

struct onion_request {
    enum onion_key key;
    struct span stored_key; /* ONION_KEY_STORED: base64 of 64 bytes; borrowed, secret */
    unsigned flags;         /* enum add_onion_flag, of all Flags= together */
    bool has_number[ONION_NUMBERS];
    unsigned long numbers[ONION_NUMBERS];
    struct onion_port ports[ARGUMENTS_MAX_WORDS]; /* in their order; paths borrowed */
    size_t port_count;
    struct span client_keys[ARGUMENTS_MAX_WORDS]; /* ClientAuthV3=, in their order; borrowed */
    size_t client_key_count;
};

/* Reads the arguments. NULL, or why they are refused: a static text for a log line. Refused is all
 * that tor would refuse, and what can be written in another way: empty parts, signs and leading
 * zeros, a second value for what has one. */
const char *onion_request_parse(struct span arguments, struct onion_request *request_out);

/* Appends the canonical text: key, Flags=, MaxStreams=, PoW...=, each Port=VIRTUAL,TARGET, each
 * ClientAuthV3=; spelled as tor does. False if the buffer is full. */
bool onion_request_write(const struct onion_request *request, struct buf *out);

/* Whether one of the PoW... keywords is there. */
bool onion_request_has_pow(const struct onion_request *request);
void onion_request_drop_pow(struct onion_request *request);

/* The flag of that name in any case, or 0. */
unsigned onion_flag_find(struct span name);

/* tor's spelling of the flag 1 << index; NULL past the end. */
const char *onion_flag_at(size_t index);

#endif
