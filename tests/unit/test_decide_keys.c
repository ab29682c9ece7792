/* GETINFO, GETCONF, SETCONF and RESETCONF judged key by key (design 3.5, 3.6). */
#include "decide_fixture.h"

/* --- GETINFO key by key --- */

static const char info_profile[] =
    FOR_ANYBODY
    "  commands:\n"
    "    GETINFO:\n"
    "      - 'version'\n"
    "      - 'onions/current'\n"
    "      - 'ip-to-country/\\d+\\.\\d+\\.\\d+\\.\\d+'\n"
    "      - 'ns/id/[a-fA-F0-9]+|md/id/[a-f]+'\n"
    "      - pattern: 'status/bootstrap-phase'\n"
    "        reply: ['250-status/bootstrap-phase=NOTICE', '250 OK']\n"
    "      - pattern: 'net/listeners/socks'\n"
    "        reply: ['250-net/listeners/socks=\"127.0.0.1:9150\"', '250 OK']\n"
    "      - pattern: 'uptime'\n"
    "        reply: ['551 Not for you']\n"
    "      - pattern: 'short/(\\w+)'\n"
    "        replacement: 'desc/name/{}'\n"
    "      - pattern: 'same/(\\w+)'\n"
    "        replacement: 'same/{}'\n"
    "      - pattern: 'split/(\\w+)'\n"
    "        replacement: '{} address'\n"
    "      - pattern: 'padded/(\\w+)'\n"
    "        replacement: ' {}'\n"
    "      - pattern: 'trailing/(\\w+)'\n"
    "        replacement: '{} '\n"
    "      - pattern: 'nothing/\\w+'\n"
    "        replacement: ''\n"
    "      - pattern: 'traffic/read traffic/written'\n"
    "        reply: ['250-traffic/read=0', '250-traffic/written=0', '250 OK']\n"
    "      - '(a+)+b'\n"
    "      - 'zz'\n";

#define SOCKS "250-net/listeners/socks=\"127.0.0.1:9150\"\r\n"

Test(decide_keys, getinfo)
{
    static const struct row rows[] = {
        {"GETINFO version", FORWARD, "GETINFO version", 5},
        {"getinfo version ", FORWARD, "GETINFO version", 5},
        {"GETINFO version onions/current", FORWARD, "GETINFO version onions/current", 5},
        {"GETINFO onions/current  version ", FORWARD, "GETINFO onions/current version", 6},
        {"GETINFO version version version", FORWARD, "GETINFO version version version", 5},
        {"GETINFO ip-to-country/1.2.3.4", FORWARD, "GETINFO ip-to-country/1.2.3.4", 7},
        /* one refused refuses all, wherever it stands */
        {"GETINFO version address", REFUSE, ONE_OF, 0},
        {"GETINFO address version", REFUSE, ONE_OF, 0},
        {"GETINFO version address onions/current", REFUSE, ONE_OF, 0},
        {"GETINFO address", REFUSE, NO_MATCH, 0},
        {"GETINFO Version", REFUSE, NO_MATCH, 0},
        {"GETINFO versio", REFUSE, NO_MATCH, 0},
        {"GETINFO versionx", REFUSE, NO_MATCH, 0},
        {"GETINFO", REFUSE, NO_MATCH, 0},
        {"GETINFO   ", REFUSE, NO_MATCH, 0},
        {"GETINFO \"version\"", REFUSE, NO_MATCH, 0},
        {"GETINFO version,address", REFUSE, NO_MATCH, 0},
        /* alternatives end where the pattern ends */
        {"GETINFO ns/id/ABC", FORWARD, "GETINFO ns/id/ABC", 8},
        {"GETINFO md/id/abc", FORWARD, "GETINFO md/id/abc", 8},
        {"GETINFO ns/id/ABC address", REFUSE, ONE_OF, 0},
        {"GETINFO address md/id/abc", REFUSE, ONE_OF, 0},
        {"GETINFO ns/id/ABCx", REFUSE, NO_MATCH, 0},
        /* parts that the profile answers */
        {"GETINFO status/bootstrap-phase", ANSWER,
         "250-status/bootstrap-phase=NOTICE\r\n250 OK\r\n", 9},
        {"GETINFO net/listeners/socks status/bootstrap-phase", ANSWER,
         SOCKS "250-status/bootstrap-phase=NOTICE\r\n250 OK\r\n", 11},
        {"GETINFO version net/listeners/socks", FORWARD, "GETINFO version", 5},
        {"GETINFO net/listeners/socks version", FORWARD, "GETINFO version", 11},
        {"GETINFO net/listeners/socks version status/bootstrap-phase onions/current", FORWARD,
         "GETINFO version onions/current", 11},
        {"GETINFO net/listeners/socks address", REFUSE, ONE_OF, 0},
        {"GETINFO uptime", ANSWER, "551 Not for you\r\n", 13},
        {"GETINFO version uptime", ANSWER, "551 Not for you\r\n", 5},
        {"GETINFO uptime version", ANSWER, "551 Not for you\r\n", 13},
        {"GETINFO uptime address", REFUSE, ONE_OF, 0},
        {"GETINFO traffic/read traffic/written", ANSWER,
         "250-traffic/read=0\r\n250-traffic/written=0\r\n250 OK\r\n", 27},
        {"GETINFO traffic/read", REFUSE, NO_MATCH, 0},
        {"GETINFO traffic/written traffic/read", REFUSE, ONE_OF, 0},
        /* replacements: one key stays one key */
        {"GETINFO short/abc", REWRITE, "GETINFO desc/name/abc", 15},
        {"GETINFO version short/abc", REWRITE, "GETINFO version desc/name/abc", 5},
        {"GETINFO same/abc version", FORWARD, "GETINFO same/abc version", 17},
        {"GETINFO same/abc", FORWARD, "GETINFO same/abc", 17},
        {"GETINFO version split/abc", REFUSE, NOT_ONE, 19},
        {"GETINFO version padded/abc", REFUSE, NOT_ONE, 21},
        {"GETINFO version trailing/abc", REFUSE, NOT_ONE, 23},
        {"GETINFO version nothing/abc", REFUSE, NOT_ONE, 25},
        {"GETINFO split/abc", REWRITE, "GETINFO abc address", 19},
        {"GETINFO padded/abc", REWRITE, "GETINFO abc", 21},
        {"GETINFO nothing/abc", REWRITE, "GETINFO", 25},
        /* limits, in the whole text and in one key; later rules do not help */
        {"GETINFO " TEDIOUS, REFUSE, LIMIT, 29},
        {"GETINFO version " TEDIOUS " zz", REFUSE, LIMIT, 29},
        {"GETINFO zz version", FORWARD, "GETINFO zz version", 30},
    };

    EXPECT_ROWS(info_profile, rows);
}

Test(decide_keys, getinfo_that_a_rule_allows_without_keys)
{
    static const char yaml[] = FOR_ANYBODY "  commands:\n"
                                           "    GETINFO: ['', 'a b']\n"
                                           "    GETCONF: ['']\n";
    static const struct row rows[] = {
        {"GETINFO", FORWARD, "GETINFO", 4},
        {"GETINFO ", FORWARD, "GETINFO", 4},
        {"GETINFO a b", FORWARD, "GETINFO a b", 4},
        {"GETINFO a b ", FORWARD, "GETINFO a b", 4},
        {"GETINFO a  b", REFUSE, ONE_OF, 0},
        {"GETINFO a", REFUSE, NO_MATCH, 0},
        {"GETCONF", FORWARD, "GETCONF", 5},
    };

    EXPECT_ROWS(yaml, rows);
}

/* --- options --- */

static const char conf_profile[] =
    FOR_ANYBODY
    "  commands:\n"
    "    GETCONF:\n"
    "      - 'hiddenservicesinglehopmode'\n"
    "      - pattern: 'config'\n"
    "        reply: ['250 config=none']\n"
    "      - pattern: 'old(\\w+)'\n"
    "        replacement: 'new{}'\n"
    "      - pattern: 'two(\\w+)'\n"
    "        replacement: 'a {}'\n"
    "    SETCONF:\n"
    "      - 'Whole=1 Other=2'\n"
    "      - 'Single=1'\n"
    "      - '(a+)+b'\n"
    "    RESETCONF:\n"
    "      - pattern: '__OwningControllerProcess'\n"
    "        reply: ['250 OK']\n"
    "      - pattern: 'Own=\"([a-z ]+)\"'\n"
    "        replacement: 'Own={}'\n"
    "      - 'Quoted=\"[a-z ]+\"'\n"
    "      - pattern: 'Never'\n"
    "        reply: ['552 Never']\n"
    "      - pattern: 'Glue=(\\w+)'\n"
    "        replacement: 'Glue=\"{}\"ControlPort=1'\n"
    "      - pattern: 'Space=(\\w+)'\n"
    "        replacement: 'Space=\"{} x\"'\n"
    "  confs:\n"
    "    __owningcontrollerprocess:\n"
    "    UseBridges: ['', '.*']\n"
    "    Bridge: ['', '.*']\n"
    "    Level: ['[0-3]']\n"
    "    DisableNetwork: ['\"0\"', '\"1\"']\n"
    "    Reset: ['']\n"
    "    Slow: ['(a+)+b', '.*']\n";

Test(decide_keys, getconf)
{
    static const struct row rows[] = {
        {"GETCONF hiddenservicesinglehopmode", FORWARD, "GETCONF hiddenservicesinglehopmode", 5},
        {"GETCONF HiddenServiceSingleHopMode", REFUSE, BY_CONFS, 0},
        {"GETCONF usebridges", FORWARD, "GETCONF UseBridges", 30},
        {"GETCONF __OwningControllerProcess", FORWARD, "GETCONF __owningcontrollerprocess", 29},
        {"GETCONF USEBRIDGES  bridge ", FORWARD, "GETCONF UseBridges Bridge", 30},
        {"GETCONF UseBridges hiddenservicesinglehopmode", FORWARD,
         "GETCONF UseBridges hiddenservicesinglehopmode", 30},
        {"GETCONF UseBridges SocksPort", REFUSE, BY_CONFS, 0},
        {"GETCONF UseBridge", REFUSE, BY_CONFS, 0},
        {"GETCONF D", REFUSE, BY_CONFS, 0},
        {"GETCONF UseBridges=1", REFUSE, BY_CONFS, 0},
        {"GETCONF", REFUSE, NO_MATCH, 0},
        {"GETCONF config", ANSWER, "250 config=none\r\n", 6},
        {"GETCONF UseBridges config", FORWARD, "GETCONF UseBridges", 30},
        {"GETCONF config config", ANSWER, "250-config=none\r\n250 config=none\r\n", 6},
        {"GETCONF oldname", REWRITE, "GETCONF newname", 8},
        {"GETCONF Bridge oldname", REWRITE, "GETCONF Bridge newname", 31},
        {"GETCONF Bridge twob", REFUSE, NOT_ONE, 10},
    };

    EXPECT_ROWS(conf_profile, rows);
}

Test(decide_keys, setconf)
{
    static const struct row rows[] = {
        {"SETCONF UseBridges=1", FORWARD, "SETCONF UseBridges=1", 30},
        {"setconf usebridges=1", FORWARD, "SETCONF UseBridges=1", 30},
        {"SETCONF USEBRIDGES", FORWARD, "SETCONF UseBridges", 30},
        {"SETCONF  usebridges=1   BRIDGE=\"a b c\" ", FORWARD,
         "SETCONF UseBridges=1 Bridge=\"a b c\"", 30},
        {"SETCONF Bridge=a Bridge=b bridge=c", FORWARD, "SETCONF Bridge=a Bridge=b Bridge=c", 31},
        {"SETCONF DisableNetwork=\"0\"", FORWARD, "SETCONF DisableNetwork=\"0\"", 33},
        {"SETCONF DisableNetwork=0", REFUSE, BY_CONFS, 33},
        {"SETCONF Level=3", FORWARD, "SETCONF Level=3", 32},
        {"SETCONF Level=\"3\"", FORWARD, "SETCONF Level=\"3\"", 32},
        {"SETCONF Level=\"\\x33\"", FORWARD, "SETCONF Level=\"\\x33\"", 32},
        {"SETCONF Level=4", REFUSE, BY_CONFS, 32},
        {"SETCONF Level", REFUSE, BY_CONFS, 32},
        {"SETCONF Reset", FORWARD, "SETCONF Reset", 34},
        {"SETCONF Reset=", FORWARD, "SETCONF Reset=", 34},
        {"SETCONF Reset=1", REFUSE, BY_CONFS, 34},
        {"SETCONF __OwningControllerProcess=1", REFUSE, BY_CONFS, 29},
        /* a value pattern of .* covers its own value only */
        {"SETCONF UseBridges=1 ControlPort=1", REFUSE, BY_CONFS, 0},
        {"SETCONF ControlPort=1 UseBridges=1", REFUSE, BY_CONFS, 0},
        {"SETCONF UseBridges=1 Level=9", REFUSE, BY_CONFS, 32},
        {"SETCONF UseBridges=1 Bridge=x Level=1 Level=9", REFUSE, BY_CONFS, 32},
        /* no separator behind a quote */
        {"SETCONF UseBridges=\"0\"ControlPort=1", REFUSE, BY_CONFS, 0},
        {"SETCONF UseBridges=\"0\"Bridge=1", FORWARD, "SETCONF UseBridges=\"0\" Bridge=1", 30},
        {"SETCONF UseBridges=\"\"Level=9", REFUSE, BY_CONFS, 32},
        {"SETCONF UseBridges=\"a\"\"b\"", REFUSE, MALFORMED, 0},
        /* quotes in the middle are part of the value */
        {"SETCONF UseBridges=0\" ControlPort=1 Bridge=x\"", REFUSE, BY_CONFS, 0},
        {"SETCONF UseBridges=x\" Bridge=y\"", FORWARD, "SETCONF UseBridges=x\" Bridge=y\"", 30},
        {"SETCONF Bridge='a ControlPort=1'", REFUSE, BY_CONFS, 0},
        {"SETCONF Bridge=a\\ ControlPort=1", REFUSE, BY_CONFS, 0},
        /* escapes stay what they are, and may not bring control characters */
        {"SETCONF Bridge=\"a \\\" ControlPort=1\"", FORWARD,
         "SETCONF Bridge=\"a \\\" ControlPort=1\"", 31},
        {"SETCONF Bridge=\"a\\\\\" ControlPort=1", REFUSE, BY_CONFS, 0},
        {"SETCONF Bridge=\"a\\nControlPort 1\"", REFUSE, BY_CONFS, 0},
        {"SETCONF Bridge=\"a\\r\\nControlPort 1\"", REFUSE, BY_CONFS, 0},
        {"SETCONF Bridge=\"\\xff\"", REFUSE, BY_CONFS, 0},
        {"SETCONF Bridge=\"a", REFUSE, MALFORMED, 0},
        {"SETCONF UseBridges=1 Bridge=\"a", REFUSE, MALFORMED, 0},
        {"SETCONF UseBridges = 1", REFUSE, MALFORMED, 0},
        {"SETCONF =1", REFUSE, MALFORMED, 0},
        /* abbreviations, aliases, prefixes */
        {"SETCONF UseBridge=1", REFUSE, BY_CONFS, 0},
        {"SETCONF D=/", REFUSE, BY_CONFS, 0},
        {"SETCONF S=0", REFUSE, BY_CONFS, 0},
        {"SETCONF +UseBridges=1", REFUSE, BY_CONFS, 0},
        /* rules see the whole text only */
        {"SETCONF Whole=1 Other=2", FORWARD, "SETCONF Whole=1 Other=2", 13},
        {"SETCONF Whole=1 Other=2 ", FORWARD, "SETCONF Whole=1 Other=2", 13},
        {"SETCONF Whole=1", REFUSE, BY_CONFS, 0},
        {"SETCONF Single=1", FORWARD, "SETCONF Single=1", 14},
        {"SETCONF Single=1 UseBridges=1", REFUSE, BY_CONFS, 0},
        {"SETCONF", REFUSE, NO_MATCH, 0},
        {"SETCONF  ", REFUSE, NO_MATCH, 0},
        {"SETCONF " TEDIOUS, REFUSE, LIMIT, 15},
        {"SETCONF Slow=" TEDIOUS, REFUSE, LIMIT, 35},
        {"SETCONF UseBridges=1 Slow=" TEDIOUS, REFUSE, LIMIT, 35},
    };

    EXPECT_ROWS(conf_profile, rows);
}

Test(decide_keys, resetconf)
{
    static const struct row rows[] = {
        {"RESETCONF usebridges", FORWARD, "RESETCONF UseBridges", 30},
        {"RESETCONF UseBridges Bridge=\"x y\"Reset", FORWARD,
         "RESETCONF UseBridges Bridge=\"x y\" Reset", 30},
        {"RESETCONF Level", REFUSE, BY_CONFS, 32},
        {"RESETCONF Level=1", FORWARD, "RESETCONF Level=1", 32},
        {"RESETCONF UseBridges ControlPort", REFUSE, BY_CONFS, 0},
        {"RESETCONF __OwningControllerProcess", ANSWER, "250 OK\r\n", 17},
        {"RESETCONF __owningcontrollerprocess", REFUSE, BY_CONFS, 29},
        {"RESETCONF __OwningControllerProcess UseBridges", FORWARD, "RESETCONF UseBridges", 17},
        {"RESETCONF UseBridges Never", ANSWER, "552 Never\r\n", 30},
        {"RESETCONF Never ControlPort", REFUSE, BY_CONFS, 0},
        {"RESETCONF Quoted=\"a b\" UseBridges", FORWARD, "RESETCONF Quoted=\"a b\" UseBridges",
         21},
        {"RESETCONF Quoted=\"a b\"ControlPort", REFUSE, BY_CONFS, 0},
        {"RESETCONF Quoted=\"a ControlPort", REFUSE, MALFORMED, 0},
        {"RESETCONF UseBridges Own=\"a\"", REWRITE, "RESETCONF UseBridges Own=a", 30},
        {"RESETCONF UseBridges Own=\"a b\"", REFUSE, NOT_ONE, 19},
        {"RESETCONF UseBridges Glue=a", REFUSE, NOT_ONE, 24},
        {"RESETCONF UseBridges Space=a", REFUSE, NOT_ONE, 26},
        {"RESETCONF", REFUSE, NO_MATCH, 0},
    };

    EXPECT_ROWS(conf_profile, rows);
}
