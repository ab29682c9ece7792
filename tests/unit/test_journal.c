/* Entries for the journal: to a socket of ours in its place. */
#include "journal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static char place[100];

static int begin(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(place, sizeof place, "/tmp/journal-%d-%u", (int)getpid(), (unsigned)rand());
    strcpy(address.sun_path, place);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void expect(int journal, const char *text)
{
    char got[4096];
    ssize_t len = recv(journal, got, sizeof got - 1, 0);

    got[len < 0 ? 0 : len] = '\0';
    cr_expect_str_eq(got, text);
}

Test(journal, an_entry_is_its_fields)
{
    const struct journal_field fields[] = {
        {"OG_COMMAND", SPAN("GETINFO address")},
        {"OG_PROFILE", SPAN("web")},
        {"OG_LABEL", SPAN("")},
    };
    int journal = begin(), fd = journal_open();

    cr_expect(journal_send(fd, place, '4', JOURNAL_ID_REFUSED, SPAN("rejected"), fields, 3));
    expect(journal, "MESSAGE=rejected\nPRIORITY=4\nSYSLOG_IDENTIFIER=onion-grater\n"
                    "MESSAGE_ID=" JOURNAL_ID_REFUSED "\nOG_COMMAND=GETINFO address\n"
                    "OG_PROFILE=web\nOG_LABEL=\n");
    cr_expect(journal_send(fd, place, '6', NULL, SPAN("a"), NULL, 0));
    expect(journal, "MESSAGE=a\nPRIORITY=6\nSYSLOG_IDENTIFIER=onion-grater\n");
    close(fd);
    close(journal);
    unlink(place);
}

Test(journal, no_value_begins_another_field)
{
    const struct journal_field fields[] = {{"OG_LABEL", SPAN("a\nPRIORITY=0")}};
    int journal = begin(), fd = journal_open();

    cr_expect(journal_send(fd, place, '4', NULL, SPAN("x\nMESSAGE_ID=y"), fields, 1));
    expect(journal, "MESSAGE=x\nPRIORITY=4\nSYSLOG_IDENTIFIER=onion-grater\nOG_LABEL=a\n");
    close(fd);
    close(journal);
    unlink(place);
}

Test(journal, says_when_there_is_none)
{
    static char large[32 * 1024];
    int journal = begin(), fd = journal_open();

    memset(large, 'x', sizeof large);
    cr_expect_not(journal_send(-1, place, '4', NULL, SPAN("x"), NULL, 0));
    cr_expect_not(journal_send(fd, "/nonexistent/socket", '4', NULL, SPAN("x"), NULL, 0));
    cr_expect_not(journal_send(fd, place, '4', NULL, span_make(large, sizeof large), NULL, 0));
    close(fd);
    close(journal);
    unlink(place);
}
