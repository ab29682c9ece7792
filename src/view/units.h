/* Numbers for people, in few characters. */
#ifndef OG_UNITS_H
#define OG_UNITS_H

#include "buf.h"

/* "7s", "12m", "3h", "21d": at most four characters up to 999 days. */
void units_append_age(struct buf *out, unsigned long ms);

/* "9999", "12k", "3.4M": at most four characters up to 999 G. */
void units_append_count(struct buf *out, unsigned long count);

/* The same in steps of 1024, with capital letters: "1023", "12K", "3.4M". */
void units_append_bytes(struct buf *out, unsigned long bytes);

#endif
