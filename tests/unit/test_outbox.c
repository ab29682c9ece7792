/* Whole messages only: what is not committed is not visible, and can be taken back. */
#include <criterion/criterion.h>
#include <string.h>

#include "outbox.h"

static void expect_ready(const struct outbox *outbox, const char *text, const char *when)
{
    struct span ready = outbox_ready(outbox);

    cr_expect(span_equals(ready, span_from_string(text)), "%s: \"%.*s\" instead of \"%s\"", when,
              (int)ready.len, ready.data, text);
}

Test(outbox, uncommitted_bytes_are_invisible)
{
    struct outbox outbox;

    outbox_init(&outbox, 100);
    buf_append_string(outbox_message(&outbox), "250-a\r\n");
    expect_ready(&outbox, "", "before commit");
    cr_expect_eq(outbox_uncommitted(&outbox), 7);
    outbox_commit(&outbox);
    expect_ready(&outbox, "250-a\r\n", "after commit");
    cr_expect_eq(outbox_uncommitted(&outbox), 0);
    outbox_clear(&outbox);
}

Test(outbox, rollback_keeps_what_was_committed)
{
    struct outbox outbox;

    outbox_init(&outbox, 100);
    buf_append_string(outbox_message(&outbox), "250 OK\r\n");
    outbox_commit(&outbox);
    buf_append_string(outbox_message(&outbox), "650 SECRET\r\n");
    outbox_sent(&outbox, 4);
    outbox_rollback(&outbox);
    expect_ready(&outbox, "OK\r\n", "after rollback");
    cr_expect_eq(outbox_uncommitted(&outbox), 0);
    outbox_clear(&outbox);
}

/* Whether the storage, which stays for the next message, still has that text. */
static bool storage_holds(const struct outbox *outbox, const char *text)
{
    return memmem(outbox->buf.data, outbox->buf.cap, text, strlen(text)) != NULL;
}

Test(outbox, a_key_is_gone_once_it_was_sent)
{
    struct outbox outbox;

    outbox_init(&outbox, 100);
    outbox.is_secret = true;
    buf_append_string(outbox_message(&outbox), "250-PrivateKey=KEY\r\n250 OK\r\n");
    outbox_commit(&outbox);
    outbox_sent(&outbox, 22);
    cr_expect(outbox.is_secret, "some of it waits");
    outbox_sent(&outbox, 6);
    cr_expect(!outbox.is_secret && outbox.buf.data && !storage_holds(&outbox, "KEY"));
    buf_append_string(outbox_message(&outbox), "250-version=1\r\n");
    outbox_commit(&outbox);
    outbox_sent(&outbox, 15);
    cr_expect(storage_holds(&outbox, "version"), "what is no secret is left alone");
    outbox_clear(&outbox);
}

Test(outbox, sent_never_passes_the_committed_part)
{
    struct outbox outbox;

    outbox_init(&outbox, 100);
    buf_append_string(outbox_message(&outbox), "250 OK\r\n");
    outbox_commit(&outbox);
    buf_append_string(outbox_message(&outbox), "more");
    outbox_sent(&outbox, 1000);
    expect_ready(&outbox, "", "all sent");
    outbox_commit(&outbox);
    expect_ready(&outbox, "more", "the rest");
    outbox_clear(&outbox);
}
