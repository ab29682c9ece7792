/* Which refusals are remembered, and that nothing of a client's is. */
#include "refusals.h"

#include <criterion/criterion.h>

static const struct policy_view nobody = {NULL, 0, NULL};

static void note(struct refusals *refusals, unsigned long long session, uid_t uid, const char *line)
{
    const struct identity identity = {.has_credentials = true, .uid = uid};
    struct command_reader reader;
    struct command command;
    struct span input = span_from_string(line);

    command_reader_init(&reader);
    cr_assert_eq(command_reader_next(&reader, &input, &command), COMMAND_READY);
    const struct session_report report = {
        .command = &command,
        .verdict = VERDICT_REFUSE,
        .reason = "no rule allows these arguments",
        .rule = {"/profiles/a.yml", 3, 5},
    };
    refusals_note(refusals, session, &identity, &nobody, &report);
    command_reader_clear(&reader);
}

Test(refusals, hold_the_shape_of_a_command)
{
    struct refusals refusals = {.count = 0};

    note(&refusals, 1, 5, "ADD_ONION ED25519-V3:c2VjcmV0 Port=80,10.9.8.7:80\r\n");
    note(&refusals, 2, 5, "GETINFO ip-to-country/10.9.8.7\r\n");
    note(&refusals, 3, 5, "GETINFO sec\001ret\r\n");
    cr_assert_eq(refusals.count, 3);
    for (size_t i = 0; i < refusals.count; i++) {
        const struct refusal *refusal = &refusals.items[i];
        cr_expect_null(strstr(refusal->command, "c2V"), "%s", refusal->command);
        cr_expect_null(strstr(refusal->command, "10.9"), "%s", refusal->command);
        cr_expect_str_eq(refusal->rule_file, "/profiles/a.yml");
        cr_expect_eq(refusal->rule_line, 3);
        if (refusal->complaint) {
            cr_expect_null(strstr(refusal->complaint, "c2V"), "%s", refusal->complaint);
            cr_expect_null(strstr(refusal->complaint, "10.9"), "%s", refusal->complaint);
        }
    }
    cr_expect(strstr(refusals.items[0].complaint, "ADD_ONION ED25519-V3:(key) Port=80"), "%s",
              refusals.items[0].complaint);
    cr_expect_null(refusals.items[2].complaint, "nothing that a rule could allow");
    refusals_clear(&refusals);
    cr_expect_eq(refusals.count, 0);
}

Test(refusals, nobody_makes_those_of_others_be_forgotten)
{
    struct refusals refusals = {.count = 0};

    note(&refusals, 1, 5, "GETINFO address\r\n");
    for (unsigned i = 0; i < 100; i++)
        note(&refusals, 100 + i, 6, "GETINFO address\r\n");
    cr_assert_eq(refusals.count, REFUSALS_MAX);
    cr_expect_eq(refusals.items[0].session, 1, "the quiet one's is there");
    cr_expect_eq(refusals.items[REFUSALS_MAX - 1].session, 199, "and the last of the other");
    cr_expect_eq(refusals.items[1].session, 199 - (REFUSALS_MAX - 2), "without a gap");
    refusals_clear(&refusals);
}
