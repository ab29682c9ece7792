/* `onions` decides: what applications send, in every order that they send it, and what they must
 * not get. */
#include "decide_fixture.h"

#include "mem.h"

/* 86 characters, to be padded; 52 of clients' keys. */
#define STORED \
    "ED25519-V3:" \
    "QOsB0RfoIhMLpcDVPDrTVxXJW8pZawDg4d36LcG2pKQ0KnhGl3tgVHXA2RcwxEAPbSgcPfZjLsBR71WUg1p+/w=="
#define CLIENT "E2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA"
#define CLIENT_LOWER "e2got5ltutp3oamrcrxo4gsh6vkjeuoxzquc336srkahttt5ovsa"
#define CLIENT_2 "A2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA"
#define ONION "fcmh5o5ft7aedeecfe7c5wtbvr54eblttz7bwv7blv3cb7eyfrogx3ad"
#define ONION_UPPER "FCMH5O5FT7AEDEECFE7C5WTBVR54EBLTTZ7BWV7BLV3CB7EYFROGX3AD"
#define X25519 "x25519:PCgKJcbEKfwkXuzkkzs1QkLuGh5TfXhzZ3KTbmTVb+/="

#define NO_VIRTUAL "a virtual port that onions does not list"
#define NO_TARGET "a target that onions does not list"
#define NO_FLAG "a flag that onions does not list"
#define NO_NEW "a new key, which onions does not allow"
#define NO_STORED "a stored key, which onions does not allow"
#define NO_CLIENTS "ClientAuthV3=, which onions does not allow"
#define NO_STREAMS "MaxStreams=, which onions does not allow"
#define MANY_STREAMS "MaxStreams= beyond what onions allows"
#define NO_POW "proof-of-work arguments, which onions does not allow"
#define NO_KEYWORD "a keyword that ADD_ONION does not have"
#define UNKNOWN_FLAG "a flag that ADD_ONION does not have"
#define TWICE "a keyword twice that can have one value only"
#define NO_KEY "a key that is not NEW:BEST, NEW:ED25519-V3 or ED25519-V3:..."
#define NO_PAIR "a keyword argument that tor cannot parse"
#define KERNEL_PATH "a socket path below /proc, /sys or /dev"
#define OLD_TOR "512 Bad arguments to ADD_ONION: Unrecognized keyword argument\r\n"

/* --- applications --- */

static const char applications[] =
    FOR_ANYBODY                                              /* 2 */
    "  onions:\n"                                            /* 3 */
    "    create:\n"                                          /* 4 */
    "    - virtual-ports: [80]\n"                            /* 5: OnionShare */
    "      targets: [17600-17650]\n"                         /* 6 */
    "      client-auth: true\n"                              /* 7 */
    "    - virtual-ports: [9735, 9911]\n"                    /* 8: lnd, Core Lightning, Eclair */
    "      targets: [9735, 9911]\n"                          /* 9 */
    "      flags: [DiscardPK, Detach]\n"                     /* 10 */
    "    - virtual-ports: [8333]\n"                          /* 11: bitcoind */
    "      targets: ['127.0.0.1:8334']\n"                    /* 12 */
    "      proof-of-work: true\n"                            /* 13 */
    "    - virtual-ports: [9999]\n"                          /* 14: Haveno */
    "      targets: [1024-65535]\n"                          /* 15 */
    "      proof-of-work: yes\n"                             /* 16 */
    "    - virtual-ports: [8181, 64738]\n"                   /* 17: Wahay */
    "      targets: [1024-65535, '0.0.0.0:1024-65535']\n"    /* 18 */
    "    - virtual-ports: [9878]\n"                          /* 19: Cwtch */
    "      targets: ['[::]:15000-15378']\n"                  /* 20 */
    "      require-flags: [DiscardPK, Detach]\n"             /* 21 */
    "      keys: [stored]\n"                                 /* 22 */
    "    - virtual-ports: [9878]\n"                          /* 23: Ricochet Refresh */
    "      targets: ['127.0.0.1:1-65535']\n"                 /* 24 */
    "      flags: [DiscardPK]\n"                             /* 25 */
    "      client-auth: yes\n"                               /* 26 */
    "    - virtual-ports: [15441]\n"                         /* 27: ZeroNet */
    "      targets: [15441]\n"                               /* 28 */
    "      keys: [new]\n";                                   /* 29 */

Test(decide_onions, applications)
{
    static const struct row rows[] = {
        /* OnionShare: public, private, persistent, with more than one client */
        {"ADD_ONION NEW:ED25519-V3 Port=80,17600", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:17600", 5},
        {"ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=80,17650 ClientAuthV3=" CLIENT, REWRITE,
         "ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=80,127.0.0.1:17650 ClientAuthV3=" CLIENT, 5},
        {"ADD_ONION " STORED " Flags=V3Auth Port=80,17650 ClientAuthV3=" CLIENT, REWRITE,
         "ADD_ONION " STORED " Flags=V3Auth Port=80,127.0.0.1:17650 ClientAuthV3=" CLIENT, 5},
        {"ADD_ONION " STORED " Port=80,17601", REWRITE,
         "ADD_ONION " STORED " Port=80,127.0.0.1:17601", 5},
        {"ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=80,127.0.0.1:17650 ClientAuthV3=" CLIENT
         " ClientAuthV3=" CLIENT_2,
         FORWARD,
         "ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=80,127.0.0.1:17650 ClientAuthV3=" CLIENT
         " ClientAuthV3=" CLIENT_2,
         5},
        /* its probe points to a port that it does not listen on */
        {"ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=1,1 ClientAuthV3=" CLIENT, REFUSE, NO_VIRTUAL,
         5},
        {"ADD_ONION NEW:ED25519-V3 Port=80,17651", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:ED25519-V3 Port=80,17599", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:ED25519-V3 Port=80", REFUSE, NO_TARGET, 5},

        /* lnd ends with a space; Core Lightning, Eclair */
        {"ADD_ONION NEW:ED25519-V3 Port=9735,9735 ", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=9735,127.0.0.1:9735", 8},
        {"ADD_ONION " STORED " Port=9911,9911 ", REWRITE,
         "ADD_ONION " STORED " Port=9911,127.0.0.1:9911", 8},
        {"ADD_ONION NEW:ED25519-V3 Port=9735,127.0.0.1:9735 ", FORWARD,
         "ADD_ONION NEW:ED25519-V3 Port=9735,127.0.0.1:9735", 8},
        {"ADD_ONION NEW:ED25519-V3 Port=9735,127.0.0.1:9735 Flags=DiscardPK,Detach", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,Detach Port=9735,127.0.0.1:9735", 8},
        {"ADD_ONION " STORED " Port=9735,127.0.0.1:9735 Flags=DiscardPK", REWRITE,
         "ADD_ONION " STORED " Flags=DiscardPK Port=9735,127.0.0.1:9735", 8},
        {"ADD_ONION NEW:ED25519-V3 Port=9735", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=9735,127.0.0.1:9735", 8},
        {"ADD_ONION NEW:ED25519-V3 Port=9735,10.0.0.2:9735", REFUSE, NO_TARGET, 8},

        /* bitcoind, today's and older */
        {"ADD_ONION NEW:ED25519-V3 PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334", FORWARD,
         "ADD_ONION NEW:ED25519-V3 PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334", 11},
        {"ADD_ONION " STORED " Port=8333,127.0.0.1:8334", FORWARD,
         "ADD_ONION " STORED " Port=8333,127.0.0.1:8334", 11},
        {"ADD_ONION NEW:ED25519-V3 Port=8333,8334", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=8333,127.0.0.1:8334", 11},
        {"ADD_ONION NEW:ED25519-V3 Port=8333,127.0.0.1:8332", REFUSE, NO_TARGET, 11},

        /* Bisq, and Haveno in hash order */
        {"ADD_ONION NEW:BEST Port=9999,40000", REWRITE,
         "ADD_ONION NEW:BEST Port=9999,127.0.0.1:40000", 14},
        {"ADD_ONION NEW:BEST PoWQueueBurst=100 PoWDefensesEnabled=1 PoWQueueRate=10 "
         "Port=9999,40000",
         REWRITE,
         "ADD_ONION NEW:BEST PoWDefensesEnabled=1 PoWQueueRate=10 PoWQueueBurst=100 "
         "Port=9999,127.0.0.1:40000",
         14},
        {"ADD_ONION " STORED " PoWQueueRate=10 PoWQueueBurst=100 PoWDefensesEnabled=1 "
         "Port=9999,40000",
         REWRITE,
         "ADD_ONION " STORED " PoWDefensesEnabled=1 PoWQueueRate=10 PoWQueueBurst=100 "
         "Port=9999,127.0.0.1:40000",
         14},
        {"ADD_ONION NEW:BEST Port=9999,1023", REFUSE, NO_TARGET, 14},

        /* Wahay in random order, on two kinds of hosts */
        {"ADD_ONION NEW:ED25519-V3 Port=8181,127.0.0.1:5000 Port=64738,127.0.0.1:6000", FORWARD,
         "ADD_ONION NEW:ED25519-V3 Port=8181,127.0.0.1:5000 Port=64738,127.0.0.1:6000", 17},
        {"ADD_ONION NEW:ED25519-V3 Port=64738,0.0.0.0:6000 Port=8181,0.0.0.0:5000 ", FORWARD,
         "ADD_ONION NEW:ED25519-V3 Port=64738,0.0.0.0:6000 Port=8181,0.0.0.0:5000", 17},
        /* every port has to fit one and the same entry */
        {"ADD_ONION NEW:ED25519-V3 Port=8181,127.0.0.1:5000 Port=80,17600", REFUSE, NO_VIRTUAL, 5},
        {"ADD_ONION NEW:ED25519-V3 Port=8181,127.0.0.1:5000 Port=64738,[::1]:6000", REFUSE,
         NO_TARGET, 17},

        /* Cwtch: IPv6 wildcard, flags that are required anyhow */
        {"ADD_ONION " STORED " Flags=DiscardPK,Detach Port=9878,[::]:15000", FORWARD,
         "ADD_ONION " STORED " Flags=DiscardPK,Detach Port=9878,[::]:15000", 19},
        {"ADD_ONION " STORED " Flags=Detach Port=9878,[::]:15378", REWRITE,
         "ADD_ONION " STORED " Flags=DiscardPK,Detach Port=9878,[::]:15378", 19},
        {"ADD_ONION " STORED " Port=9878,[0:0::0]:15378", REWRITE,
         "ADD_ONION " STORED " Flags=DiscardPK,Detach Port=9878,[::]:15378", 19},
        {"ADD_ONION " STORED " Port=9878,[::]:15379", REFUSE, NO_TARGET, 19},
        {"ADD_ONION " STORED " Port=9878,0.0.0.0:15378", REFUSE, NO_TARGET, 19},
        {"ADD_ONION NEW:BEST Flags=DiscardPK,Detach Port=9878,[::]:15000", REFUSE, NO_TARGET, 23},

        /* Ricochet Refresh, another entry for the same port */
        {"ADD_ONION " STORED " Flags=DiscardPK Port=9878,127.0.0.1:40001", FORWARD,
         "ADD_ONION " STORED " Flags=DiscardPK Port=9878,127.0.0.1:40001", 23},
        {"ADD_ONION " STORED " Flags=DiscardPK,V3Auth Port=9878,127.0.0.1:40001 "
         "ClientAuthV3=" CLIENT " ClientAuthV3=" CLIENT_LOWER,
         REWRITE,
         "ADD_ONION " STORED " Flags=DiscardPK,V3Auth Port=9878,127.0.0.1:40001 "
         "ClientAuthV3=" CLIENT " ClientAuthV3=" CLIENT,
         23},

        /* forks of ZeroNet; the key type of its own is none any more */
        {"ADD_ONION NEW:ED25519-V3 port=15441", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=15441,127.0.0.1:15441", 27},
        {"ADD_ONION NEW:RSA1024 port=15441", REFUSE, NO_KEY, 5},
        {"ADD_ONION " STORED " port=15441", REFUSE, NO_VIRTUAL, 5},

        /* the command and its keywords in any case */
        {"add_onion new:best PORT=80,17600", REWRITE,
         "ADD_ONION NEW:BEST Port=80,127.0.0.1:17600", 5},
    };

    EXPECT_ROWS(applications, rows);
}

/* --- attacks --- */

Test(decide_onions, attacks)
{
    static const struct row rows[] = {
        /* targets under another name, and what a resolver would be asked for */
        {"ADD_ONION NEW:BEST Port=80,localhost:17600", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=80,127.1:17600", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=80,0x7f.1:17600", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=80,2130706433:17600", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=80,0:17600", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=80,any.host.name:17600", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=80,127.0.0.2:17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,0.0.0.0:17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,[::1]:17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,[::]:17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,10.0.0.2:17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,[::127.0.0.1]:17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,[7f00:1::]:17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,[::ffff:127.0.0.1]:17600", REWRITE,
         "ADD_ONION NEW:BEST Port=80,127.0.0.1:17600", 5},
        {"ADD_ONION NEW:BEST Port=80,unix:/run/tor/control", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,unix:/proc/self/root/run/tor/control", REFUSE, KERNEL_PATH,
         5},
        {"ADD_ONION NEW:BEST Port=80,unix:/dev/log", REFUSE, KERNEL_PATH, 5},
        {"ADD_ONION NEW:BEST Port=80,17600,unix:/run/tor/control", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=,80,17600", REFUSE, BAD_PORT, 5},
        {"ADD_ONION NEW:BEST Port=80,,17600", REFUSE, NOT_LITERAL, 5},
        {"ADD_ONION NEW:BEST Port=80,9051 Port=80,17600", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 Port=80,9051", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 port=80,9051", REFUSE, NO_TARGET, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 Port=81,17600", REFUSE, NO_VIRTUAL, 5},
        /* numbers as strtol reads them */
        {"ADD_ONION NEW:BEST Port=+80,17600", REFUSE, BAD_PORT, 5},
        {"ADD_ONION NEW:BEST Port=080,17600", REFUSE, BAD_PORT, 5},
        {"ADD_ONION NEW:BEST Port=80,017600", REFUSE, BAD_PORT, 5},
        {"ADD_ONION NEW:BEST Port=80,83136", REFUSE, BAD_PORT, 5},
        {"ADD_ONION NEW:BEST Port=4294967376,17600", REFUSE, BAD_PORT, 5},
        /* flags, hidden behind others, in another case, in a second Flags= */
        {"ADD_ONION NEW:BEST Flags=Detach Port=80,17600", REFUSE, NO_FLAG, 5},
        {"ADD_ONION NEW:BEST Flags=V3Auth Flags=detach Port=80,17600 ClientAuthV3=" CLIENT, REFUSE,
         NO_FLAG, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 FLAGS=DETACH", REFUSE, NO_FLAG, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 Flags=NonAnonymous", REFUSE, NO_FLAG, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 Flags=,Detach", REFUSE, UNKNOWN_FLAG, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 Flags=", REFUSE, UNKNOWN_FLAG, 5},
        {"ADD_ONION NEW:BEST Port=9735 Flags=V3Auth", REFUSE, NO_FLAG, 8},
        {"ADD_ONION NEW:BEST Port=9735 ClientAuthV3=" CLIENT, REFUSE, NO_CLIENTS, 8},
        /* what the entry does not mention */
        {"ADD_ONION NEW:BEST Port=80,17600 MaxStreams=1", REFUSE, NO_STREAMS, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 MaxStreams=0", REFUSE, NO_STREAMS, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 PoWDefensesEnabled=1", REFUSE, NO_POW, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 PoWQueueRate=1", REFUSE, NO_POW, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 powqueueburst=1", REFUSE, NO_POW, 5},
        {"ADD_ONION NEW:BEST Port=8333,8334 PoWDefensesEnabled=1 PoWDefensesEnabled=0", REFUSE,
         TWICE, 5},
        /* keys */
        {"ADD_ONION :NEW:BEST: Port=80,17600", REFUSE, NO_KEY, 5},
        {"ADD_ONION NEW::BEST Port=80,17600", REFUSE, NO_KEY, 5},
        {"ADD_ONION ED25519-V3:AAAA Port=80,17600", REFUSE, NO_KEY, 5},
        /* what tor never answers, and what it does not know */
        {"ADD_ONION NEW:BEST Port=80,17600 ClientAuth=a", REFUSE, NO_ANSWER, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 Target=1", REFUSE, NO_KEYWORD, 5},
        {"ADD_ONION NEW:BEST Port=80,17600 x", REFUSE, NO_PAIR, 5},
        {"ADD_ONION NEW:BEST Port=\"80,17600\"", REFUSE, NO_PAIR, 5},
        {"ADD_ONION NEW:BEST", REFUSE, "an onion service without Port=", 5},
        {"ADD_ONION", REFUSE, "too few arguments for this command", 5},
        {"ADD_ONION  ", REFUSE, "too few arguments for this command", 5},
        /* other commands gain nothing */
        {"DEL_ONION " ONION, REFUSE, NO_RULE, 0},
        {"HSFETCH " ONION, REFUSE, NO_RULE, 0},
        {"ONION_CLIENT_AUTH_VIEW", REFUSE, NO_RULE, 0},
        {"SETEVENTS HS_DESC", REFUSE, NO_EVENT, 0},
        {"SETCONF HiddenServiceDir=/x", REFUSE, BY_CONFS, 0},
    };

    EXPECT_ROWS(applications, rows);
}

/* A command with a NUL or another control character is marked by the reader; should one come here
 * all the same, it is refused. */
Test(decide_onions, bytes_that_are_no_text)
{
    static const struct span rows[] = {
        SPAN("NEW:BEST Port=80,17600\0,unix:/run/tor/control"),
        SPAN("NEW:BEST Port=80,17600\rFlags=Detach"),
        SPAN("NEW:BEST Port=80,17600\tFlags=Detach"),
        SPAN("NEW:BEST Port=80,17600\x0b"),
        SPAN("NEW:BEST Port=80,17600 \xc2\xa0"),
        SPAN("NEW:BEST Port=80,17600 Flags=V3Auth\0"),
    };
    struct policy *policy = fixture_policy(applications);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct command command = {
            .keyword = keyword_find(SPAN("ADD_ONION"), false),
            .name = SPAN("ADD_ONION"),
            .arguments = rows[i],
        };
        struct decision decision;
        policy_decide(&view, &command, &variables, &decision);
        cr_expect_eq(decision.verdict, VERDICT_REFUSE, "row %zu", i);
        cr_expect_eq(decision.claim, ONION_CLAIM_NONE, "row %zu", i);
        decision_clear(&decision);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* --- targets --- */

static const char targets[] =
    FOR_ANYBODY
    "  onions:\n"
    "    create:\n"
    "    - virtual-ports: [1]\n" /* 5 */
    "      targets: [8080-8081]\n"
    "      target-address: '{client-address}'\n"
    "    - virtual-ports: [2]\n" /* 8 */
    "      targets: ['{client-address}:9000-9001', '127.0.0.1:9002', '[::1]:9003']\n"
    "    - virtual-ports: [3]\n" /* 10 */
    "      targets: ['unix:/run/app/*.sock', unix:/run/one, 'unix:/run/*/a*b*c', 'unix:/run/e*']\n"
    "    - virtual-ports: [4]\n" /* 12 */
    "      targets: [1-65535, 'unix:/run/app/a', '192.168.0.1:1']\n"
    "      target-address: 'fd00::1'\n"
    "    - virtual-ports: [6]\n" /* 15 */
    "      targets: [8080]\n"
    "      target-address: '{server-address}'\n"
    "    - virtual-ports: [10-20, 30, 65535]\n" /* 18 */
    "      targets: [1-65535]\n";

#define ADD "ADD_ONION NEW:BEST Port="

Test(decide_onions, targets)
{
    static const struct row rows[] = {
        /* rewritten: however the client names itself */
        {ADD "1,8080", REWRITE, ADD "1,10.0.0.2:8080", 5},
        {ADD "1,8081", REWRITE, ADD "1,10.0.0.2:8081", 5},
        {ADD "1,127.0.0.1:8080", REWRITE, ADD "1,10.0.0.2:8080", 5},
        {ADD "1,0.0.0.0:8080", REWRITE, ADD "1,10.0.0.2:8080", 5},
        {ADD "1,[::]:8080", REWRITE, ADD "1,10.0.0.2:8080", 5},
        {ADD "1,[::1]:8080", REWRITE, ADD "1,10.0.0.2:8080", 5},
        {ADD "1,10.0.0.2:8080", FORWARD, ADD "1,10.0.0.2:8080", 5},
        {ADD "1,[::ffff:10.0.0.2]:8080", REWRITE, ADD "1,10.0.0.2:8080", 5},
        {ADD "1,10.0.0.3:8080", REFUSE, NO_TARGET, 5},
        {ADD "1,127.0.0.2:8080", REFUSE, NO_TARGET, 5},
        {ADD "1,[::2]:8080", REFUSE, NO_TARGET, 5},
        {ADD "1,[100::]:8080", REFUSE, NO_TARGET, 5},
        {ADD "1,0.0.0.1:8080", REFUSE, NO_TARGET, 5},
        {ADD "1,8082", REFUSE, NO_TARGET, 5},
        {ADD "1,8079", REFUSE, NO_TARGET, 5},
        {ADD "1,10.0.0.2:8082", REFUSE, NO_TARGET, 5},
        {ADD "1", REFUSE, NO_TARGET, 5},
        {ADD "1,unix:/run/app/a", REFUSE, NO_TARGET, 5},
        {ADD "1,8080 Port=1,[::]:8081", REWRITE, ADD "1,10.0.0.2:8080 Port=1,10.0.0.2:8081", 5},

        /* as named: exactly */
        {ADD "2,10.0.0.2:9000", FORWARD, ADD "2,10.0.0.2:9000", 8},
        {ADD "2,10.0.0.2:9001", FORWARD, ADD "2,10.0.0.2:9001", 8},
        {ADD "2,127.0.0.1:9002", FORWARD, ADD "2,127.0.0.1:9002", 8},
        {ADD "2,9002", REWRITE, ADD "2,127.0.0.1:9002", 8},
        {ADD "2,[::1]:9003", FORWARD, ADD "2,[::1]:9003", 8},
        {ADD "2,127.0.0.1:9000", REFUSE, NO_TARGET, 8},
        {ADD "2,10.0.0.2:9002", REFUSE, NO_TARGET, 8},
        {ADD "2,10.0.0.3:9000", REFUSE, NO_TARGET, 8},
        {ADD "2,0.0.0.0:9002", REFUSE, NO_TARGET, 8},
        {ADD "2,[::]:9003", REFUSE, NO_TARGET, 8},
        {ADD "2,[::1]:9002", REFUSE, NO_TARGET, 8},

        /* paths: a star stays in its part */
        {ADD "3,unix:/run/app/a.sock", FORWARD, ADD "3,unix:/run/app/a.sock", 10},
        {ADD "3,unix:/run/app/.sock", FORWARD, ADD "3,unix:/run/app/.sock", 10},
        {ADD "3,unix:/run/app/a.sock.sock", FORWARD, ADD "3,unix:/run/app/a.sock.sock", 10},
        {ADD "3,unix:/run/one", FORWARD, ADD "3,unix:/run/one", 10},
        {ADD "3,unix:/run/x/abc", FORWARD, ADD "3,unix:/run/x/abc", 10},
        {ADD "3,unix:/run/x/aabbcc", FORWARD, ADD "3,unix:/run/x/aabbcc", 10},
        {ADD "3,unix:/run/x/a1b2c1bc", FORWARD, ADD "3,unix:/run/x/a1b2c1bc", 10},
        {ADD "3,unix:/run/e", FORWARD, ADD "3,unix:/run/e", 10},
        {ADD "3,unix:/run/ee*", FORWARD, ADD "3,unix:/run/ee*", 10},
        {ADD "3,unix:/run/e/e", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/x/acb", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/x/abcd", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/x/y/abc", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/x/ab/c", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/app/x/a.sock", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/app/a.sockx", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/app/a/.sock", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/app/../tor/a.sock", REFUSE, BAD_PATH, 5},
        {ADD "3,unix:/run/ones", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/on", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/run/One", REFUSE, NO_TARGET, 10},
        {ADD "3,unix:/x/run/one", REFUSE, NO_TARGET, 10},
        {ADD "3,80", REFUSE, NO_TARGET, 10},

        /* another address; a socket stays what it is */
        {ADD "4", REWRITE, ADD "4,[fd00::1]:4", 12},
        {ADD "4,[::]:65535", REWRITE, ADD "4,[fd00::1]:65535", 12},
        {ADD "4,unix:/run/app/a", FORWARD, ADD "4,unix:/run/app/a", 12},
        {ADD "4,192.168.0.1:1", REWRITE, ADD "4,[fd00::1]:1", 12},
        {ADD "4,192.168.0.1:2", REFUSE, NO_TARGET, 12},
        {ADD "4,[fd00::1]:1", REFUSE, NO_TARGET, 12},
        {ADD "4,1 Port=4,unix:/run/app/a", REWRITE, ADD "4,[fd00::1]:1 Port=4,unix:/run/app/a",
         12},
        {ADD "6,8080", REWRITE, ADD "6,127.0.0.1:8080", 15},

        /* virtual ports: both ends */
        {ADD "10,1", REWRITE, ADD "10,127.0.0.1:1", 18},
        {ADD "20,1", REWRITE, ADD "20,127.0.0.1:1", 18},
        {ADD "30,1", REWRITE, ADD "30,127.0.0.1:1", 18},
        {ADD "65535,1", REWRITE, ADD "65535,127.0.0.1:1", 18},
        {ADD "9,1", REFUSE, NO_VIRTUAL, 5},
        {ADD "21,1", REFUSE, NO_VIRTUAL, 5},
        {ADD "29,1", REFUSE, NO_VIRTUAL, 5},
        {ADD "31,1", REFUSE, NO_VIRTUAL, 5},
        {ADD "65534,1", REFUSE, NO_VIRTUAL, 5},
    };

    EXPECT_ROWS(targets, rows);
}

/* The client's address as other transports write it. */
Test(decide_onions, other_clients)
{
    static const struct {
        struct span client;
        const char *line;
        const char *arguments; /* NULL: refused */
    } rows[] = {
        {SPAN("fd00::5"), ADD "1,8080", "NEW:BEST Port=1,[fd00::5]:8080"},
        {SPAN("fd00::5"), ADD "1,[fd00:0::5]:8080", "NEW:BEST Port=1,[fd00::5]:8080"},
        {SPAN("fd00::5"), ADD "1,10.0.0.2:8080", NULL},
        {SPAN("fd00::5"), ADD "2,[fd00::5]:9000", "NEW:BEST Port=2,[fd00::5]:9000"},
        {SPAN("fd00::5"), ADD "2,10.0.0.2:9000", NULL},
        {SPAN("::ffff:10.0.0.9"), ADD "1,10.0.0.9:8080", "NEW:BEST Port=1,10.0.0.9:8080"},
        {SPAN("127.0.0.1"), ADD "1,8080", "NEW:BEST Port=1,127.0.0.1:8080"},
        {SPAN("127.0.0.1"), ADD "2,9000", "NEW:BEST Port=2,127.0.0.1:9000"},
        /* none that can be written */
        {SPAN("fe80::1%eth0"), ADD "1,8080", NULL},
        {SPAN("fe80::1%eth0"), ADD "2,[fe80::1]:9000", NULL},
        {SPAN("machine"), ADD "1,8080", NULL},
        {SPAN("10.0.0.2:80"), ADD "1,8080", NULL},
        {SPAN(""), ADD "1,8080", NULL},
        {SPAN(""), ADD "2,0.0.0.0:9000", NULL},
        {SPAN(""), ADD "2,[::]:9000", NULL},
        {SPAN(""), ADD "1,0.0.0.0:8080", NULL},
    };
    struct policy *policy = fixture_policy(targets);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct template_variables of_row = {.client_address = rows[i].client};
        struct decision decision;
        struct command command;
        command_parse_line(span_from_string(rows[i].line), &command);
        policy_decide(&view, &command, &of_row, &decision);
        cr_expect_eq(decision.verdict == VERDICT_FORWARD, rows[i].arguments != NULL, "row %zu", i);
        cr_expect(span_equals(buf_span(&decision.arguments), span_from_string(rows[i].arguments)),
                  "row %zu: '%.*s'", i, (int)decision.arguments.len,
                  buf_span(&decision.arguments).data);
        decision_clear(&decision);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* --- flags, keys, numbers --- */

static const char options[] =
    FOR_ANYBODY
    "  onions:\n"
    "    create:\n"
    "    - virtual-ports: [1]\n" /* 5 */
    "      targets: [1]\n"
    "      flags: [nonanonymous, MaxStreamsCloseCircuit]\n"
    "      require-flags: [DiscardPK]\n"
    "      drop-flags: [Detach]\n"
    "      max-streams: any\n"
    "    - virtual-ports: [2]\n" /* 11 */
    "      targets: [1]\n"
    "      max-streams: 10\n"
    "      keys: [new]\n"
    "      proof-of-work: drop\n"
    "    - virtual-ports: [3]\n" /* 16 */
    "      targets: [1]\n"
    "      proof-of-work: refuse-512\n"
    "      keys: [stored]\n"
    "    - virtual-ports: [4]\n" /* 20 */
    "      targets: [1]\n"
    "      proof-of-work: off\n"
    "      client-auth: false\n"
    "    - virtual-ports: [4]\n" /* 24 */
    "      targets: [1]\n"
    "      client-auth: true\n"
    "      require-flags: [V3Auth]\n"
    "    - {virtual-ports: [5], targets: [1], proof-of-work: refuse-512}\n" /* 28 */
    "    - {virtual-ports: [5], targets: [1, 2], proof-of-work: true}\n";   /* 29 */

Test(decide_onions, options)
{
    static const struct row rows[] = {
        {ADD "1", REWRITE, "ADD_ONION NEW:BEST Flags=DiscardPK Port=1,127.0.0.1:1", 5},
        {ADD "1 Flags=Detach", REWRITE, "ADD_ONION NEW:BEST Flags=DiscardPK Port=1,127.0.0.1:1", 5},
        {"ADD_ONION NEW:BEST Flags=DiscardPK Port=1,127.0.0.1:1", FORWARD,
         "ADD_ONION NEW:BEST Flags=DiscardPK Port=1,127.0.0.1:1", 5},
        {ADD "1 Flags=Detach,NonAnonymous,MaxStreamsCloseCircuit MaxStreams=0", REWRITE,
         "ADD_ONION NEW:BEST Flags=DiscardPK,MaxStreamsCloseCircuit,NonAnonymous MaxStreams=0 "
         "Port=1,127.0.0.1:1",
         5},
        {ADD "1 MaxStreams=65535", REWRITE,
         "ADD_ONION NEW:BEST Flags=DiscardPK MaxStreams=65535 Port=1,127.0.0.1:1", 5},
        {ADD "1 Flags=V3Auth", REFUSE, NO_FLAG, 5},

        {ADD "2,1 MaxStreams=10", REWRITE, "ADD_ONION NEW:BEST MaxStreams=10 Port=2,127.0.0.1:1",
         11},
        {ADD "2,1 MaxStreams=1", REWRITE, "ADD_ONION NEW:BEST MaxStreams=1 Port=2,127.0.0.1:1", 11},
        {ADD "2,1 MaxStreams=11", REFUSE, MANY_STREAMS, 11},
        /* 0 is no limit at all */
        {ADD "2,1 MaxStreams=0", REFUSE, MANY_STREAMS, 11},
        {ADD "2,1 PoWDefensesEnabled=1 PoWQueueRate=1 PoWQueueBurst=1", REWRITE,
         "ADD_ONION NEW:BEST Port=2,127.0.0.1:1", 11},
        {"ADD_ONION " STORED " Port=2,1", REFUSE, NO_VIRTUAL, 5},

        {"ADD_ONION " STORED " Port=3,127.0.0.1:1", FORWARD,
         "ADD_ONION " STORED " Port=3,127.0.0.1:1", 16},
        {"ADD_ONION " STORED " Port=3,127.0.0.1:1 PoWDefensesEnabled=1", ANSWER, OLD_TOR, 16},
        {"ADD_ONION " STORED " Port=3,127.0.0.1:1 PoWQueueRate=1", ANSWER, OLD_TOR, 16},
        /* only what would be allowed without it is answered so */
        {"ADD_ONION " STORED " Port=3,127.0.0.1:2 PoWDefensesEnabled=1", REFUSE, NO_TARGET, 16},
        {"ADD_ONION " STORED " Port=3,1 PoWDefensesEnabled=1 Flags=Detach", REFUSE, NO_FLAG, 16},
        {"ADD_ONION NEW:BEST Port=3,1 PoWDefensesEnabled=1", REFUSE, NO_VIRTUAL, 5},

        {ADD "4,1", REWRITE, ADD "4,127.0.0.1:1", 20},
        {ADD "4,1 PoWDefensesEnabled=0", REFUSE, NO_POW, 20},
        {ADD "4,1 ClientAuthV3=" CLIENT, REWRITE,
         "ADD_ONION NEW:BEST Flags=V3Auth Port=4,127.0.0.1:1 ClientAuthV3=" CLIENT, 24},
        {ADD "4,1 Flags=V3Auth ClientAuthV3=" CLIENT, REWRITE,
         "ADD_ONION NEW:BEST Flags=V3Auth Port=4,127.0.0.1:1 ClientAuthV3=" CLIENT, 24},
        {ADD "4,1 Flags=V3Auth,Detach ClientAuthV3=" CLIENT, REFUSE, NO_FLAG, 20},

        /* the first entry that has an answer decides */
        {ADD "5,1 PoWDefensesEnabled=1", ANSWER, OLD_TOR, 28},
        {ADD "5,2 PoWDefensesEnabled=1", REWRITE,
         "ADD_ONION NEW:BEST PoWDefensesEnabled=1 Port=5,127.0.0.1:2", 29},
        {ADD "5,1", REWRITE, ADD "5,127.0.0.1:1", 28},
    };

    EXPECT_ROWS(options, rows);
}

Test(decide_onions, keys_that_are_not_allowed)
{
    static const struct row of_new[] = {
        {ADD "1", REFUSE, NO_NEW, 4},
        {"ADD_ONION NEW:ED25519-V3 Port=1", REFUSE, NO_NEW, 4},
    };
    static const struct row of_stored[] = {{"ADD_ONION " STORED " Port=1", REFUSE, NO_STORED, 4}};

    EXPECT_ROWS(FOR_ANYBODY "  onions:\n    create: {virtual-ports: [1], targets: [1], "
                            "keys: [stored]}\n",
                of_new);
    EXPECT_ROWS(FOR_ANYBODY "  onions:\n    create: {virtual-ports: [1], targets: [1], "
                            "keys: [new]}\n",
                of_stored);
}

/* --- the other commands --- */

static const char own[] = FOR_ANYBODY
    "  onions:\n"
    "    delete: own\n"           /* 4 */
    "    fetch: true\n"           /* 5 */
    "    client-auth-keys: own\n" /* 6 */
    "    events: own\n"           /* 7 */
    "  commands:\n"
    "    ADD_ONION: ['NEW:BEST Port=1']\n"; /* 9 */

#define NO_ADDRESS "an address that is not 56 characters of base32"

Test(decide_onions, other_commands)
{
    static const struct row rows[] = {
        {"DEL_ONION " ONION, FORWARD, "DEL_ONION " ONION, 4},
        {"del_onion  " ONION "  ", FORWARD, "DEL_ONION " ONION, 4},
        {"DEL_ONION " ONION_UPPER, REFUSE, NO_ADDRESS " in lower case", 4},
        {"DEL_ONION " ONION " " ONION, REFUSE, "too many arguments for this command", 4},
        {"DEL_ONION", REFUSE, "too few arguments for this command", 4},
        {"HSFETCH " ONION, FORWARD, "HSFETCH " ONION, 5},
        {"HSFETCH " ONION_UPPER, REWRITE, "HSFETCH " ONION, 5},
        {"HSFETCH " ONION " SERVER=x", REFUSE, "SERVER= is no relay's fingerprint", 5},
        {"HSFETCH", REFUSE, "too few arguments for this command", 5},
        {"ONION_CLIENT_AUTH_ADD " ONION " " X25519, FORWARD,
         "ONION_CLIENT_AUTH_ADD " ONION " " X25519, 6},
        {"onion_client_auth_add " ONION_UPPER " " X25519 " Flags=Permanent ClientName=a", REWRITE,
         "ONION_CLIENT_AUTH_ADD " ONION " " X25519 " ClientName=a Flags=Permanent", 6},
        {"ONION_CLIENT_AUTH_ADD " ONION " " X25519 " ClientName=0123456789abcdefg", REFUSE,
         "ClientName= is not 1 to 16 characters", 6},
        {"ONION_CLIENT_AUTH_ADD " ONION, REFUSE, "too few arguments for this command", 6},
        {"ONION_CLIENT_AUTH_REMOVE " ONION_UPPER, REWRITE, "ONION_CLIENT_AUTH_REMOVE " ONION, 6},
        {"ONION_CLIENT_AUTH_REMOVE", REFUSE, "too few arguments for this command", 6},
        {"onion_client_auth_view", FORWARD, "ONION_CLIENT_AUTH_VIEW", 6},
        {"ONION_CLIENT_AUTH_VIEW  ", FORWARD, "ONION_CLIENT_AUTH_VIEW", 6},
        {"ONION_CLIENT_AUTH_VIEW " ONION, FORWARD, "ONION_CLIENT_AUTH_VIEW " ONION, 6},
        {"ONION_CLIENT_AUTH_VIEW x", REFUSE, NO_ADDRESS, 6},
        {"SETEVENTS HS_DESC", SUBSCRIBE, "HS_DESC", 7},
        {"SETEVENTS hs_desc HS_DESC_CONTENT", SUBSCRIBE, "hs_desc HS_DESC_CONTENT", 7},
        {"SETEVENTS HS_DESC CIRC", REFUSE, NO_EVENT, 0},
        /* patterns for what `onions` has no key for */
        {ADD "1", REWRITE, ADD "1,127.0.0.1:1", 9},
        {ADD "2", REFUSE, NO_MATCH, 0},
        {"HSPOST " ONION, REFUSE, "not a command of tor's", 0},
    };

    EXPECT_ROWS(own, rows);
}

/* --- several profiles --- */

#define SECOND "- apparmor-profiles: ['*']\n  users: ['*']\n  name: second\n"

static const char several[] =
    FOR_ANYBODY
    "  name: first\n"
    "  commands:\n"
    "    ADD_ONION: ['NEW:BEST Port=1', '(a+)+b']\n" /* 5 */
    "    DEL_ONION: ['a{56}']\n"                     /* 6 */
    SECOND                                           /* 7 */
    "  onions:\n"
    "    create: {virtual-ports: [1-10], targets: [1-10]}\n" /* 11 */
    "    delete: own\n"                                      /* 12 */
    "- apparmor-profiles: ['*']\n"
    "  users: ['*']\n"
    "  onions:\n"
    "    create: {virtual-ports: [1-20], targets: [1-20], flags: [Detach]}\n" /* 16 */
    "    delete: own\n"
    "- apparmor-profiles: ['*']\n"
    "  users: ['*']\n"
    "  commands:\n"
    "    ADD_ONION:\n"
    "    - pattern: 'NEW:BEST Port=99'\n" /* 22 */
    "      reply: ['250 OK']\n"
    "    DEL_ONION: ['.*']\n"; /* 24 */

Test(decide_onions, several_profiles)
{
    static const struct row rows[] = {
        {ADD "1", REWRITE, ADD "1,127.0.0.1:1", 5},
        {ADD "1 ", REWRITE, ADD "1,127.0.0.1:1", 5},
        {ADD "2", REWRITE, ADD "2,127.0.0.1:2", 11},
        {ADD "2 Flags=Detach", REWRITE, "ADD_ONION NEW:BEST Flags=Detach Port=2,127.0.0.1:2", 16},
        {ADD "20", REWRITE, ADD "20,127.0.0.1:20", 16},
        {ADD "99", ANSWER, "250 OK\r\n", 22},
        /* what came nearest */
        {ADD "5,21 Flags=V3Auth", REFUSE, NO_TARGET, 11},
        {ADD "5,20 Flags=V3Auth", REFUSE, NO_FLAG, 16},
        {ADD "21", REFUSE, NO_VIRTUAL, 11},
        /* a limit refuses, whatever comes after */
        {"ADD_ONION " TEDIOUS, REFUSE, LIMIT, 5},
        /* what is allowed for own services there, is for all services here */
        {"DEL_ONION " ONION, FORWARD, "DEL_ONION " ONION, 24},
        {"DEL_ONION aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", FORWARD,
         "DEL_ONION aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 6},
        {"DEL_ONION x", FORWARD, "DEL_ONION x", 24},
    };

    EXPECT_ROWS(several, rows);
}

/* --- what the decision leaves for the session --- */

static struct decision decide(const struct policy_view *view, const char *line)
{
    struct decision decision;
    struct command command;

    command_parse_line(span_from_string(line), &command);
    policy_decide(view, &command, &variables, &decision);
    return decision;
}

Test(decide_onions, claims)
{
    static const char yaml[] =
        FOR_ANYBODY
        "  name: first\n"
        "  onions:\n"
        "    create:\n"
        "    - {virtual-ports: [1], targets: [1]}\n"
        "    - {virtual-ports: [2], targets: [2], max-services: 3}\n"
        SECOND
        "  onions:\n"
        "    create: {virtual-ports: [3], targets: [3], proof-of-work: refuse-512}\n"
        "    delete: own\n"
        "    fetch: true\n"
        "    client-auth-keys: own\n";
    static const struct {
        const char *line;
        enum onion_claim claim;
        int profile; /* -1: none */
        int create;  /* of that profile; -1: none */
    } rows[] = {
        {ADD "1", ONION_CLAIM_CREATE, 0, 0},
        {ADD "2", ONION_CLAIM_CREATE, 0, 1},
        {ADD "3", ONION_CLAIM_CREATE, 1, 0},
        {ADD "4", ONION_CLAIM_NONE, -1, -1},
        {ADD "3 PoWQueueRate=1", ONION_CLAIM_NONE, -1, -1},
        {"DEL_ONION " ONION, ONION_CLAIM_SERVICE, 1, -1},
        {"DEL_ONION x", ONION_CLAIM_NONE, -1, -1},
        {"HSFETCH " ONION, ONION_CLAIM_FETCH, 1, -1},
        {"ONION_CLIENT_AUTH_ADD " ONION " " X25519, ONION_CLAIM_KEY_ADD, 1, -1},
        {"ONION_CLIENT_AUTH_REMOVE " ONION, ONION_CLAIM_KEY, 1, -1},
        {"ONION_CLIENT_AUTH_VIEW " ONION, ONION_CLAIM_KEY, 1, -1},
        {"ONION_CLIENT_AUTH_VIEW", ONION_CLAIM_KEY_LISTING, 1, -1},
    };
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct profile *profile = rows[i].profile < 0 ? NULL : view.profiles[rows[i].profile];
        const struct onion_create *create =
            rows[i].create < 0 ? NULL : &profile->onions.creates[rows[i].create];
        struct decision decision = decide(&view, rows[i].line);
        cr_expect_eq(decision.claim, rows[i].claim, "row %zu: claim %d", i, (int)decision.claim);
        cr_expect_eq(decision.claimant, profile, "row %zu: claimant", i);
        cr_expect_eq(decision.create, create, "row %zu: create", i);
        decision_clear(&decision);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* Patterns claim nothing, also where another profile has `onions`. */
Test(decide_onions, no_claim_by_patterns)
{
    struct policy *policy = fixture_policy(several);
    struct policy_view view = fixture_view(policy);
    static const char *const lines[] = {ADD "1", "DEL_ONION x", "SETEVENTS HS_DESC"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct decision decision = decide(&view, lines[i]);
        cr_expect_eq(decision.claim, ONION_CLAIM_NONE, "%s", lines[i]);
        cr_expect_null(decision.claimant, "%s", lines[i]);
        decision_clear(&decision);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* --- the reply --- */

struct reply_row {
    const char *line;
    const char *redacted; /* NULL: as it is */
};

static void expect_reply(const char *private_key, const struct reply_row *rows, size_t count,
                         bool is_redacted)
{
    char *yaml = mem_printf(FOR_ANYBODY "  onions:\n    create:\n      virtual-ports: [1]\n"
                                        "      targets: [1]\n      private-key: %s\n",
                            private_key);
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);
    struct decision decision = decide(&view, ADD "1");

    cr_assert_eq(decision.verdict, VERDICT_FORWARD);
    for (size_t i = 0; i < count; i++) {
        struct reply_line line;
        struct buf out, expected;
        buf_init(&out, 4096);
        buf_init(&expected, 4096);
        const char *wanted =
            is_redacted && rows[i].redacted ? rows[i].redacted : rows[i].line;
        if (*wanted)
            buf_printf(&expected, "%s\r\n", wanted);
        cr_assert(reply_parse_line(span_from_string(rows[i].line), &line));
        cr_expect_neq(reply_plan_feed(decision.plan, &line, &variables, &out, NULL),
                      REPLY_PLAN_MISFIT);
        cr_expect(span_equals(buf_span(&out), buf_span(&expected)), "%s, row %zu: '%.*s'",
                  private_key, i, (int)out.len, buf_span(&out).data);
        buf_clear(&out);
        buf_clear(&expected);
    }
    decision_clear(&decision);
    policy_view_clear(&view);
    policy_unref(policy);
    free(yaml);
}

#define REDACTED "250-PrivateKey=ED25519-V3:redacted"

Test(decide_onions, private_key)
{
    static const struct reply_row added[] = {
        {"250-ServiceID=" ONION, NULL},
        {"250-PrivateKey=" STORED, REDACTED},
        {"250-ClientAuthV3=" CLIENT, NULL},
        {"250 OK", NULL},
    };
    static const struct reply_row other[] = {
        {"250-PrivateKey=RSA1024:x", REDACTED},
        {"250-PrivateKey=", REDACTED},
        /* what no tor sends, and could hold anything */
        {"250-privatekey=" STORED, ""},
        {"250-Key=" STORED, ""},
        {"250 PrivateKey=" STORED, "250 PrivateKey=ED25519-V3:redacted"},
    };
    static const struct reply_row failed[] = {{"550 Onion address collision", NULL}};
    static const struct reply_row mixed[] = {{"512-Invalid", NULL}, {"512 Invalid key", NULL}};

#define EXPECT_REPLY(value, rows, is_redacted) \
    expect_reply(value, rows, sizeof rows / sizeof *rows, is_redacted)
    EXPECT_REPLY("redact", added, true);
    EXPECT_REPLY("redact", other, true);
    EXPECT_REPLY("redact", failed, true);
    EXPECT_REPLY("redact", mixed, true);
    EXPECT_REPLY("pass", added, false);
    EXPECT_REPLY("pass", failed, false);
}

/* --- events --- */

Test(decide_onions, own_events_come_behind_those_listed)
{
    struct policy *policy = fixture_policy(
        FOR_ANYBODY "  name: first\n"
                    "  onions: {events: own}\n"
                    "  events: {CIRC: , hs_desc: {suppress: true}}\n" SECOND
                    "  events: {HS_DESC_CONTENT: , BW: }\n");
    struct policy_view view = fixture_view(policy);
    const struct event_rule *listed = policy_find_event(&view, SPAN("HS_DESC"));
    const struct event_rule *added = policy_find_event(&view, SPAN("hs_desc_content"));
    const struct event_rule *circ = policy_find_event(&view, SPAN("CIRC"));
    const struct event_rule *bw = policy_find_event(&view, SPAN("BW"));

    cr_assert(listed && added && circ && bw);
    cr_expect(listed->own_onions_only && listed->suppress);
    cr_expect(added->own_onions_only && !added->suppress && added->response.count == 0);
    cr_expect_str_eq(added->name, "HS_DESC_CONTENT");
    cr_expect_str_eq(added->profile, "first");
    cr_expect_eq(added->where.line, 4);
    cr_expect_str_eq(listed->profile, "first");
    cr_expect_eq(listed->where.line, 5);
    cr_expect(!circ->own_onions_only && !bw->own_onions_only);
    cr_expect_str_eq(circ->profile, "first");
    cr_expect_str_eq(bw->profile, "second");
    cr_expect_null(policy_find_event(&view, SPAN("STREAM")));
    policy_view_clear(&view);
    policy_unref(policy);
}
