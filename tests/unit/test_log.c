/* Where lines of the log go, and how many a client may cause. */
#include "log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINES 20000

/* stderr, while it leads to the test. */
struct lab {
    int kept;
    int reader;
    char *text; /* all that was read */
    size_t len;
};

static void lab_start(struct lab *lab, int reader, int writer)
{
    *lab = (struct lab){.kept = dup(STDERR_FILENO), .reader = reader};
    dup2(writer, STDERR_FILENO);
    close(writer);
    fcntl(reader, F_SETFL, O_NONBLOCK);
    alarm(60); /* a write that waits ends the test */
    log_open(LOG_LEVEL_INFO);
}

static void lab_read(struct lab *lab)
{
    char chunk[4096];
    ssize_t len;

    while ((len = read(lab->reader, chunk, sizeof chunk)) > 0) {
        lab->text = realloc(lab->text, lab->len + (size_t)len + 1);
        memcpy(lab->text + lab->len, chunk, (size_t)len);
        lab->len += (size_t)len;
        lab->text[lab->len] = '\0';
    }
}

static void lab_end(struct lab *lab)
{
    lab_read(lab);
    dup2(lab->kept, STDERR_FILENO);
    close(lab->kept);
}

static unsigned long lab_count(const struct lab *lab, const char *text)
{
    unsigned long count = 0;

    for (const char *at = lab->text; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

static void write_lines(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        log_at(LOG_LEVEL_NOTICE, "line %lu", i);
}

/* Writes more than fits, reads, writes again: every line was written or counted. */
static void check_sink(const char *name, int reader, int writer)
{
    struct lab lab;
    unsigned long lost = 0;

    lab_start(&lab, reader, writer);
    write_lines(LINES);
    lab_read(&lab);
    size_t first = lab.len;
    write_lines(2);
    lab_end(&lab);

    cr_assert(first > 1000, "%s: %zu bytes", name, first);
    const char *report = strstr(lab.text, "onion-grater: warning: ");
    cr_assert(report, "%s: no report", name);
    cr_expect(sscanf(report, "onion-grater: warning: %lu lines could not be written\n", &lost) ==
              1);
    unsigned long whole = lab_count(&lab, "onion-grater: notice: line ");
    if (lab.text[first - 1] != '\n') { /* a stream socket may take a part of a line */
        whole--;
        cr_expect(lab.text[first] == '\n', "%s: the cut line is not ended", name);
    }
    cr_expect(lost > 0 && lost + whole == LINES + 2, "%s: %lu lost, %lu written", name, lost,
              whole);
    cr_expect(lab_count(&lab, "could not be written") == 1, "%s", name);
    cr_expect(strstr(report, "line 0\nonion-grater: notice: line 1\n"), "%s", name);
    free(lab.text);
}

Test(log, unread_pipe)
{
    int ends[2];

    cr_assert(pipe(ends) == 0);
    check_sink("pipe", ends[0], ends[1]);
}

Test(log, unread_socket)
{
    int ends[2];

    cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    check_sink("socket", ends[0], ends[1]);
}

Test(log, unread_terminal)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    cr_assert(slave >= 0);
    struct lab lab;
    lab_start(&lab, master, slave);
    write_lines(LINES);
    lab_read(&lab);
    write_lines(1);
    lab_end(&lab);
    cr_expect(lab.text && strstr(lab.text, "lines could not be written"));
    free(lab.text);
}

/* Our lines do not wait; those of others who write there still do. */
Test(log, shared_description)
{
    struct lab lab;
    int ends[2];

    cr_assert(pipe(ends) == 0);
    lab_start(&lab, ends[0], ends[1]);
    write_lines(1);
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    lab_end(&lab);
    cr_expect((flags & O_NONBLOCK) == 0);
    free(lab.text);
}

Test(log, regular_file)
{
    char path[] = "/tmp/test_log.XXXXXX";
    int writer = mkstemp(path), reader = open(path, O_RDONLY);
    struct lab lab;

    unlink(path);
    lab_start(&lab, reader, writer);
    write_lines(LINES);
    lab_end(&lab);
    cr_expect(lab_count(&lab, "onion-grater: notice: line ") == LINES);
    cr_expect(lab_count(&lab, "could not be written") == 0);
    free(lab.text);
}

/* Neither keeps us nor, as the daemon ignores the signal, ends us. */
Test(log, reader_gone)
{
    struct lab lab;
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    cr_assert(pipe(ends) == 0);
    lab_start(&lab, ends[0], ends[1]);
    close(ends[0]);
    write_lines(LINES);
    dup2(lab.kept, STDERR_FILENO);
}

/* Whatever is in it: at most what a pipe takes at once. */
Test(log, longest_line)
{
    static const char fillers[] = {'x', '\x1b', '\xff'};

    for (size_t i = 0; i < sizeof fillers; i++) {
        for (size_t len = 4000; len < 4200; len++) {
            struct lab lab;
            int ends[2];
            char *text = malloc(len + 1);
            memset(text, fillers[i], len);
            text[len] = '\0';
            cr_assert(pipe(ends) == 0);
            lab_start(&lab, ends[0], ends[1]);
            log_at(LOG_LEVEL_WARNING, "%s", text);
            lab_end(&lab);
            cr_expect(lab.len > 4000 && lab.len <= 4096 && lab.text[lab.len - 1] == '\n',
                      "row %zu, %zu bytes: %zu written", i, len, lab.len);
            close(lab.reader);
            free(lab.text);
            free(text);
        }
    }
}

/* --- limits --- */

static unsigned passed(struct log_limit *limit, bool (*pass)(struct log_limit *, uint64_t),
                       uint64_t now_ms)
{
    unsigned count = 0;

    while (count < 10 * LOG_LIMIT_DEBUG_BURST && pass(limit, now_ms))
        count++;
    return count;
}

Test(log, limits)
{
    static const struct {
        uint64_t after_ms;
        unsigned lines;
        unsigned debug_lines;
    } rows[] = {
        {0, LOG_LIMIT_BURST, LOG_LIMIT_DEBUG_BURST},
        {0, 0, 0},
        {1, 0, 0},
        {1, 0, 1},
        {498, 1, 249},
        {1000, LOG_LIMIT_PER_MINUTE / 60, LOG_LIMIT_DEBUG_PER_MINUTE / 60},
        {1000000, LOG_LIMIT_BURST, LOG_LIMIT_DEBUG_BURST},
        {UINT64_C(1) << 50, LOG_LIMIT_BURST, LOG_LIMIT_DEBUG_BURST},
    };
    struct log_limit limit;
    uint64_t now_ms = 12345;

    log_limit_init(&limit, LOG_LIMIT_PER_MINUTE, now_ms);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        now_ms += rows[i].after_ms;
        unsigned lines = passed(&limit, log_limit_pass, now_ms);
        unsigned debug_lines = passed(&limit, log_limit_pass_debug, now_ms);
        cr_expect(lines == rows[i].lines && debug_lines == rows[i].debug_lines,
                  "row %zu: %u and %u", i, lines, debug_lines);
        cr_expect(log_limit_take_left_out(&limit) == 2, "row %zu", i);
    }
}

/* However few lines a minute there may be, and however often it is asked, none is lost. */
Test(log, limits_by_configuration)
{
    static const struct {
        unsigned per_minute;
        unsigned first; /* at once */
        unsigned later; /* in the ten minutes behind it */
    } rows[] = {
        {1, 1, 10},    {2, 2, 20},      {7, 7, 70},
        {19, 19, 190}, {20, 20, 200},   {21, LOG_LIMIT_BURST, 210},
        {120, LOG_LIMIT_BURST, 1200},   {60000, LOG_LIMIT_BURST, 600000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log_limit limit;
        unsigned later = 0;
        log_limit_init(&limit, rows[i].per_minute, 0);
        cr_expect(passed(&limit, log_limit_pass, 0) == rows[i].first, "row %zu", i);
        for (uint64_t now_ms = 13; now_ms <= 600000; now_ms += 13)
            later += passed(&limit, log_limit_pass, now_ms);
        passed(&limit, log_limit_pass, 600000);
        cr_expect(later <= rows[i].later && later + rows[i].per_minute / 60 + 1 >= rows[i].later,
                  "row %zu: %u", i, later);
    }
}

Test(log, idle_limit)
{
    bool (*const passes[])(struct log_limit *, uint64_t) = {log_limit_pass, log_limit_pass_debug};

    for (size_t i = 0; i < 2; i++) {
        struct log_limit limit;
        log_limit_init(&limit, LOG_LIMIT_PER_MINUTE, 0);
        cr_expect(log_limit_is_idle(&limit, 0), "row %zu", i);
        passed(&limit, passes[i], 0);
        cr_expect(!log_limit_is_idle(&limit, 0), "row %zu: empty", i);
        cr_expect(!log_limit_is_idle(&limit, 1000000), "row %zu: has something to report", i);
        log_limit_take_left_out(&limit);
        cr_expect(log_limit_is_idle(&limit, 1000000), "row %zu: full again", i);
        passes[i](&limit, 1000000);
        cr_expect(!log_limit_is_idle(&limit, 1000000), "row %zu: one line", i);
    }
}
