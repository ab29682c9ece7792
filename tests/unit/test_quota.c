/* Who may have how many sessions at once. */
#include "quota.h"

#include <criterion/criterion.h>
#include <string.h>

#define LONG_AFTER (1000 * 1000)

static struct identity by_uid(uid_t uid)
{
    return (struct identity){.has_credentials = true, .uid = uid};
}

static struct identity remote_v4(uint8_t last)
{
    return (struct identity){
        .transport = IDENTITY_TCP_REMOTE,
        .address = {10, 0, 0, last},
    };
}

static struct identity remote_v6(uint8_t network, uint8_t host)
{
    return (struct identity){
        .transport = IDENTITY_TCP_REMOTE,
        .is_ipv6 = true,
        .address = {[0] = 0xfd, [7] = network, [15] = host},
    };
}

static enum quota_result take(struct quota *quota, struct identity identity,
                              struct quota_user **user)
{
    return quota_take(quota, &identity, 0, user);
}

/* Takes sessions until there is none; returns how many there were. */
static unsigned take_all(struct quota *quota, struct identity identity)
{
    struct quota_user *user;
    unsigned count = 0;

    while (count < 1000 && take(quota, identity, &user) == QUOTA_GRANTED)
        count++;
    return count;
}

Test(quota, limits_of_accounts)
{
    struct identity nobody = {.transport = IDENTITY_TCP_LOCAL, .address = {127, 0, 0, 1}};
    struct identity local = {
        .transport = IDENTITY_TCP_LOCAL,
        .has_credentials = true,
        .uid = 5,
        .address = {127, 0, 0, 1},
    };
    struct quota quota;

    quota_init(&quota, 100, 3, 7, LOG_LIMIT_PER_MINUTE);
    cr_expect(take_all(&quota, by_uid(5)) == 3, "a user");
    cr_expect(take_all(&quota, local) == 0, "the same user over TCP");
    cr_expect(take_all(&quota, by_uid(5 + QUOTA_BUCKETS)) == 3, "a user of the same bucket");
    cr_expect(take_all(&quota, nobody) == 3, "nobody");
    cr_expect(take_all(&quota, (struct identity){0}) == 0, "nobody on a Unix socket");
    cr_expect(take_all(&quota, remote_v4(1)) == 7, "another machine");
    cr_expect(take_all(&quota, remote_v4(2)) == 7, "a second one");
    cr_expect(take_all(&quota, remote_v6(1, 1)) == 7, "one with IPv6");
    cr_expect(take_all(&quota, remote_v6(1, 2)) == 0, "with another address of its network");
    cr_expect(take_all(&quota, remote_v6(2, 1)) == 7, "in another network");
    quota_clear(&quota);
}

Test(quota, families_differ)
{
    struct identity v6 = {
        .transport = IDENTITY_TCP_REMOTE,
        .is_ipv6 = true,
        .address = {10, 0, 0, 1},
    };
    struct quota quota;

    quota_init(&quota, 100, 1, 2, LOG_LIMIT_PER_MINUTE);
    cr_expect(take_all(&quota, remote_v4(1)) == 2);
    cr_expect(take_all(&quota, v6) == 2);
    quota_clear(&quota);
}

Test(quota, limit_of_all)
{
    struct quota_user *user;
    struct quota quota;

    quota_init(&quota, 2, 2, 2, LOG_LIMIT_PER_MINUTE);
    cr_expect(take(&quota, by_uid(1), &user) == QUOTA_GRANTED);
    cr_expect(take(&quota, remote_v4(1), &user) == QUOTA_GRANTED);
    cr_expect(take(&quota, by_uid(2), &user) == QUOTA_FULL);
    cr_expect(take(&quota, remote_v4(2), &user) == QUOTA_FULL);
    quota_clear(&quota);
}

Test(quota, given_back)
{
    struct quota_user *user;
    struct quota quota;

    quota_init(&quota, 10, 1, 1, LOG_LIMIT_PER_MINUTE);
    for (int i = 0; i < 5; i++) {
        cr_assert(take(&quota, remote_v4(1), &user) == QUOTA_GRANTED, "%d", i);
        cr_expect(take_all(&quota, remote_v4(1)) == 0, "%d", i);
        quota_give_back(&quota, user);
    }
    cr_expect(quota.sessions == 0);
    quota_clear(&quota);
}

/* An account lives for its sessions and for what its log owes; then it goes. */
Test(quota, accounts_are_forgotten)
{
    struct identity identity = by_uid(1), other = by_uid(1 + QUOTA_BUCKETS);
    struct quota_user *first, *user;
    struct quota quota;

    quota_init(&quota, 10, 2, 2, LOG_LIMIT_PER_MINUTE);
    quota_take(&quota, &identity, 0, &first);
    log_limit_pass(&first->log, 0);
    quota_give_back(&quota, first);
    quota_take(&quota, &other, 1, &user);
    cr_expect(user->next == first || first->next == user, "its log is not idle yet");
    quota_take(&quota, &other, LONG_AFTER, &user);
    cr_expect(quota.buckets[1] == user && !user->next, "nothing is owed any more");
    quota_clear(&quota);
}

Test(quota, description)
{
    static const struct {
        struct quota_user user;
        const char *text;
    } rows[] = {
        {{.kind = QUOTA_UID, .uid = 0}, "uid 0"},
        {{.kind = QUOTA_UID, .uid = 4294967294}, "uid 4294967294"},
        {{.kind = QUOTA_NOBODY}, "unknown uid"},
        {{.kind = QUOTA_ADDRESS, .address = {10, 0, 0, 1}}, "another machine"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        quota_user_describe(&rows[i].user, text, sizeof text);
        cr_expect(strcmp(text, rows[i].text) == 0, "row %zu: %s", i, text);
    }
}
