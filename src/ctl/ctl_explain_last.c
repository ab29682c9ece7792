/* The refusal comes from the daemon; the rule is made here, from its shape. Where it belongs is the
 * file of the profile that refused, or, if that is a file of a package, the admin's own copy. */
#include "ctl_explain_last.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "ctl_clock.h"
#include "ctl_input.h"
#include "ctl_terminal.h"
#include "ctl_users.h"
#include "mem.h"
#include "refusal_page.h"

#define VERB "explain"
#define ADMIN_DIR "/etc/onion-grater.d"
#define PACKAGE_DIR "/usr/"

/* Everything is owned, and what is not known is NULL. */
struct place {
    char *profile;
    char *file;
    char *shipped;
};

static void place_clear(struct place *place)
{
    free(place->profile);
    free(place->file);
    free(place->shipped);
}

/* A text of the record by itself; NULL: there is none. */
static char *copy_text(struct span value)
{
    struct buf text;

    buf_init(&text, value.len);
    char *copy = json_string_bytes(value, &text) ? mem_copy_string(buf_span(&text)) : NULL;
    buf_clear(&text);
    return copy;
}

/* --- where the rule belongs --- */

/* The file of that profile, as the daemon has read it; NULL: it does not say. */
static char *find_file(const struct answer *status, const char *profile)
{
    struct span record;
    size_t at = 0;

    while (answer_next(status, "profile", &at, &record)) {
        char *name = copy_text(record_value(record, "name"));
        bool is_it = name && strcmp(name, profile) == 0;
        free(name);
        if (is_it)
            return copy_text(record_value(record, "file"));
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* A file of a package is not changed: the next version would change it back. */
static void avoid_package(struct place *place)
{
    char *target = realpath(place->file, NULL);

    if (!target || strncmp(target, PACKAGE_DIR, strlen(PACKAGE_DIR)) != 0) {
        free(target);
        return;
    }
    char *own = mem_printf(ADMIN_DIR "/%s", base_name(place->file));
    free(place->file);
    place->file = own;
    place->shipped = target;
}

static void find_place(struct span record, const struct answer *status, struct place *place_out)
{
    struct json_line list = record_items(record, "profiles");
    struct place *place = place_out;
    struct span item;

    *place = (struct place){.profile = NULL};
    if (json_list_next(&list, &item) == JSON_MEMBER)
        place->profile = copy_text(item);
    if (place->profile)
        place->file = find_file(status, place->profile);
    if (place->file)
        avoid_package(place);
    else
        place->file = mem_printf(ADMIN_DIR "/%s.yml", place->profile ? place->profile : "NAME");
}

/* --- what is said --- */

static void print_nothing(const char *profile)
{
    struct page page;

    page_init(&page);
    page_printf(&page, PAGE_PLAIN, "nothing was refused%s%s since the daemon has started",
                profile ? " to clients of profile " : "", profile ? profile : "");
    ctl_terminal_print(&page);
    page_clear(&page);
}

/* `refusal`: NULL, if there is none. */
static void print_refusal(const struct refusal *refusal, const char *profile, bool is_json)
{
    struct ctl_users users;
    struct page page;
    struct buf out;

    ctl_users_init(&users);
    page_init(&page);
    buf_init(&out, SIZE_MAX / 2);
    const struct user_names names = ctl_users_names(&users);
    if (is_json) {
        refusal_page_write_json(refusal, &names, &out);
        fwrite(buf_span(&out).data, 1, out.len, stdout);
    } else if (refusal) {
        refusal_page_write(refusal, &names, ctl_terminal_width(), &page);
        ctl_terminal_print(&page);
    } else {
        print_nothing(profile);
    }
    buf_clear(&out);
    page_clear(&page);
    ctl_users_clear(&users);
}

static void explain_record(struct span record, const struct answer *status, bool is_json)
{
    char *complaint = copy_text(record_value(record, "complaint"));
    struct allowance allowance;
    struct place place;
    char when[CTL_CLOCK_SIZE];

    find_place(record, status, &place);
    ctl_clock_date(record, when, sizeof when);
    bool can_be = allowance_of_complaint(span_from_string(complaint), &allowance);
    const struct refusal refusal = {
        .record = record,
        .clock = when,
        .allowance = can_be ? &allowance : NULL,
        .profile = place.profile,
        .file = place.file,
        .shipped = place.shipped,
    };
    print_refusal(&refusal, NULL, is_json);
    allowance_clear(&allowance);
    place_clear(&place);
    free(complaint);
}

static bool ask_refusals(struct ctl_admin *admin, const char *profile, struct answer *answer)
{
    ctl_admin_begin(admin, "refusals");
    if (profile)
        ctl_admin_add(admin, "profile", profile);
    ctl_admin_add(admin, "last", "1");
    return ctl_admin_ask_once(admin, answer);
}

static bool ask_status(struct ctl_admin *admin, struct answer *answer)
{
    ctl_admin_begin(admin, "status");
    return ctl_admin_ask_once(admin, answer);
}

int ctl_explain_last(struct ctl_admin *admin, const char *profile, bool is_json)
{
    struct answer refusals, status;
    bool is_answered;

    answer_init(&refusals);
    answer_init(&status);
    is_answered = ask_refusals(admin, profile, &refusals) && ask_status(admin, &status);
    if (is_answered) {
        struct span record = answer_find(&refusals, "refusal");
        if (record.len > 0)
            explain_record(record, &status, is_json);
        else
            print_refusal(NULL, profile, is_json);
    }
    answer_clear(&refusals);
    answer_clear(&status);
    return ctl_finish_output(VERB, is_answered ? EXIT_SUCCESS : admin->status);
}
