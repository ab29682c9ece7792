/* Growable bytes.
 *
 * One block of memory with a window in it: [start, start + len). Consuming moves the window;
 * appending moves its content back to the front once at least half of the block in use is free, and
 * doubles the block otherwise, so both cost O(1) a byte. A large block of which little is left in
 * use is given back: what was consumed since it grew pays for it. */
#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"

#define BUF_SMALLEST 256
/* Storage above this is given back when the buffer runs empty, so an idle session stays small. */
#define BUF_KEEP 1024
/* And of larger storage than this what is not needed, when less than an eighth of it is in use. */
#define BUF_LARGE 32768

void buf_clear(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max);
}

void buf_wipe(struct buf *buf)
{
    mem_wipe(buf->data, buf->used);
    buf_clear(buf);
}

void buf_reset(struct buf *buf)
{
    if (buf->cap > BUF_KEEP) {
        buf_clear(buf);
        return;
    }
    buf->start = 0;
    buf->len = 0;
    buf->overflow = false;
}

/* Puts the stored bytes into another block. */
static void buf_move(struct buf *buf, size_t cap)
{
    char *data = mem_resize(NULL, cap, 1);

    if (buf->len)
        memcpy(data, buf->data + buf->start, buf->len);
    /* The old storage may have held a secret; wiping it is cheap beside the copy. */
    mem_wipe(buf->data, buf->used);
    free(buf->data);
    buf->data = data;
    buf->start = 0;
    buf->cap = cap;
    buf->used = buf->len;
}

/* Makes room for `extra` more bytes behind the stored ones; false if the maximum forbids it. */
static bool buf_reserve(struct buf *buf, size_t extra)
{
    if (extra > buf->max - buf->len) {
        buf->overflow = true;
        return false;
    }
    if (extra <= buf->cap - buf->start - buf->len)
        return true;
    if (buf->start > 0 && buf->start >= buf->len && extra <= buf->cap - buf->len) {
        /* At least half of what is in use was consumed: moving the rest is paid for. */
        memmove(buf->data, buf->data + buf->start, buf->len);
        buf->start = 0;
        return true;
    }
    size_t cap = buf->cap ? buf->cap : BUF_SMALLEST;
    while (cap < buf->len + extra)
        cap = cap > SIZE_MAX / 2 ? buf->len + extra : cap * 2;
    if (cap == buf->cap)
        cap *= 2;
    buf_move(buf, cap);
    return true;
}

bool buf_append(struct buf *buf, struct span text)
{
    if (text.len == 0)
        return true;
    if (!buf_reserve(buf, text.len))
        return false;
    memcpy(buf->data + buf->start + buf->len, text.data, text.len);
    buf->len += text.len;
    if (buf->used < buf->start + buf->len)
        buf->used = buf->start + buf->len;
    return true;
}

bool buf_append_string(struct buf *buf, const char *text)
{
    return buf_append(buf, span_from_string(text));
}

bool buf_append_char(struct buf *buf, char c)
{
    return buf_append(buf, span_make(&c, 1));
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0)
        abort();
    bool done = buf_append(buf, span_make(text, (size_t)len));
    free(text);
    return done;
}

void buf_consume(struct buf *buf, size_t len)
{
    if (len >= buf->len) {
        bool overflow = buf->overflow;
        buf_reset(buf);
        buf->overflow = overflow;
        return;
    }
    buf->start += len;
    buf->len -= len;
    size_t cap = buf->cap;
    while (cap > BUF_LARGE && buf->len < cap / 8)
        cap /= 4;
    if (cap < buf->cap)
        buf_move(buf, cap);
}

void buf_consume_wiped(struct buf *buf, size_t len)
{
    if (len >= buf->len) {
        mem_wipe(buf->data, buf->used);
        buf->used = 0;
    }
    buf_consume(buf, len);
}

void buf_truncate(struct buf *buf, size_t len)
{
    if (len < buf->len)
        buf->len = len;
}

bool buf_append_escaped(struct buf *buf, struct span text, size_t limit)
{
    size_t end = limit && limit < text.len ? limit : text.len;

    for (size_t i = 0; i < end; i++) {
        char c = text.data[i];
        if (c == '\\')
            buf_append_string(buf, "\\\\");
        else if (ascii_is_printable(c))
            buf_append_char(buf, c);
        else
            buf_printf(buf, "\\x%02X", (unsigned)(unsigned char)c);
    }
    if (end < text.len)
        buf_append_string(buf, "...");
    return !buf->overflow;
}
