/* The texts of onion services: addresses, keys and numbers as tor writes them (control-protocol
 * 6). */
#ifndef OG_ONION_TEXT_H
#define OG_ONION_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

#define ONION_ADDRESS_LENGTH 56 /* of version 3, without ".onion" */

/* Whether it has the form of an address: 56 characters of base32. `is_any_case`: capital letters
 * count, too. */
bool onion_text_is_address(struct span text, bool is_any_case);

/* Whether it has the form of a client's public key: 52 characters of base32, in any case. */
bool onion_text_is_client_key(struct span text);

/* Whether it is base64 of exactly `bytes` bytes, padded, nothing left out. */
bool onion_text_is_base64(struct span text, size_t bytes);

/* A number in plain digits, without a sign or zeros in front, at most `max`. */
bool onion_text_to_number(struct span text, unsigned long max, unsigned long *number_out);

/* Appends the text in lower or upper case. */
void onion_text_append_lower(struct buf *out, struct span text);
void onion_text_append_upper(struct buf *out, struct span text);

#endif
