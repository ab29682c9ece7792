/* Lines: whatever the cuts, they are what a look at the whole text says.
 *
 * Input: one byte of seed for the cuts, then the text. */
#include "buf.h"
#include "fuzz_check.h"
#include "line.h"

#define MAX 64

static void record(struct buf *out, char kind, struct span line)
{
    buf_append_char(out, kind);
    buf_append(out, span_make((const char *)&line.len, sizeof line.len));
    buf_append(out, line);
}

static void read_with_reader(struct span text, uint32_t seed, struct buf *out)
{
    struct line_reader reader;
    enum line_result result = LINE_NONE;

    line_reader_init(&reader, MAX);
    while (text.len > 0 && result != LINE_TOO_LONG) {
        struct span input = take_piece(&text, &seed), line;
        while ((result = line_reader_next(&reader, &input, &line)) == LINE_READY)
            record(out, 'L', line);
        require(result == LINE_TOO_LONG || input.len == 0);
    }
    if (result == LINE_TOO_LONG)
        record(out, '!', SPAN(""));
    line_reader_clear(&reader);
}

static void read_by_hand(struct span text, struct buf *out)
{
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (i - start + 1 > MAX || (text.data[i] != '\n' && i - start + 1 == MAX)) {
            record(out, '!', SPAN(""));
            return;
        }
        if (text.data[i] == '\n') {
            record(out, 'L', span_make(text.data + start, i - start));
            start = i + 1;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct span text = span_make((const char *)data + 1, size - 1);
    uint32_t seeds[] = {0, 1, 2u + data[0], 1000u + data[0]};
    struct buf expected, found;

    buf_init(&expected, 64 * size + 1024);
    read_by_hand(text, &expected);
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        buf_init(&found, 64 * size + 1024);
        read_with_reader(text, seeds[i], &found);
        require(!found.overflow && span_equals(buf_span(&expected), buf_span(&found)));
        buf_clear(&found);
    }
    buf_clear(&expected);
    return 0;
}
