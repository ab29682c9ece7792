/* Targets of onion services: numbers that can mean one thing only (control-protocol 6.2). */
#include <criterion/criterion.h>

#include "add_onion.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define PATH_50 "/234567890/234567890/234567890/234567890/234567890"
#define PATH_100 PATH_50 PATH_50

struct row {
    const char *text;
    enum target_result result;
    const char *written; /* with default port 443 */
};

Test(add_onion, targets)
{
    static const struct row rows[] = {
        {"127.0.0.1:80", TARGET_OK, "127.0.0.1:80"},
        {"127.0.0.1", TARGET_OK, "127.0.0.1:443"},
        {"0.0.0.0:80", TARGET_OK, "0.0.0.0:80"},
        {"255.255.255.255:65535", TARGET_OK, "255.255.255.255:65535"},
        {"80", TARGET_OK, "127.0.0.1:80"},
        {"65535", TARGET_OK, "127.0.0.1:65535"},
        {"[::1]:80", TARGET_OK, "[::1]:80"},
        {"[::1]", TARGET_OK, "[::1]:443"},
        {"::1", TARGET_OK, "[::1]:443"},
        {"::1:80", TARGET_OK, "[::0.1.0.128]:443"},
        {"[::]:80", TARGET_OK, "[::]:80"},
        {"::", TARGET_OK, "[::]:443"},
        {"[2001:DB8:0:0::1]:80", TARGET_OK, "[2001:db8::1]:80"},
        {"2001:db8:1:2:3:4:5:6", TARGET_OK, "[2001:db8:1:2:3:4:5:6]:443"},
        {"[::ffff:192.0.2.1]:80", TARGET_OK, "192.0.2.1:80"},
        {"::ffff:7f00:1", TARGET_OK, "127.0.0.1:443"},
        {"unix:/run/app/web.sock", TARGET_OK, "unix:/run/app/web.sock"},
        {"unix:/a,b", TARGET_OK, "unix:/a,b"},
        {"unix:/...", TARGET_OK, "unix:/..."},
        {"unix:/.hidden/a..b", TARGET_OK, "unix:/.hidden/a..b"},
        {"unix:" PATH_100 "/234567", TARGET_OK, "unix:" PATH_100 "/234567"},
        /* names, and numbers that only a resolver understands */
        {"", TARGET_NOT_LITERAL, NULL},
        {"localhost", TARGET_NOT_LITERAL, NULL},
        {"localhost:9051", TARGET_NOT_LITERAL, NULL},
        {"any.host.name:80", TARGET_NOT_LITERAL, NULL},
        {"127.1:9051", TARGET_NOT_LITERAL, NULL},
        {"127.0.1:9051", TARGET_NOT_LITERAL, NULL},
        {"0x7f.1:9051", TARGET_NOT_LITERAL, NULL},
        {"0x7f.0.0.1:9051", TARGET_NOT_LITERAL, NULL},
        {"0177.0.0.1:9051", TARGET_NOT_LITERAL, NULL},
        {"127.0.0.01:9051", TARGET_NOT_LITERAL, NULL},
        {"2130706433:9051", TARGET_NOT_LITERAL, NULL},
        {"0:9051", TARGET_NOT_LITERAL, NULL},
        {":9051", TARGET_NOT_LITERAL, NULL},
        {"*:9051", TARGET_NOT_LITERAL, NULL},
        {"127.0.0.1.:80", TARGET_NOT_LITERAL, NULL},
        {"127.0.0.1.1:80", TARGET_NOT_LITERAL, NULL},
        {"127.0.0.256:80", TARGET_NOT_LITERAL, NULL},
        {" 127.0.0.1:80", TARGET_NOT_LITERAL, NULL},
        {"+127.0.0.1:80", TARGET_NOT_LITERAL, NULL},
        {"[127.0.0.1]:80", TARGET_NOT_LITERAL, NULL},
        {"[localhost]:80", TARGET_NOT_LITERAL, NULL},
        {"[]:80", TARGET_NOT_LITERAL, NULL},
        {"[", TARGET_NOT_LITERAL, NULL},
        {"[.", TARGET_NOT_LITERAL, NULL},
        {"[::1", TARGET_NOT_LITERAL, NULL},
        {"[::1]80", TARGET_NOT_LITERAL, NULL},
        {"[::1]]:80", TARGET_NOT_LITERAL, NULL},
        {"[[::1]]:80", TARGET_NOT_LITERAL, NULL},
        {"[fe80::1%lo]:80", TARGET_NOT_LITERAL, NULL},
        {"fe80::1%1", TARGET_NOT_LITERAL, NULL},
        {"::1]:80", TARGET_NOT_LITERAL, NULL},
        {"1::2::3", TARGET_NOT_LITERAL, NULL},
        {":::", TARGET_NOT_LITERAL, NULL},
        {"1:2:3:4:5:6:7:8:9", TARGET_NOT_LITERAL, NULL},
        {"127.0.0.1:80:80", TARGET_NOT_LITERAL, NULL},
        {"127.0.0.1\t:80", TARGET_NOT_LITERAL, NULL},
        {"1111111111111111111111111111111111111111111111111111:1", TARGET_NOT_LITERAL, NULL},
        {"Unix:/run/x", TARGET_NOT_LITERAL, NULL},
        {"UNIX:/run/x", TARGET_NOT_LITERAL, NULL},
        {"unix", TARGET_NOT_LITERAL, NULL},
        {"/run/tor/control", TARGET_NOT_LITERAL, NULL},
        /* ports */
        {"127.0.0.1:", TARGET_BAD_PORT, NULL},
        {"127.0.0.1:0", TARGET_BAD_PORT, NULL},
        {"127.0.0.1:65536", TARGET_BAD_PORT, NULL},
        {"127.0.0.1:080", TARGET_BAD_PORT, NULL},
        {"127.0.0.1:+80", TARGET_BAD_PORT, NULL},
        {"127.0.0.1:80 ", TARGET_BAD_PORT, NULL},
        {"127.0.0.1:http", TARGET_BAD_PORT, NULL},
        {"[::1]:", TARGET_BAD_PORT, NULL},
        {"[::1]:0", TARGET_BAD_PORT, NULL},
        {"0", TARGET_BAD_PORT, NULL},
        {"0080", TARGET_BAD_PORT, NULL},
        {"+80", TARGET_BAD_PORT, NULL},
        {"-1", TARGET_BAD_PORT, NULL},
        {"65536", TARGET_BAD_PORT, NULL},
        {"0x50", TARGET_BAD_PORT, NULL},
        {"18446744073709551696", TARGET_BAD_PORT, NULL},
        {"80x", TARGET_BAD_PORT, NULL},
        /* paths */
        {"unix:", TARGET_BAD_PATH, NULL},
        {"unix:/", TARGET_BAD_PATH, NULL},
        {"unix:run/x", TARGET_BAD_PATH, NULL},
        {"unix:/run//x", TARGET_BAD_PATH, NULL},
        {"unix://run/x", TARGET_BAD_PATH, NULL},
        {"unix:/run/./x", TARGET_BAD_PATH, NULL},
        {"unix:/run/../x", TARGET_BAD_PATH, NULL},
        {"unix:/run/..", TARGET_BAD_PATH, NULL},
        {"unix:/.", TARGET_BAD_PATH, NULL},
        {"unix:/run/x/", TARGET_BAD_PATH, NULL},
        {"unix:/run/a b", TARGET_BAD_PATH, NULL},
        {"unix:\"/run/x\"", TARGET_BAD_PATH, NULL},
        {"unix:/run/\"x", TARGET_BAD_PATH, NULL},
        {"unix:/run/'x", TARGET_BAD_PATH, NULL},
        {"unix:/run/x\x01", TARGET_BAD_PATH, NULL},
        {"unix:/run/\xc3\xa4", TARGET_BAD_PATH, NULL},
        {"unix:@abstract", TARGET_BAD_PATH, NULL},
        {"unix:" PATH_100 "/2345678", TARGET_BAD_PATH, NULL},
        /* ways around the name of a socket */
        {"unix:/proc/self/fd/3", TARGET_KERNEL_PATH, NULL},
        {"unix:/proc/1/root/run/tor/control", TARGET_KERNEL_PATH, NULL},
        {"unix:/dev/fd/3", TARGET_KERNEL_PATH, NULL},
        {"unix:/dev/shm/x", TARGET_KERNEL_PATH, NULL},
        {"unix:/sys/x", TARGET_KERNEL_PATH, NULL},
        {"unix:/proc/../run/x", TARGET_BAD_PATH, NULL},
        {"unix:/proc//self", TARGET_BAD_PATH, NULL},
        {"unix:/process/x", TARGET_OK, "unix:/process/x"},
        {"unix:/run/proc/x", TARGET_OK, "unix:/run/proc/x"},
        {"unix:/devices", TARGET_OK, "unix:/devices"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct target target;
        struct buf out;
        buf_init(&out, 200);
        enum target_result result = target_parse(span_from_string(rows[i].text), 443, &target);
        cr_expect_eq(result, rows[i].result, "row %zu: %s gave %d", i, rows[i].text, (int)result);
        if (result == TARGET_OK && rows[i].written) {
            cr_expect(target_write(&out, &target));
            cr_expect(span_equals(buf_span(&out), span_from_string(rows[i].written)),
                      "row %zu: got %.*s", i, (int)out.len, buf_span(&out).data);
        }
        buf_clear(&out);
    }
}

Test(add_onion, an_address_without_port_needs_a_default)
{
    struct target target;

    cr_expect_eq(target_parse(SPAN("127.0.0.1"), 0, &target), TARGET_BAD_PORT);
    cr_expect_eq(target_parse(SPAN("::1"), 0, &target), TARGET_BAD_PORT);
    cr_expect_eq(target_parse(SPAN("[::1]"), 0, &target), TARGET_BAD_PORT);
    cr_expect_eq(target_parse(SPAN("127.0.0.1:1"), 0, &target), TARGET_OK);
}

Test(add_onion, a_nul_ends_no_address)
{
    struct target target;

    cr_expect_eq(target_parse(SPAN("127.0.0.1\0.x:80"), 1, &target), TARGET_NOT_LITERAL);
    cr_expect_eq(target_parse(SPAN("[::1\0]:80"), 1, &target), TARGET_NOT_LITERAL);
    cr_expect_eq(target_parse(SPAN("unix:/run/x\0y"), 1, &target), TARGET_BAD_PATH);
}

Test(add_onion, a_mapped_address_is_the_ipv4_one)
{
    struct target mapped, plain;

    cr_assert_eq(target_parse(SPAN("[::ffff:192.0.2.1]:5"), 0, &mapped), TARGET_OK);
    cr_assert_eq(target_parse(SPAN("192.0.2.1:5"), 0, &plain), TARGET_OK);
    cr_expect_eq(mapped.kind, TARGET_IPV4);
    cr_expect_eq(memcmp(mapped.address, plain.address, sizeof plain.address), 0);
    cr_expect_eq(mapped.port, plain.port);
}

struct port_row {
    const char *value;
    enum target_result result;
    unsigned virtual_port;
    const char *target;
};

Test(add_onion, ports)
{
    static const struct port_row rows[] = {
        {"80", TARGET_OK, 80, "127.0.0.1:80"},
        {"80,8080", TARGET_OK, 80, "127.0.0.1:8080"},
        {"80,192.0.2.1", TARGET_OK, 80, "192.0.2.1:80"},
        {"80,::1", TARGET_OK, 80, "[::1]:80"},
        {"9878,[::]:15000", TARGET_OK, 9878, "[::]:15000"},
        {"80,unix:/a,b", TARGET_OK, 80, "unix:/a,b"},
        {"", TARGET_BAD_PORT, 0, NULL},
        {",80", TARGET_BAD_PORT, 0, NULL},
        {",", TARGET_BAD_PORT, 0, NULL},
        {"80,", TARGET_NOT_LITERAL, 0, NULL},
        {"80,,80", TARGET_NOT_LITERAL, 0, NULL},
        {"80,80,80", TARGET_BAD_PORT, 0, NULL},
        {"+80", TARGET_BAD_PORT, 0, NULL},
        {"0080", TARGET_BAD_PORT, 0, NULL},
        {"0", TARGET_BAD_PORT, 0, NULL},
        {"65536", TARGET_BAD_PORT, 0, NULL},
        {"65536,80", TARGET_BAD_PORT, 0, NULL},
        {"80,+80", TARGET_BAD_PORT, 0, NULL},
        {"80,0", TARGET_BAD_PORT, 0, NULL},
        {"127.0.0.1:80", TARGET_BAD_PORT, 0, NULL},
        {"80,localhost:80", TARGET_NOT_LITERAL, 0, NULL},
        {"80,unix:/run/tor/../tor/control", TARGET_BAD_PATH, 0, NULL},
        {"80,unix:/proc/self/root/run/tor/control", TARGET_KERNEL_PATH, 0, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct onion_port port;
        struct buf out;
        buf_init(&out, 100);
        enum target_result result = onion_port_parse(span_from_string(rows[i].value), &port);
        cr_expect_eq(result, rows[i].result, "row %zu: %s gave %d", i, rows[i].value, (int)result);
        if (result == TARGET_OK) {
            target_write(&out, &port.target);
            cr_expect_eq(port.virtual_port, rows[i].virtual_port, "row %zu", i);
            cr_expect(span_equals(buf_span(&out), span_from_string(rows[i].target)),
                      "row %zu: got %.*s", i, (int)out.len, buf_span(&out).data);
        }
        buf_clear(&out);
    }
}

struct canonical_row {
    const char *arguments;
    enum target_result result;
    const char *canonical;
    bool is_detached;
};

static const struct canonical_row canonical_rows[] = {
    {"NEW:BEST Port=80", TARGET_OK, "NEW:BEST Port=80,127.0.0.1:80", false},
    {"  NEW:BEST   Port=80,8080  ", TARGET_OK, "NEW:BEST Port=80,127.0.0.1:8080", false},
    {"new:best PORT=80 pOrT=81,unix:/a", TARGET_OK,
     "new:best PORT=80,127.0.0.1:80 pOrT=81,unix:/a", false},
    {"NEW:ED25519-V3 Flags=V3Auth Port=80,17600 ClientAuthV3=ABC MaxStreams=5", TARGET_OK,
     "NEW:ED25519-V3 Flags=V3Auth Port=80,127.0.0.1:17600 ClientAuthV3=ABC MaxStreams=5", false},
    {"K:b= Flags=DiscardPK,Detach Port=1,[::]:2", TARGET_OK,
     "K:b= Flags=DiscardPK,Detach Port=1,[::]:2", true},
    {"K Flags=DiscardPK Port=1 flags=,dETACH,", TARGET_OK,
     "K Flags=DiscardPK Port=1,127.0.0.1:1 flags=,dETACH,", true},
    {"K Flags=DetachX,xDetach Port=1", TARGET_OK, "K Flags=DetachX,xDetach Port=1,127.0.0.1:1",
     false},
    {"K Port=1 MaxStreams=Detach", TARGET_OK, "K Port=1,127.0.0.1:1 MaxStreams=Detach", false},
    {"Port=80 Port=81", TARGET_OK, "Port=80 Port=81,127.0.0.1:81", false},
    {"K Ports=x", TARGET_OK, "K Ports=x", false},
    {"K", TARGET_OK, "K", false},
    {"", TARGET_NOT_LITERAL, NULL, false},
    {"  ", TARGET_NOT_LITERAL, NULL, false},
    {"K Port", TARGET_NOT_LITERAL, NULL, false},
    {"K Port=\"80\"", TARGET_NOT_LITERAL, NULL, false},
    {"K Flags=Detach Port=80,localhost:1", TARGET_NOT_LITERAL, NULL, false},
    {"K Port=80 Port=x", TARGET_BAD_PORT, NULL, false},
    {"K Port=80,unix:a", TARGET_BAD_PATH, NULL, false},
};

Test(add_onion, canonical)
{
    for (size_t i = 0; i < COUNT(canonical_rows); i++) {
        const struct canonical_row *row = &canonical_rows[i];
        struct add_onion_facts facts;
        struct buf out;
        buf_init(&out, 200);
        buf_append_char(&out, '>');
        enum target_result result = add_onion_canonical(span_from_string(row->arguments), &out,
                                                        &facts);
        cr_expect_eq(result, row->result, "row %zu: gave %d", i, (int)result);
        cr_expect(span_equals(span_from(buf_span(&out), 1), span_from_string(row->canonical)),
                  "row %zu: got %.*s", i, (int)out.len, out.data);
        cr_expect_eq(facts.is_detached, row->is_detached, "row %zu", i);
        buf_clear(&out);
    }
}

Test(add_onion, canonical_text_stays_as_it_is)
{
    for (size_t i = 0; i < COUNT(canonical_rows); i++) {
        struct add_onion_facts facts;
        struct buf out;
        struct span text = span_from_string(canonical_rows[i].canonical);
        buf_init(&out, 200);
        if (text.len) {
            cr_expect_eq(add_onion_canonical(text, &out, &facts), TARGET_OK, "row %zu", i);
            cr_expect(span_equals(buf_span(&out), text), "row %zu", i);
        }
        buf_clear(&out);
    }
}

Test(add_onion, no_part_of_it_in_a_full_buffer)
{
    struct span text = SPAN("K Flags=Detach Port=80");
    struct add_onion_facts facts;

    for (size_t max = 0; max < text.len + 13; max++) {
        struct buf out;
        buf_init(&out, max);
        cr_expect_neq(add_onion_canonical(text, &out, &facts), TARGET_OK, "maximum %zu", max);
        cr_expect_eq(out.len, 0, "maximum %zu", max);
        cr_expect_not(facts.is_detached);
        buf_clear(&out);
    }
}

static bool collect(const struct target *target, void *context)
{
    struct buf *out = context;

    target_write(out, target);
    buf_append_char(out, ' ');
    return target->kind != TARGET_UNIX;
}

struct visit_row {
    const char *arguments;
    bool all;
    const char *seen;
};

Test(add_onion, each_target)
{
    static const struct visit_row rows[] = {
        {"K Port=1,127.0.0.1:1 Flags=x port=2,[::1]:3", true, "127.0.0.1:1 [::1]:3 "},
        {"K", true, ""},
        {"K Port=1,unix:/a Port=2,127.0.0.1:2", false, "unix:/a "},
        {"K Port=1,127.0.0.1:1 Port=2,host:2", false, "127.0.0.1:1 "},
        {"K Port=1,127.0.0.1:1 Port", false, "127.0.0.1:1 "},
        {"Port=1,unix:/a Port=2,127.0.0.1:2", true, "127.0.0.1:2 "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        buf_init(&out, 200);
        cr_expect_eq(add_onion_each_target(span_from_string(rows[i].arguments), collect, &out),
                     rows[i].all, "row %zu", i);
        cr_expect(span_equals(buf_span(&out), span_from_string(rows[i].seen)), "row %zu: got %.*s",
                  i, (int)out.len, buf_span(&out).data);
        buf_clear(&out);
    }
}

Test(add_onion, results_have_texts_of_their_own)
{
    for (int a = TARGET_OK; a <= TARGET_KERNEL_PATH; a++)
        for (int b = TARGET_OK; b < a; b++)
            cr_expect_str_neq(target_result_text((enum target_result)a),
                              target_result_text((enum target_result)b));
}
