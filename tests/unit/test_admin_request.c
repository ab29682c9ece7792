/* Requests on the admin socket: read whole, or refused. */
#include "admin_request.h"

#include <criterion/criterion.h>

#define ROWS(table) (sizeof(table) / sizeof *(table))

Test(admin_request, good_ones)
{
    static const struct {
        const char *line;
        const char *verb;
        const char *name; /* of an argument, NULL: there is none */
        const char *value;
    } rows[] = {
        {"1 status", "status", NULL, NULL},
        {"1  status ", "status", NULL, NULL},
        {"1 watch profile=web", "watch", "profile", "web"},
        {"1 watch profile=\"a b\\\"c\"", "watch", "profile", "a b\"c"},
        {"1 watch uid=5 profile=x", "watch", "profile", "x"},
        {"1 watch profile=\"\"", "watch", "profile", ""},
        {"1 watch profile=", "watch", "profile", ""},
        {"1 x a=b=c", "x", "a", "b=c"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct admin_request request;
        const char *reason;
        cr_expect_eq(admin_request_parse(span_from_string(rows[i].line), &request, &reason),
                     ADMIN_REQUEST_OK, "%s", rows[i].line);
        cr_expect(span_equals(request.verb, span_from_string(rows[i].verb)), "%s", rows[i].line);
        if (rows[i].name)
            cr_expect_str_eq(admin_request_get(&request, rows[i].name), rows[i].value, "%s",
                             rows[i].line);
        else
            cr_expect_eq(request.count, 0);
        cr_expect_null(admin_request_get(&request, "nothing"));
        admin_request_clear(&request);
    }
}

Test(admin_request, bad_ones)
{
    static const struct {
        struct span line;
        enum admin_request_result result;
    } rows[] = {
        {SPAN(""), ADMIN_REQUEST_MALFORMED},
        {SPAN("status"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1"), ADMIN_REQUEST_MALFORMED},
        {SPAN("2 status"), ADMIN_REQUEST_VERSION},
        {SPAN("0 status"), ADMIN_REQUEST_VERSION},
        {SPAN("1.0 status"), ADMIN_REQUEST_MALFORMED},
        {SPAN("-1 status"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 watch profile"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 watch profile=\"x"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 watch profile=\"\\n\""), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 watch =x"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 watch uid=1 uid=2"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 w a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 sta\0tus"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 status\t"), ADMIN_REQUEST_MALFORMED},
        {SPAN("1 stat\xfcs"), ADMIN_REQUEST_MALFORMED},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct admin_request request;
        const char *reason;
        cr_expect_eq(admin_request_parse(rows[i].line, &request, &reason), rows[i].result,
                     "row %zu: %s", i, rows[i].line.data);
        cr_expect(rows[i].result != ADMIN_REQUEST_MALFORMED || reason, "row %zu", i);
        admin_request_clear(&request);
    }
}

Test(admin_request, arguments_that_a_verb_takes)
{
    struct admin_request request;
    const char *reason;
    bool value = true;

    admin_request_parse(SPAN("1 watch on=yes off=no else=maybe"), &request, &reason);
    cr_expect(admin_request_has_only(&request, "off else on"));
    cr_expect_not(admin_request_has_only(&request, "off on"));
    cr_expect_not(admin_request_has_only(&request, ""));
    cr_expect(admin_request_switch(&request, "on", &value) && value);
    cr_expect(admin_request_switch(&request, "off", &value) && !value);
    cr_expect(admin_request_switch(&request, "absent", &value) && !value);
    cr_expect_not(admin_request_switch(&request, "else", &value));
    admin_request_clear(&request);
}
