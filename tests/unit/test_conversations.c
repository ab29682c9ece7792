/* Replays tests/conversations through the session core: whole, byte by byte, in random cuts.
 *
 * The replayer is both peers. Before each input, and at the end, what the session has said to
 * either side must be exactly what the file expects: nothing missing, nothing more. The format is
 * described in tests/conversations/README. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "session_rig.h"

#define LEAST_FILES 25 /* fewer means that the directory was not found */

enum cut {
    CUT_WHOLE,
    CUT_BYTES,
    CUT_RANDOM,
};

struct replay {
    const char *path;
    enum cut cut;
    uint64_t random;

    struct rig rig;

    bool is_tor_up;
    bool is_tor_connected;
    bool has_ended;

    struct buf tor_line;      /* an unfinished line of the session's to tor */
    struct buf tor_got;       /* without our own login */
    struct buf client_got;
    struct buf tor_expected;
    struct buf client_expected;
    struct buf input;         /* collected "C:" or "T>" bytes */
    char input_kind;          /* 'C', 'T' or 0 */
    unsigned line;
    unsigned failures;
};

/* --- chance, with a fixed seed --- */

static size_t random_below(struct replay *replay, size_t limit)
{
    replay->random ^= replay->random << 13;
    replay->random ^= replay->random >> 7;
    replay->random ^= replay->random << 17;
    return (size_t)(replay->random % limit);
}

static size_t next_cut(struct replay *replay, size_t left)
{
    size_t size = left;

    if (replay->cut == CUT_BYTES)
        size = 1;
    else if (replay->cut == CUT_RANDOM)
        size = 1 + random_below(replay, random_below(replay, 4) ? 7 : 200);
    return size < left ? size : left;
}

static void fail(struct replay *replay, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct replay *replay, const char *format, ...)
{
    static const char *const cuts[] = {"whole", "byte by byte", "in random cuts"};
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    replay->failures++;
    cr_expect(false, "%s:%u: (%s) %s", replay->path, replay->line, cuts[replay->cut], text);
}

/* --- the two peers --- */

static void feed_tor(struct replay *replay, struct span bytes)
{
    while (bytes.len > 0 && replay->is_tor_connected) {
        size_t size = next_cut(replay, bytes.len);
        session_tor_input(replay->rig.session, span_first(bytes, size));
        bytes = span_from(bytes, size);
    }
}

static void take_tor_line(struct replay *replay)
{
    struct span line = buf_span(&replay->tor_line);
    const char *answer = rig_login_answer(line);

    if (!answer)
        cr_assert(buf_append(&replay->tor_got, line));
    buf_reset(&replay->tor_line);
    if (answer)
        feed_tor(replay, span_from_string(answer));
}

/* Takes what is ready for tor; true if there was something. */
static bool drain_to_tor(struct replay *replay)
{
    struct span ready = session_tor_output(replay->rig.session);
    size_t size = ready.len ? next_cut(replay, ready.len) : 0;
    struct buf piece;

    if (!size)
        return false;
    buf_init(&piece, STUB_STREAM_MAX);
    buf_append(&piece, span_first(ready, size));
    session_tor_sent(replay->rig.session, size);
    for (size_t i = 0; i < size; i++) {
        buf_append_char(&replay->tor_line, piece.data[i]);
        if (piece.data[i] == '\n')
            take_tor_line(replay);
    }
    buf_clear(&piece);
    return true;
}

static bool drain_to_client(struct replay *replay)
{
    struct span ready = session_client_output(replay->rig.session);
    size_t size = ready.len ? next_cut(replay, ready.len) : 0;

    if (!size)
        return false;
    cr_assert(buf_append(&replay->client_got, span_first(ready, size)));
    session_client_sent(replay->rig.session, size);
    return true;
}

static void lose_tor(struct replay *replay, const char *reason)
{
    replay->is_tor_connected = false;
    buf_reset(&replay->tor_line);
    session_tor_lost(replay->rig.session, reason);
}

/* Connects if asked to; true if that changed something. A session that only wants its events back
 * would be tried again after a pause: here, when tor is up. */
static bool connect_tor(struct replay *replay)
{
    if (replay->is_tor_connected && session_drops_tor(replay->rig.session)) {
        lose_tor(replay, "dropped");
        return true;
    }
    if (replay->is_tor_connected || !session_wants_tor(replay->rig.session))
        return false;
    if (!replay->is_tor_up) {
        if (!session_wants_tor_now(replay->rig.session))
            return false;
        session_tor_lost(replay->rig.session, "Connection refused");
        return true;
    }
    replay->is_tor_connected = true;
    session_tor_connected(replay->rig.session);
    return true;
}

/* Carries bytes until nobody has anything to say. */
static void settle(struct replay *replay)
{
    bool is_busy = true;

    for (unsigned turns = 0; is_busy && turns < 10 * 1000 * 1000; turns++) {
        is_busy = drain_to_tor(replay);
        is_busy = drain_to_client(replay) || is_busy;
        is_busy = connect_tor(replay) || is_busy;
    }
    if (is_busy)
        fail(replay, "the session never comes to rest");
    replay->has_ended = session_end_reason(replay->rig.session) != NULL;
}

static void feed_client(struct replay *replay, struct span bytes)
{
    while (bytes.len > 0) {
        size_t size = next_cut(replay, bytes.len);
        size_t taken = session_client_input(replay->rig.session, span_first(bytes, size));

        bytes = span_from(bytes, taken);
        if (taken < size) {
            settle(replay);
            if (!session_reads_client(replay->rig.session)) {
                fail(replay, "the session takes no more from the client");
                return;
            }
        }
        if (replay->cut != CUT_WHOLE)
            settle(replay);
    }
}

/* --- expectations --- */

static void expect_stream(struct replay *replay, const char *who, const struct buf *got,
                          const struct buf *expected)
{
    struct buf a, b;
    struct span left = buf_span(got), right = buf_span(expected);
    size_t same = 0;

    if (span_equals(left, right))
        return;
    while (same < left.len && same < right.len && left.data[same] == right.data[same])
        same++;
    same = same > 40 ? same - 40 : 0;
    buf_init(&a, STUB_STREAM_MAX);
    buf_init(&b, STUB_STREAM_MAX);
    buf_append_escaped(&a, span_from(left, same), 300);
    buf_append_escaped(&b, span_from(right, same), 300);
    buf_append_char(&a, '\0');
    buf_append_char(&b, '\0');
    fail(replay, "%s got \"%s\", expected \"%s\" (from byte %zu)", who, a.data, b.data, same);
    buf_clear(&a);
    buf_clear(&b);
}

static void expect_streams(struct replay *replay)
{
    settle(replay);
    expect_stream(replay, "tor", &replay->tor_got, &replay->tor_expected);
    expect_stream(replay, "the client", &replay->client_got, &replay->client_expected);
}

/* Hands over the input collected so far. */
static void flush_input(struct replay *replay)
{
    struct span bytes = buf_span(&replay->input);

    if (replay->input_kind == 'C')
        feed_client(replay, bytes);
    else if (replay->input_kind == 'T' && !replay->is_tor_connected)
        fail(replay, "the file has tor speak, but it is not connected");
    else if (replay->input_kind == 'T')
        feed_tor(replay, bytes);
    buf_reset(&replay->input);
    replay->input_kind = 0;
    settle(replay);
}

/* --- reading the file --- */

static bool unescape(struct buf *out, const char *text)
{
    while (*text) {
        unsigned value, size = 0;
        unsigned long count;
        char *end;

        if (*text != '\\') {
            buf_append_char(out, *text++);
        } else if (sscanf(text, "\\x%2x%n", &value, (int *)&size) == 1 && size == 4) {
            buf_append_char(out, (char)value);
            text += 4;
        } else if (text[1] == '{') {
            count = strtoul(text + 2, &end, 10);
            if (end == text + 2 || end[0] != '}' || !end[1])
                return false;
            while (count--)
                buf_append_char(out, end[1]);
            text = end + 2;
        } else {
            static const char names[] = "rnt\\", bytes[] = "\r\n\t\\";
            const char *at = text[1] ? strchr(names, text[1]) : NULL;
            if (!at)
                return false;
            buf_append_char(out, bytes[at - names]);
            text += 2;
        }
    }
    return !out->overflow;
}

static void direct(struct replay *replay, char who, const char *word)
{
    flush_input(replay);
    if (who == 'S') {
        if (strcmp(word, "end") != 0)
            fail(replay, "unknown: S! %s", word);
        else if (!replay->has_ended)
            fail(replay, "the session goes on");
        return;
    }
    expect_streams(replay);
    if (who == 'C' && strcmp(word, "eof") == 0) {
        session_client_eof(replay->rig.session);
    } else if (who == 'C' && strcmp(word, "gone") == 0) {
        session_client_gone(replay->rig.session);
    } else if (who == 'P' && strcmp(word, "removed") == 0) {
        session_end(replay->rig.session, "profile removed");
    } else if (who == 'T' && strcmp(word, "silent") == 0) {
        /* As the shell's timer, which runs only then. */
        if (session_awaits_tor(replay->rig.session))
            session_tor_silent(replay->rig.session);
    } else if (who == 'T' && strcmp(word, "up") == 0) {
        replay->is_tor_up = true;
    } else if (who == 'T' && (strcmp(word, "lost") == 0 || strcmp(word, "down") == 0)) {
        replay->is_tor_up = strcmp(word, "lost") == 0;
        if (replay->is_tor_connected)
            lose_tor(replay, "Connection reset by peer");
    } else {
        fail(replay, "unknown: %c! %s", who, word);
    }
    settle(replay);
}

static void take_step(struct replay *replay, const char *step)
{
    bool is_input = step[0] == 'C' || step[1] == '>';
    const char *bytes = step[2] == ' ' ? step + 3 : step + 2;
    struct buf *into;

    if (strlen(step) < 2 || !strchr("CTSP", step[0]) || !strchr(":<>!", step[1])) {
        fail(replay, "not a step: %s", step);
        return;
    }
    if (step[1] == '!') {
        direct(replay, step[0], bytes);
        return;
    }
    if (is_input && replay->input_kind != step[0]) {
        flush_input(replay);
        expect_streams(replay);
        replay->input_kind = step[0];
    } else if (!is_input) {
        flush_input(replay);
    }
    into = is_input ? &replay->input
           : step[0] == 'T' ? &replay->tor_expected : &replay->client_expected;
    if (!unescape(into, bytes))
        fail(replay, "cannot read: %s", step);
}

static void free_lines(char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
}

static char **read_lines(const char *path, size_t *count_out)
{
    FILE *file = fopen(path, "r");
    char **lines = NULL, *line = NULL;
    size_t count = 0, size = 0;
    ssize_t len;

    cr_assert(file != NULL, "%s cannot be opened", path);
    while ((len = getline(&line, &size, file)) >= 0) {
        while (len > 0 && line[len - 1] == '\n')
            line[--len] = '\0';
        lines = mem_resize(lines, count + 1, sizeof *lines);
        lines[count++] = mem_copy_string(span_from_string(line));
    }
    free(line);
    fclose(file);
    *count_out = count;
    return lines;
}

/* --- one replay --- */

static struct profile_file *load_profile(const char *path, char **lines, size_t from, size_t to)
{
    struct buf text;

    buf_init(&text, STUB_STREAM_MAX);
    for (size_t i = from; i < to; i++)
        buf_printf(&text, "%s\n", lines[i]);
    struct profile_file *file = rig_load(path, buf_span(&text));
    buf_clear(&text);
    return file;
}

static struct buf *const *replay_bufs(struct replay *replay)
{
    static struct buf *bufs[6];

    bufs[0] = &replay->tor_line;
    bufs[1] = &replay->tor_got;
    bufs[2] = &replay->client_got;
    bufs[3] = &replay->tor_expected;
    bufs[4] = &replay->client_expected;
    bufs[5] = &replay->input;
    return bufs;
}

static size_t find_line(char **lines, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(lines[i], text) == 0)
            return i;
    return count;
}

/* The address after "client:" in the first lines, or NULL: the client comes by the socket. */
static const char *find_client(char **lines, size_t count)
{
    for (size_t i = 0; i < count && strcmp(lines[i], "profile:") != 0; i++)
        if (strncmp(lines[i], "client: ", 8) == 0)
            return lines[i] + 8;
    return NULL;
}

static void replay_file(const char *path, enum cut cut, uint64_t seed)
{
    struct replay replay = {.path = path, .cut = cut, .random = seed};
    size_t count;
    char **lines = read_lines(path, &count);
    const char *client = find_client(lines, count);
    size_t profile = find_line(lines, count, "profile:");
    size_t dialogue = find_line(lines, count, "dialogue:");

    cr_assert(profile < dialogue && dialogue < count, "%s: no profile: and dialogue:", path);
    for (size_t i = 0; i < 6; i++)
        buf_init(replay_bufs(&replay)[i], STUB_STREAM_MAX);
    rig_open_from(&replay.rig, load_profile(path, lines, profile + 1, dialogue), client);
    replay.is_tor_up = true;
    for (size_t i = dialogue + 1; i < count && !replay.failures; i++) {
        replay.line = (unsigned)i + 1;
        if (lines[i][0] && lines[i][0] != '#')
            take_step(&replay, lines[i]);
    }
    if (!replay.failures) {
        flush_input(&replay);
        expect_streams(&replay);
    }
    rig_close(&replay.rig);
    for (size_t i = 0; i < 6; i++)
        buf_clear(replay_bufs(&replay)[i]);
    free_lines(lines, count);
}

/* --- all of them --- */

static int is_conversation(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

static void replay_all(enum cut cut, uint64_t seed)
{
    const char *source = getenv("TEST_SRCDIR");
    char *directory = mem_printf("%s/tests/conversations", source ? source : ".");
    struct dirent **entries;
    int count = scandir(directory, &entries, is_conversation, alphasort);

    cr_assert(count >= LEAST_FILES, "%s holds %d conversations (TEST_SRCDIR names the top)",
              directory, count);
    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", directory, entries[i]->d_name);
        replay_file(path, cut, seed);
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(directory);
}

Test(conversations, whole)
{
    replay_all(CUT_WHOLE, 1);
}

Test(conversations, byte_by_byte)
{
    replay_all(CUT_BYTES, 1);
}

Test(conversations, random_cuts)
{
    static const uint64_t seeds[] = {0x9e3779b97f4a7c15, 20240229, 42, 0xdeadbeefcafe, 7, 1000003};

    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++)
        replay_all(CUT_RANDOM, seeds[i]);
}
