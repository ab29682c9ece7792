/* Hexadecimal text, as AUTHENTICATE and AUTHCHALLENGE write it. */
#ifndef OG_HEX_H
#define OG_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "span.h"

/* Appends two upper-case digits a byte; false if the buffer is full. */
bool hex_append(struct buf *out, const uint8_t *bytes, size_t len);

/* Reads exactly `len` bytes from 2*len digits of either case; false for anything else. */
bool hex_decode(struct span text, uint8_t *bytes_out, size_t len);

/* The value of one digit, or -1. */
int hex_digit(char c);

#endif
