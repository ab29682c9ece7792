/* Who that watches gets which line. */
#include "watch.h"

#include <criterion/criterion.h>

#include "mem.h"

static const struct profile web = {.name = (char *)"web"}, mail = {.name = (char *)"mail"};

/* What one watcher got. */
struct seen {
    struct watcher watcher;
    struct buf lines;
    unsigned count;
};

static void see(void *context, struct span line)
{
    struct seen *seen = context;

    cr_expect(line.len > 0 && line.data[line.len - 1] == '\n');
    buf_append(&seen->lines, line);
    seen->count++;
}

static void seen_begin(struct seen *seen, struct watch *watch, struct watch_filter filter)
{
    *seen = (struct seen){.watcher = {.line = see, .context = seen, .filter = filter}};
    buf_init(&seen->lines, 1024 * 1024);
    watch_add(watch, &seen->watcher);
}

static bool seen_has(const struct seen *seen, const char *text)
{
    char *lines = mem_copy_string(buf_span(&seen->lines));
    bool has = strstr(lines, text) != NULL;

    free(lines);
    return has;
}

static void seen_end(struct seen *seen)
{
    watch_remove(&seen->watcher);
    watch_remove(&seen->watcher);
    watch_filter_clear(&seen->watcher.filter);
    buf_clear(&seen->lines);
}

/* A command of that session, uid and profile. */
static void tell(const struct watch *watch, unsigned long long session, uid_t uid,
                 const struct profile *profile, const char *line, enum verdict verdict)
{
    const struct identity identity = {.has_credentials = true, .uid = uid};
    const struct profile *profiles[] = {profile};
    const struct policy_view view = {profiles, 1, NULL};
    const struct watch_subject subject = {session, &identity, &view, NULL};
    struct command_reader reader;
    struct command command;
    struct span input = span_from_string(line);

    command_reader_init(&reader);
    cr_assert_eq(command_reader_next(&reader, &input, &command), COMMAND_READY);
    const struct session_report report = {
        .command = &command,
        .verdict = verdict,
        .reason = verdict == VERDICT_REFUSE ? "no rule" : NULL,
        .is_rewritten = verdict == VERDICT_FORWARD,
        .sent = SPAN("NEW:BEST Port=80,10.0.0.1:80"),
    };
    watch_command(watch, &subject, &report);
    watch_event(watch, &subject, "CIRC", true);
    watch_session_began(watch, &subject);
    watch_session_ended(watch, &subject, "client quit");
    command_reader_clear(&reader);
}

Test(watch, filters)
{
    struct watch watch = {NULL};
    struct seen all, events, of_web, of_uid, of_session, rejected, of_web_too;

    seen_begin(&all, &watch, (struct watch_filter){.has_uid = false});
    seen_begin(&events, &watch, (struct watch_filter){.wants_events = true});
    seen_begin(&of_web, &watch, (struct watch_filter){.profile = mem_copy_string(SPAN("web"))});
    seen_begin(&of_uid, &watch, (struct watch_filter){.has_uid = true, .uid = 6});
    seen_begin(&of_session, &watch, (struct watch_filter){.has_session = true, .session = 8});
    seen_begin(&rejected, &watch,
               (struct watch_filter){
                   .has_outcome = true,
                   .outcome = TALLY_REJECTED,
                   .wants_events = true,
               });
    seen_begin(&of_web_too, &watch, (struct watch_filter){.profile = mem_copy_string(SPAN("we"))});
    cr_expect_eq(watch_count(&watch), 7);
    tell(&watch, 7, 5, &web, "GETINFO version\r\n", VERDICT_FORWARD);
    tell(&watch, 8, 6, &mail, "GETINFO address\r\n", VERDICT_REFUSE);
    cr_expect_eq(all.count, 6, "two commands, two sessions");
    cr_expect_eq(events.count, 8, "%u", events.count);
    cr_expect_eq(of_web.count, 3);
    cr_expect(seen_has(&of_web, "GETINFO version") && !seen_has(&of_web, "GETINFO address"));
    cr_expect_eq(of_uid.count, 3);
    cr_expect_eq(of_session.count, 3);
    cr_expect_eq(rejected.count, 1, "commands only");
    cr_expect(seen_has(&rejected, "\"verdict\":\"rejected\"") &&
              seen_has(&rejected, "\"reason\":\"no rule\""));
    cr_expect_eq(of_web_too.count, 0, "names are compared whole");
    seen_end(&events);
    cr_expect_eq(watch_count(&watch), 6);
    seen_end(&all);
    seen_end(&of_web);
    seen_end(&of_uid);
    seen_end(&of_session);
    seen_end(&rejected);
    seen_end(&of_web_too);
    cr_expect_null(watch.first);
    tell(&watch, 9, 5, &web, "GETINFO version\r\n", VERDICT_FORWARD);
}

Test(watch, values_are_for_those_that_may_see_them)
{
    struct watch watch = {NULL};
    struct seen plain, full;

    seen_begin(&plain, &watch, (struct watch_filter){.wants_values = false});
    seen_begin(&full, &watch, (struct watch_filter){.wants_values = true});
    tell(&watch, 1, 5, &web, "ADD_ONION ED25519-V3:c2VjcmV0 Port=80,127.0.0.1:80\r\n",
         VERDICT_FORWARD);
    tell(&watch, 1, 5, &web, "GETINFO sec\"\001\r\n", VERDICT_REFUSE);
    cr_expect_not(seen_has(&plain, "c2VjcmV0") || seen_has(&plain, "127.0.0.1"));
    cr_expect_not(seen_has(&plain, "10.0.0.1"));
    cr_expect(seen_has(&plain, "\"sent\":null"));
    cr_expect(seen_has(&full, "ADD_ONION ED25519-V3:c2VjcmV0 Port=80,127.0.0.1:80"));
    cr_expect(seen_has(&full, "\"sent\":\"NEW:BEST Port=80,10.0.0.1:80\""));
    cr_expect(seen_has(&full, "GETINFO sec\\\"\\u0001"), "no byte of a client ends a string");
    seen_end(&plain);
    seen_end(&full);
}
